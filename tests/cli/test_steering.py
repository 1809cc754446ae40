"""Steering, looking and exporting from the command line: real processes, one that searches and others that talk to it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from swesearch.cli import main
from swesearch.runs import Run
from tests.solve.project import HOPELESS

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Repo = Callable[..., Path]


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """The same command line in this process: quicker, for commands that start nothing but git."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["swesearch", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capfd.readouterr()
        return subprocess.CompletedProcess(arguments, int(end.value.code or 0), out, err)

    return run


def until(condition: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_search_is_steered_from_another_terminal(swesearch: Command, repo: Repo, home: Path, tmp_path: Path) -> None:
    seen = tmp_path / "events"
    command = (
        "fix",
        str(repo(HOPELESS)),
        "--check",
        "pytest -q tests/test_core.py",
        "--sandbox",
        "local",
        "--python",
        sys.executable,
        "--workers",
        "1",
    )
    with seen.open("wb") as out:
        search = subprocess.Popen(
            [sys.executable, "-m", "swesearch", *command, "--json", "--home", str(home)],
            stdout=out,
            stderr=subprocess.PIPE,
            env=dict(os.environ),
        )

    def events(kind: str) -> list[dict[str, object]]:
        return [
            event for row in seen.read_text().splitlines() if row.endswith("}") for event in [json.loads(row)] if event["event"] == kind
        ]

    try:
        until(lambda: len(events("node")) > 2, "a state that is evaluated")
        assert swesearch("pause", "last").stdout.startswith("paused: ")
        paused = len(events("node")) + 1  # one may be under way
        assert swesearch("hint", "last", "n0", "look at `mean`").stdout.startswith("heard: ")
        assert swesearch("add", "last", "--budget", "30,$1").stdout == "30 evaluations more, $1 more\n"
        assert swesearch("prune", "last", "0").returncode == 2
        assert swesearch("pick", "last", "A").returncode == 2
        assert len(events("node")) <= paused
        assert swesearch("continue", "last").stdout == "it goes on\n"
        until(lambda: len(events("node")) > paused, "that it goes on")
        assert swesearch("stop", "last").stdout.startswith("stopping: ")
        assert search.wait(30) == 130
    finally:
        search.kill()
        search.communicate()
    assert [event["order"] for event in events("steered")] == ["pause", "hint", "add", "continue", "stop"]
    shown = swesearch("show", "last").stdout
    assert "hint n0: look at `mean` -- heard" in shown
    assert "add: 30 evaluations more" in shown
    again = swesearch("pause", "last")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "is not going on now: `swesearch resume" in again.stderr


def test_one_node_the_way_to_it_and_what_it_changed_are_shown(told: Command, finished: Run) -> None:
    home = ("--home", str(finished.folder.parent.parent))
    solved = next(event.data["id"] for event in finished.events("node") if event.data["solved"])

    one = told("show", "last", "--node", f"n{solved}", "--diff", *home).stdout
    way = told("show", "last", "--path", *home).stdout

    assert one.startswith(f"n{solved}  1.00  made every test pass\n")
    assert "+    if " in one
    assert "fixed:    tests/test_core.py::test_clamp_high" in one
    assert way.startswith("n0  ")
    assert "\ndiff" not in way
    assert "has no node n999" in told("show", "last", "--node", "999", *home).stderr
    assert f"  n{solved} " in told("show", "last", *home).stdout


def test_a_run_is_explained_in_words_and_in_markdown(told: Command, finished: Run) -> None:
    home = ("--home", str(finished.folder.parent.parent))
    words, markdown = told("explain", "last", *home).stdout, told("explain", "last", "--markdown", *home).stdout

    for title in ("What was wrong", "What was changed", "Why it is believed to be right", "What else was tried", "What it cost"):
        assert f"{title}\n  " in words
        assert f"## {title}\n\n- " in markdown
    assert "clamp lets too much through" in words
    assert markdown.endswith(f"```diff\n{finished.patch.read_text().rstrip()}\n```\n")


def test_git_reads_the_states_of_a_run_and_does_nothing_else(told: Command, finished: Run) -> None:
    name, home = finished.id, ("--home", str(finished.folder.parent.parent))

    shown = told("git", *home, name, "show", "--stat", "--format=%s", "A")
    missing = told("git", *home, name, "show", "n999")
    refused = told("git", *home, name, "push", "origin")

    assert (shown.returncode, "pkg/core.py | 2 +-" in shown.stdout) == (0, True)
    assert missing.returncode == 128
    assert (refused.returncode, refused.stderr.startswith("error: git push: only commands that read are passed on")) == (2, True)


def test_exports_are_written_where_they_are_wanted(told: Command, finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = ("--home", str(finished.folder.parent.parent))

    assert json.loads(told("export", "last", "-o", "-", *home).stdout)["run"] == finished.id
    monkeypatch.chdir(tmp_path)
    assert told("export", "last", "-f", "graphml", *home).returncode == 0
    assert (tmp_path / f"{finished.id}.graphml").read_text().startswith("<?xml")
    wrong = told("export", "last", "-f", "pdf", *home)
    assert (wrong.returncode, wrong.stderr) == (2, "error: --format pdf: choose one of json, graphml, traj, mini, otel, inspect\n")
    assert told("export", "last", "-f", "traj", "--endpoint", "http://localhost", *home).returncode == 2
    assert "cannot be written" in told("export", "last", "-o", str(tmp_path / "no" / "file"), *home).stderr


def test_a_run_is_forked(told: Command, stopped: Run) -> None:
    home = ("--home", str(stopped.folder.parent.parent))
    done = told("fork", stopped.id, "n0", "--hint", "core.py:4", "--budget", "1", "-c", "search.depth=1", "-q", *home)

    assert done.returncode == 3, done.stderr
    assert f": from n0 of {stopped.id}" in done.stderr
    assert f"from  n0 of {stopped.id}\nhint  core.py:4\n" in told("show", "last", *home).stdout
    assert told("fork", stopped.id, "n0", "-c", "search.depth", *home).returncode == 2


def test_another_result_is_picked(told: Command, finished: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(finished.folder, home / "runs" / finished.id)
    monkeypatch.setenv("SWESEARCH_HOME", str(home))

    assert told("pick", "last", "b").stdout.startswith("B is handed over from now on: ")
    assert "picked:      B: " in told("show", "last").stdout
    assert "is no result" in told("pick", "last", "?").stderr
