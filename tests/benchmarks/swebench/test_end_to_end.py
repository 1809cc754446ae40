"""From two rows to a report, with nothing made before: two bugs that flask had in 2.3.0 and 2.3.1, and mended in the next release.

The repository is made from the published source archives, one commit each; the tests are ours.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks import sdists
from benchmarks.swebench.data import load
from benchmarks.swebench.preds import read
from sandbox.docker import connect
from sandbox.images import remove_image

pytestmark = [pytest.mark.docker, pytest.mark.slow]

ROOT = Path(__file__).parents[3]
ARCHIVES = {
    "2.3.0": "4088b4986f13cae23e02081e67df7e4e434ec6f85a5238bce5e6db6d1de61e06",
    "2.3.1": "a6059db4297106e5a64b3215fa16ae641822c1cb97ecb498573549b2478602cb",
    "2.3.2": "8c2f9abd47a9e8df7f0c3f091ce9497d011dc3b31effcf4c85a6e2b50f4114ef",
}
MARKUP = """\
import flask
import pytest


def test_markup_is_still_there():
    with pytest.warns(DeprecationWarning, match="Markup"):
        assert flask.Markup("<b>") == "<b>"


def test_escape_escapes():
    with pytest.warns(DeprecationWarning):
        assert flask.escape("<") == "&lt;"


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError):
        flask.nothing_of_this_name
"""
VARY = """\
import flask
import pytest


@pytest.fixture
def client():
    app = flask.Flask(__name__)
    app.secret_key = "key"

    @app.get("/forget")
    def forget():
        flask.session.clear()
        return ""

    @app.get("/static-page")
    def page():
        return ""

    return app.test_client()


def test_a_session_that_is_cleared_depends_on_the_cookie(client):
    with client.session_transaction() as session:
        session["a"] = 1
    response = client.get("/forget")
    assert "session=;" in response.headers["Set-Cookie"]
    assert "Cookie" in response.headers.getlist("Vary")


def test_a_page_without_a_session_does_not(client):
    assert "Vary" not in client.get("/static-page").headers
