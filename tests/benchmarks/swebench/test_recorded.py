"""Recorded patches: read without their verdicts, and replayed as edits that fit as the official grading's commands fit them."""

from __future__ import annotations

import json
import subprocess

import pytest

from benchmarks.swebench.base import BenchError
from benchmarks.swebench.recorded import Recorded, RecordedProposer, load_patches, load_truth
from benchmarks.swebench.recorded_diff import changes, edits_of
from swesearch.base import Attempt, Create, Delete, EditError, Evaluation, Rename
from swesearch.store import Store

OLD = "".join(f"line {number}\n" for number in range(1, 21))
NEW = OLD.replace("line 5\n", "line five\n").replace("line 15\n", "")
DIFF = """\
--- a/a.txt
+++ b/a.txt
@@ -2,7 +2,7 @@
 line 2
 line 3
 line 4
-line 5
+line five
 line 6
 line 7
 line 8
@@ -12,7 +12,6 @@
 line 12
 line 13
 line 14
-line 15
 line 16
 line 17
 line 18
"""


def carried_out(folder, tmp_path, patch):
    """The files of a repository after a patch was replayed, and by the store's own diff."""
    store = Store.open(folder, tmp_path / "store.git")
    root = store.root()
    try:
        (plan,) = RecordedProposer([Recorded("me", patch)], store).propose((Attempt(None, root, Evaluation(0.0)),))
        state = store.apply(root, plan.carry_out().edits)
        return {path: store.read(state, path).decode() for path in store.files(state)}
    finally:
        store.close()


def test_a_patch_is_replayed(repo, tmp_path):
    assert carried_out(repo({"a.txt": OLD}), tmp_path, DIFF) == {"a.txt": NEW}


def test_hunks_are_found_where_they_have_moved_to(repo, tmp_path):
    above = "above\n" * 7

    assert carried_out(repo({"a.txt": above + OLD}), tmp_path, DIFF) == {"a.txt": above + NEW}


def test_outer_context_may_differ_as_patch_allows_it(repo, tmp_path):
    other = OLD.replace("line 2\n", "line two\n").replace("line 18\n", "line eighteen\n")
    expected = NEW.replace("line 2\n", "line two\n").replace("line 18\n", "line eighteen\n")

    assert carried_out(repo({"a.txt": other}), tmp_path, DIFF) == {"a.txt": expected}


def test_of_two_places_the_nearer_one_is_taken(repo, tmp_path):
    block = "x\ny\nz\n"
    patch = "--- a/a.txt\n+++ b/a.txt\n@@ -104,3 +104,3 @@\n x\n-y\n+Y\n z\n"

    found = carried_out(repo({"a.txt": block + "-\n" * 100 + block}), tmp_path, patch)

    assert found["a.txt"] == block + "-\n" * 100 + "x\nY\nz\n"


@pytest.mark.parametrize(
    "patch",
    [
        pytest.param(DIFF.replace("-line 5", "-line V"), id="the text is another"),
        pytest.param(DIFF.replace("a.txt", "b.txt"), id="there is no such file"),
        pytest.param(DIFF[: len(DIFF) // 2], id="it is cut off"),
        pytest.param(DIFF.replace("@@ -2,7 +2,7 @@", "@@ two @@"), id="its header is none"),
        pytest.param("I would change line 5.", id="it is prose"),
        pytest.param("", id="it is empty"),
        pytest.param("diff --git a/x.png b/x.png\nnew file mode 100644\nBinary files /dev/null and b/x.png differ\n", id="it is binary"),
        pytest.param(DIFF.replace("a.txt", "../a.txt"), id="it leads out of the repository"),
        pytest.param(DIFF.replace("a.txt", "test_a.py"), id="it only changes tests"),
    ],
)
def test_a_patch_that_cannot_be_replayed_is_an_edit_error(repo, tmp_path, patch):
    with pytest.raises(EditError):
        carried_out(repo({"a.txt": OLD, "test_a.py": OLD}), tmp_path, patch)


def test_changes_to_tests_are_left_out(repo, tmp_path):
    found = carried_out(repo({"a.txt": OLD, "test_a.py": OLD}), tmp_path, DIFF + DIFF.replace("a.txt", "test_a.py"))

    assert found == {"a.txt": NEW, "test_a.py": OLD}


def test_whatever_git_writes_is_read_back(repo, tmp_path):
    files = {"moved.py": "one = 1\n" * 9, "gone.py": "x\n", "no_end.txt": "a\nb", "run.sh": "#!/bin/sh\n", "crlf.txt": "a\r\nb\r\n"}
    folder = repo(files)
    subprocess.run(["git", "mv", "moved.py", "there.py"], cwd=folder, check=True)
    (folder / "there.py").write_text("one = 1\n" * 8 + "two = 2\n")
    (folder / "gone.py").unlink()
    (folder / "no_end.txt").write_text("a\nc")
    (folder / "crlf.txt").write_bytes(b"a\r\nc\r\n")
    (folder / "näw.txt").write_text("nêw")
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    words = ["git", "-c", "core.quotePath=false", "diff", "--cached", "-M"]
    patch = subprocess.run(words, cwd=folder, check=True, capture_output=True).stdout.decode()
    subprocess.run(["git", "reset", "-q", "--hard"], cwd=folder, check=True)

    found = carried_out(folder, tmp_path, patch)

    assert found["there.py"].endswith("two = 2\n")
    assert found["no_end.txt"] == "a\nc"
    assert found["crlf.txt"] == "a\r\nc\r\n"
    assert found["näw.txt"] == "nêw"
    assert not {"moved.py", "gone.py"} & found.keys()


def test_a_new_file_a_deletion_and_a_move_are_edits_of_their_kind():
    patch = (
        "diff --git a/n.sh b/n.sh\nnew file mode 100755\n--- /dev/null\n+++ b/n.sh\n@@ -0,0 +1 @@\n+x\n"
        "diff --git a/d.py b/d.py\ndeleted file mode 100644\n--- a/d.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        "diff --git a/o.py b/p.py\nsimilarity index 100%\nrename from o.py\nrename to p.py\n"
    )

    edits = [edit for change in changes(patch) for edit in edits_of(change, lambda _: b"x\n")]

    assert edits == [Create("n.sh", b"x\n", executable=True), Delete("d.py"), Rename("o.py", "p.py")]


def write(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_whether_a_patch_is_right_is_left_behind_when_patches_are_read(tmp_path):
    row = {"instance_id": "a__a-1", "patches": [{"source": "x", "patch": DIFF, "resolved": "canary"}, {"source": "y", "patch": None}]}
    path = write(tmp_path / "patches.jsonl", row)

    found = load_patches(path)

    assert found == {"a__a-1": (Recorded("x", DIFF), Recorded("y", ""))}
    assert "canary" not in repr(found)
    assert load_truth(path) == {"a__a-1": {"x": "canary", "y": None}}


@pytest.mark.parametrize("text", ["{", "[]", '{"instance_id": "a"}', '{"instance_id": "a", "patches": [{"patch": "x"}]}'])
def test_a_malformed_row_is_named_by_its_line(tmp_path, text):
    path = tmp_path / "patches.jsonl"
    path.write_text('{"instance_id": "a__a-1", "patches": []}\n' + text + "\n")

    with pytest.raises(BenchError, match="line 2"):
        load_patches(path)
