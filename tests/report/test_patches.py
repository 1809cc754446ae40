import subprocess

import pytest

from swesearch.report.patches import LONGEST, of_edits, shortened, unified

BEFORE = "".join(f"line {number}\n" for number in range(1, 41))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("line 20\n", "another\n"),
        ("line 20\n", ""),
        ("line 1\n", "first\nand second\n"),
        ("line 40\n", "line 40"),
        ("line 3\n", "line 3\nline 3\n"),
    ],
)
def test_a_diff_is_one_that_git_applies(tmp_path, old, new):
    after = BEFORE.replace(old, new, 1)
    (tmp_path / "a.txt").write_text(BEFORE)

    patch = unified([("a.txt", BEFORE.encode(), after.encode())])
    subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=tmp_path, check=True)

    assert (tmp_path / "a.txt").read_text() == after


def test_a_file_that_comes_or_goes_is_said_to():
    assert unified([("new.py", None, b"x = 1\n")]) == "--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+x = 1\n"
    assert "+++ /dev/null" in unified([("old.py", b"x = 1\n", None)])


def test_bytes_that_are_no_text_are_counted_or_written_out():
    assert "binary file, 3 bytes before, 4 after" in unified([("a.bin", b"a\0b", b"a\0bc")])
    assert "+\\xff" in unified([("a.txt", b"", b"\xff\n")])


def test_a_long_patch_is_cut_and_says_so():
    cut = shortened("x" * (LONGEST + 1234))
    assert cut.endswith("… 1,234 more characters")
    assert shortened("short") == "short"


def test_edits_are_shown_where_there_is_no_code_to_compare():
    text = {"$": "bytes", "text": "a\nb"}
    edits = [
        {"$": "Replace", "path": "a.py", "before": text, "after": {"$": "bytes", "text": "c"}, "start": 3},
        {"$": "Create", "path": "b.py", "content": text, "executable": False},
        {"$": "Delete", "path": "c.py"},
        {"$": "Rename", "path": "d.py", "to": "e.py"},
    ]
    shown = of_edits({"edits": edits})
    assert "--- a/a.py\n+++ b/a.py\n@@ @@\n-a\n-b\n+c\n" in shown
    assert "+++ b/b.py\n@@ @@\n+a\n+b\n" in shown
    assert "--- a/c.py\n+++ /dev/null\n" in shown
    assert "--- a/d.py\n+++ b/e.py\n" in shown
    assert of_edits(None) == ""