"""


@dataclass(frozen=True)
class Data:
    """Rows, recorded patches and a bare mirror."""

    rows: Path
    patches: Path
    mirrors: Path
    output: Path

    def begin(self, mode: str, instance: str, *arguments: str) -> subprocess.Popen[str]:
        """Start the command on one instance."""
        words = [sys.executable, "-m", "benchmarks.cli", "swebench", "--subset", str(self.rows), "--instances", instance, "--oracle", "1"]
        words += ["--mode", mode, "--repos", str(self.mirrors), "--no-pull", "-o", str(self.output / mode), *arguments]
        if (pythons := interpreters(self.output)) is not None:
            words += ["--python-root", str(pythons)]
        return subprocess.Popen(words, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def row(self, mode: str) -> dict[str, Any]:
        """What the report says of the instance."""
        (row,) = json.loads((self.output / mode / "report.json").read_text())["instances"]
        assert row["id"] in (self.output / mode / "report.html").read_text()
        assert (self.output / mode / row["id"] / f"{row['id']}.traj.json").exists()
        return dict(row)


def interpreters(folder: Path) -> Path | None:
    """A folder of interpreters with Python 3.11, which flask 2.3 is tested with; None to let uv download it."""
    beside = Path(sys.base_prefix).parent
    if [*beside.glob("3.11*/bin/python3.11")]:
        return beside
    found = shutil.which("python3.11")
    asked = (
        subprocess.run([found, "-c", "import sys; print(sys.base_prefix)"], capture_output=True, text=True, check=False) if found else None
    )
    if asked is None or asked.returncode or asked.stdout.strip() == "/usr":  # a system's Python is spread over its folders
        return None
    (folder / "pythons").mkdir(parents=True, exist_ok=True)
    if not (folder / "pythons" / "3.11").exists():
        (folder / "pythons" / "3.11").symlink_to(asked.stdout.strip())
    return folder / "pythons"


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def added(name: str, text: str) -> str:
    """The patch that adds a file."""
    rows = text.splitlines()
    body = "".join(f"+{row}\n" for row in rows)
    return f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1,{len(rows)} @@\n{body}"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = tmp_path_factory.mktemp("flask")
    tree, commits = folder / "tree", []
    tree.mkdir()
    git(tree, "init", "-q", "-b", "main")
    for version, digest in ARCHIVES.items():
        top = sdists.unpack(sdists.fetch("flask", f"Flask-{version}.tar.gz", digest, folder / "archives"), folder / version)
        for old in [path for path in tree.iterdir() if path.name != ".git"]:
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(top, tree, dirs_exist_ok=True)
        (tree / "requirements" / "dev.txt").write_text("-r tests.txt\n")  # what the documents and the types need is not used here
        git(tree, "add", "-A", "-f")
        git(tree, "commit", "-q", "-m", f"flask {version}")
        commits.append(git(tree, "rev-parse", "HEAD").strip())
    git(folder, "clone", "-q", "--bare", "tree", "mirrors/pallets__flask")
    fixes = [git(tree, "diff", *pair, "--", "src/flask") for pair in (commits[:2], commits[1:])]
    names = ("test_markup.py::{}", "test_vary.py::{}")
    failing = (["test_markup_is_still_there", "test_escape_escapes"], ["test_a_session_that_is_cleared_depends_on_the_cookie"])
    passing = (["test_what_is_not_there_is_an_attribute_error"], ["test_a_page_without_a_session_does_not"])
    issues = ("flask.Markup is gone in 2.3.0", "No Vary: Cookie header when the session is cleared")
    rows = [
        {
            "instance_id": f"pallets__flask-{23 + number}", "repo": "pallets/flask", "base_commit": commits[number], "version": "2.3",
            "created_at": "2023-05-01T00:00:00Z", "problem_statement": issues[number], "patch": fixes[number],
            "test_patch": added(f"tests/{names[number].partition('::')[0]}", (MARKUP, VARY)[number]),
            "FAIL_TO_PASS": [f"tests/{names[number].format(name)}" for name in failing[number]],
            "PASS_TO_PASS": [f"tests/{names[number].format(name)}" for name in passing[number]],
        }
        for number in (0, 1)
    ]  # fmt: skip
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    breaks = git(tree, "diff", commits[1], commits[2], "--", "src/flask/sessions.py").replace('.vary.add("Cookie")', '.vary.addd("Cookie")')
    recorded = [{"source": "breaks", "patch": breaks}, {"source": "misfit", "patch": fixes[0]}, {"source": "right", "patch": fixes[1]}]
    (folder / "patches.jsonl").write_text(json.dumps({"instance_id": "pallets__flask-24", "patches": recorded}) + "\n")
    return Data(folder / "rows.jsonl", folder / "patches.jsonl", folder / "mirrors", folder / "results")


@pytest.fixture(scope="module")
def done(data: Data) -> Iterator[Data]:
    """Both commands, at the same time; the images are removed afterwards."""
    running = [data.begin("check", "pallets__flask-23", "--budget", "15,10m")]
    running.append(data.begin("recorded", "pallets__flask-24", "--budget", "15,10m", "--patches", str(data.patches)))
    told = [each.communicate(timeout=600)[1] for each in running]
    assert [each.returncode for each in running] == [0, 0], told
    yield data
    client = connect()
    for tag in [tag for image in client.images.list("swebench-instance") for tag in image.tags]:
        if any(f":{one.id}-" in tag for one in load(str(data.rows))):
            remove_image(client, tag)
    client.close()


def test_a_bug_is_searched_with_its_failing_tests_and_what_comes_of_it_is_graded(done: Data) -> None:
    row, patch = done.row("check"), read(done.output / "check" / "preds.json")["pallets__flask-23"].patch
    assert row["evaluations"] > 5
    if patch:  # whether a few templates find it is measured elsewhere
        assert (row["exit_status"], row["fail_to_pass"]) == ("Submitted", [2, 2])
    else:
        assert (row["exit_status"], row["status"]) == ("LimitsExceeded", "empty")


def test_the_right_one_of_recorded_patches_is_chosen_and_resolves_the_instance(done: Data) -> None:
    row = done.row("recorded")
    assert (row["status"], row["fail_to_pass"], row["pass_to_pass"]) == ("resolved", [1, 1], [1, 1])
    assert row["candidates"] >= 1
