"""The core, on real repositories in a real sandbox: what breaks is proven and mended, and where nothing breaks nothing is said."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swesearch.base import Event, UsageError
from swesearch.cli.bot import app
from swesearch.github.bot.base import Report
from swesearch.github.bot.review import Request, review
from swesearch.github.bot.wire import from_json, to_json

Repo = Callable[..., Path]
Reviewed = Callable[..., Report]
FLAGS = {"sandbox.kind": "local", "sandbox.python": sys.executable, "discriminator.patience": 1, "budget.evaluations": 3, "bot.reruns": 2}
TOLD_ONLY = {**FLAGS, "bot.fixes": 0}
FILES = {
    "calc.py": "def total(items):\n    result = 0\n    for item in items:\n        result += item\n    return result\n",
    "test_calc.py": "from calc import total\n\n\ndef test_total():\n    assert total([1, 2, 3]) == 6\n",
    "notes.md": "words\n",
}
WRONG = FILES["calc.py"].replace("result = 0", "result = 1")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout.strip()


def commit(folder: Path, files: Mapping[str, str | None]) -> str:
    for path, text in files.items():
        if text is None:
            (folder / path).unlink()
        else:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "--allow-empty", "-m", "a change")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def reviewed(repo: Repo, tmp_path: Path) -> Reviewed:
    """Review a change to FILES and more; `later`: what happens on the base branch meanwhile."""

    def run(
        change: Mapping[str, str | None],
        more: Mapping[str, str] | None = None,
        later: Mapping[str, str] | None = None,
        flags: Mapping[str, object] = TOLD_ONLY,
    ) -> Report:
        folder = repo({**FILES, **(more or {})})
        git(folder, "checkout", "-q", "-b", "topic")
        head = commit(folder, change)
        git(folder, "checkout", "-q", "main")
        if later:
            commit(folder, later)
        seen: list[Event] = []
        return review(Request(folder, "main", head, tmp_path / "home", flags=flags), seen.append, threading.Event())

    return run


@pytest.mark.slow
def test_what_the_head_breaks_is_proven_by_the_command_that_is_told(reviewed: Reviewed) -> None:
    report = reviewed({"calc.py": WRONG})
    (finding,) = report.findings
    assert (report.ending, finding.kind, finding.runs, finding.fixes) == ("findings", "broke", 2, ())
    assert finding.command == "python -m pytest -q test_calc.py::test_total"
    assert (finding.error, finding.path, finding.line) == ("AssertionError", "test_calc.py", 5)


@pytest.mark.slow
def test_lines_that_do_the_harm_are_taken_back_where_no_search_helps(reviewed: Reviewed) -> None:
    good = "def words(text):\n    return sorted(set(text.lower().split('-')))\n\n\ndef first(text):\n    return words(text)[0]\n"
    test = "from words import words\n\n\ndef test_words():\n    assert words('b-A-b') == ['a', 'b']\n"
    bad = good.replace("sorted(set(text.lower().split('-')))", "[each[::-1] * 2 for each in text.split(';')]")
    report = reviewed(
        {"words.py": bad.replace("words(text)[0]", "min(words(text))")}, {"words.py": good, "test_words.py": test}, flags=FLAGS
    )
    (undone,) = [fix for finding in report.findings for fix in finding.fixes if fix.how == "undo"]
    assert "+    return sorted(set(text.lower().split('-')))" in undone.patch
    assert "min(words" not in undone.patch, "what does no harm stays"
    (line,) = undone.suggestions
    assert (line.path, line.first, line.last) == ("words.py", 2, 2)


@pytest.mark.slow
def test_a_test_that_comes_with_the_pull_request_and_fails_is_a_finding(reviewed: Reviewed) -> None:
    report = reviewed({"test_more.py": "from calc import total\n\n\ndef test_words():\n    assert total(['a', 'b']) == 'ab'\n"})
    (finding,) = report.findings
    assert finding.kind == "own"
    assert finding.tests == ("test_more.py::test_words",)


@pytest.mark.slow
def test_a_file_that_can_be_imported_no_more_is_one_finding(reviewed: Reviewed) -> None:
    report = reviewed({"calc.py": WRONG.replace("total", "sum_up")})
    (finding,) = report.findings
    assert finding.tests == ("test_calc.py",)
    assert "cannot import name 'total'" in finding.message


@pytest.mark.parametrize(
    ("change", "ending"),
    [
        ({"notes.md": "other words\n"}, "untouched"),
        ({"calc.py": FILES["calc.py"] + "\n\ndef least(items):\n    return min(items)\n"}, "clean"),
        ({"calc.py": WRONG, "test_calc.py": FILES["test_calc.py"].replace("6", "7")}, "clean"),  # meant, and its test says so
        ({"calc.py": None, "sums.py": FILES["calc.py"], "test_calc.py": FILES["test_calc.py"].replace("calc", "sums")}, "clean"),  # renamed
        ({"test_calc.py": None, "calc.py": WRONG}, "untouched"),
        ({"test_net.py": "import socket\n\n\ndef test_net():\n    socket.getaddrinfo('no.such.host.invalid', 80)\n"}, "unknown"),
        ({"test_new.py": "import no_such_module_anywhere\n\n\ndef test_new():\n    pass\n"}, "unknown"),
    ],
)
def test_where_nothing_is_broken_nothing_is_found(reviewed: Reviewed, change: Mapping[str, str | None], ending: str) -> None:
    report = reviewed(change)
    assert (report.findings, report.ending) == ((), ending)


@pytest.mark.slow
def test_what_fails_on_the_base_too_is_nobodys_fault(reviewed: Reviewed) -> None:
    old = FILES["test_calc.py"] + "\n\ndef test_old():\n    assert total([1]) == 2\n\n\ndef test_none():\n    assert total([]) == 0\n"
    report = reviewed({"calc.py": FILES["calc.py"] + "\nX = 1\n"}, {"test_calc.py": old})
    assert report.findings == ()
    assert any("1 failing test left out: the base has them too" in note for note in report.notes)


@pytest.mark.slow
def test_a_test_that_hangs_costs_the_others_nothing(reviewed: Reviewed) -> None:
    hangs = "import time\nfrom calc import total\n\n\ndef test_wait():\n    time.sleep(600)\n"
    report = reviewed({"calc.py": WRONG, "test_ahead.py": hangs}, flags={**TOLD_ONLY, "bot.seconds": 5})
    assert [finding.tests for finding in report.findings] == [("test_calc.py::test_total",)]
    assert any("test_ahead.py" in note and "the time for tests was over" in note for note in report.notes)


def test_a_flaky_test_is_told_by_its_reruns_and_is_no_finding(reviewed: Reviewed, tmp_path: Path) -> None:
    turns = tmp_path / "turns"
    flaky = (
        "import pathlib\n\nfrom calc import total\n\n\ndef test_now_and_then():\n    assert total([]) == 0\n"
        f"    turns = pathlib.Path({str(turns)!r})\n    turns.write_text((turns.read_text() if turns.exists() else '') + 'x')\n"
        "    assert len(turns.read_text()) % 2 == 0\n"
    )
    report = reviewed({"calc.py": FILES["calc.py"] + "\nX = 1\n", "test_flaky.py": flaky})
    assert report.findings == ()
    assert report.flaky == ("test_flaky.py::test_now_and_then",)


def test_what_happened_on_the_base_branch_since_is_not_the_pull_requests_doing(reviewed: Reviewed) -> None:
    more = {"test_more.py": "from calc import total\n\n\ndef test_one():\n    assert total([1]) == 1\n"}
    report = reviewed({"notes.md": "other words\n"}, more, later={"calc.py": WRONG, "notes.md": "still other words\n"})
    assert report.ending == "untouched"


def test_the_settings_are_those_of_the_base_and_never_of_the_head(reviewed: Reviewed) -> None:
    ignore = "[bot]\nignore = ['*']\n"
    assert reviewed({".swesearch.toml": ignore, "test_calc.py": FILES["test_calc.py"] + "\n"}).ending == "clean"


def test_the_base_may_leave_paths_out(reviewed: Reviewed) -> None:
    assert reviewed({"calc.py": WRONG}, {".swesearch.toml": "[bot]\nignore = ['test_*']\n"}).ending == "untouched"


@pytest.mark.parametrize("name", ["no-such-branch", "--upload-pack=touch x", "HEAD:calc.py", "a b", ""])
def test_a_name_that_is_no_commit_is_refused_in_one_line(repo: Repo, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"commit"):
        review(Request(repo(FILES), "main", name, tmp_path / "home", flags=FLAGS), lambda _: None, threading.Event())


def test_hooks_and_filters_of_the_repository_are_not_run(reviewed: Reviewed, tmp_path: Path, repo: Repo) -> None:
    mark = tmp_path / "ran"
    folder = repo({**FILES, ".gitattributes": "*.py filter=evil\n"}, "evil")
    git(folder, "config", "filter.evil.smudge", f"touch {mark}; cat")
    (folder / ".git" / "hooks" / "post-checkout").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (folder / ".git" / "hooks" / "post-checkout").chmod(0o755)
    head = commit(folder, {"notes.md": "x\n"})
    mark.unlink(missing_ok=True)
    found = review(Request(folder, "HEAD~1", head, tmp_path / "home", flags=FLAGS), lambda _: None, threading.Event())
    assert found.ending == "untouched"
    assert not mark.exists()


@pytest.mark.slow
def test_whatever_tests_are_called_and_say_the_report_can_be_read(reviewed: Reviewed) -> None:
    names = ["x" * 900, "\x1b[2J", "`@octocat`", "ü"]
    odd = (
        f"import pytest\n\n\n@pytest.mark.parametrize('value', [0] * 4, ids={names!r})\n"
        "def test_odd(value):\n    raise ValueError('\\ud800 \\x00 ' + '`' * 5000)\n"
    )
    report = reviewed({"test_odd.py": odd})
    (finding,) = report.findings
    assert from_json(to_json(report)) == report
    assert len(finding.tests) + finding.others == 4


@pytest.mark.slow
def test_the_command_writes_report_and_sarif_and_fails_only_where_it_is_asked_to(repo: Repo, tmp_path: Path) -> None:
    folder = repo(FILES)
    commit(folder, {"calc.py": WRONG})
    outputs = ("--report", str(tmp_path / "report.json"), "--sarif", str(tmp_path / "out.sarif"))
    options = [word for key, value in TOLD_ONLY.items() for word in ("-c", f"{key}={value}")]
    command = ["review", str(folder), "--base", "HEAD~1", *outputs, *options, "--home", str(tmp_path / "home")]
    done = CliRunner().invoke(app, [*command, "--fail-on", "finding"])
    assert done.exit_code == 1
    assert "$ python -m pytest -q test_calc.py::test_total" in done.stdout
    assert from_json((tmp_path / "report.json").read_bytes()).ending == "findings"
    assert "test_total" in (tmp_path / "out.sarif").read_text()
    refused = CliRunner().invoke(app, [*command, "--fail-on", "anything"]).exception
    assert isinstance(refused, UsageError)
