"""The whole tool from the command line, in real sandboxes: what it says, what it exits with, what it leaves alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Repo = Callable[..., Path]

BUGGY = {
    "calc.py": "def total(items):\n    result = 0\n    for item in items:\n        result -= item\n    return result\n",
    "test_calc.py": (
        "from calc import total\n\n\n"
        "def test_total():\n    assert total([1, 2, 3]) == 6\n\n\n"
        "def test_nothing():\n    assert total([]) == 0\n"
    ),
}
CHECK = ("--check", "pytest -q test_calc.py::test_total", "--patience", "3")
LOCAL = ("--sandbox", "local", "--python", sys.executable)
SLOW = {**BUGGY, "calc.py": "import time\n\n\n" + BUGGY["calc.py"].replace("    return", "    time.sleep(0.2)\n    return")}
HOPELESS = {
    "calc.py": "def answer():\n    return 'what'\n",
    "test_calc.py": "from calc import answer\n\n\ndef test_total():\n    assert sorted(answer()) == [73, 91, 1009]\n",
}


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a working copy, git's own included."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def events(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(row) for row in done.stdout.splitlines()]


@pytest.mark.slow
def test_a_fix_is_found_shown_and_applied_only_when_asked(swesearch: Command, repo: Repo) -> None:
    folder = repo(BUGGY, "répo with spaces")
    before = snapshot(folder)
    done = swesearch("fix", *CHECK, *LOCAL, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "+        result += item" in done.stdout
    assert "passes now:  test_calc.py::test_total" in done.stdout
    assert "no isolation" in done.stderr
    assert snapshot(folder) == before
    assert "found a fix" in swesearch("runs").stdout
    shown = swesearch("show", "last").stdout
    assert "solved" in shown
    assert "+        result += item" in shown
    assert swesearch("apply", "last").stdout == "changed calc.py\n"
    assert "result += item" in (folder / "calc.py").read_text()
    again = swesearch("fix", *CHECK, *LOCAL, cwd=folder)
    assert again.returncode == 7
    assert "error: " in again.stderr


@pytest.mark.docker
@pytest.mark.slow
def test_a_fix_is_found_in_docker_with_json_events_and_nothing_else_on_stdout(swesearch: Command, repo: Repo) -> None:
    folder = repo(BUGGY)
    done = swesearch("fix", str(folder), *CHECK, "--sandbox", "docker", "--json", "--apply")
    assert done.returncode == 0, done.stderr
    seen = events(done)
    assert {"started", "sandbox", "phase", "node", "progress", "solution", "stopped"} <= {str(event["event"]) for event in seen}
    assert seen[-1]["event"] == "stopped"
    assert seen[-1]["exit_code"] == 0
    assert "result += item" in (folder / "calc.py").read_text()


@pytest.mark.slow
def test_without_a_fix_the_exit_code_is_1_or_3_where_the_budget_ended(swesearch: Command, repo: Repo) -> None:
    folder = repo(HOPELESS)
    done = swesearch("fix", str(folder), *CHECK, *LOCAL, "--budget", "2")
    assert done.returncode == 3, done.stderr
    assert "resume" in done.stdout
    done = swesearch("resume", "last", "--budget", "5000")
    assert done.returncode == 1, done.stderr
    assert "no fix was verified" in done.stdout


@pytest.mark.parametrize("check", ["pytest -q test_calc.py", "pytest -q test_calc.py::test_total"])
def test_a_check_that_cannot_run_is_exit_code_4_and_says_what_is_missing(swesearch: Command, repo: Repo, check: str) -> None:
    folder = repo({"test_calc.py": "import not_there_at_all\n\n\ndef test_total():\n    assert not_there_at_all.x\n"})
    done = swesearch("fix", str(folder), "--check", check, *LOCAL)
    assert done.returncode == 4
    assert "not_there_at_all" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_sandbox_that_is_not_there_is_exit_code_4(swesearch: Command, repo: Repo) -> None:
    done = swesearch("fix", str(repo(BUGGY)), *CHECK, "--sandbox", "docker", DOCKER_HOST="unix:///nonexistent.sock")
    assert done.returncode == 4
    assert "error: no Docker engine answers" in done.stderr


def test_a_folder_without_git_is_exit_code_2_and_says_what_to_do(swesearch: Command, tmp_path: Path) -> None:
    done = swesearch("fix", str(tmp_path), *CHECK, *LOCAL)
    assert done.returncode == 2
    assert "git init" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_two_runs_at_once_on_one_repository_do_not_disturb_each_other(repo: Repo, home: Path) -> None:
    folder = repo(BUGGY)
    both = [start(folder, home) for _ in range(2)]
    said = [process.communicate(timeout=200) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert (folder / "calc.py").read_text() == BUGGY["calc.py"]


def start(folder: Path, home: Path, *more: str) -> subprocess.Popen[str]:
    """`swesearch fix --json` in the background, with its own process group."""
    command = [sys.executable, "-m", "swesearch", "fix", str(folder), *CHECK, *LOCAL, "--json", *more]
    environ = {**os.environ, "SWESEARCH_HOME": str(home)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ, start_new_session=True)


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_the_run_can_be_resumed(swesearch: Command, repo: Repo, home: Path) -> None:
    folder = repo(SLOW)
    process = start(folder, home, "--strategy", "random", "--workers", "1")
    assert process.stdout is not None
    for row in process.stdout:
        if json.loads(row).get("parent") is not None:
            break
    process.send_signal(signal.SIGINT)
    rest, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert json.loads(rest.splitlines()[-1])["why"] == "interrupted"
    assert "stopping" in said
    assert (folder / "calc.py").read_text() == SLOW["calc.py"]
    done = swesearch("resume", "last", "--json", "--budget", "3")
    assert done.returncode in (0, 3), done.stderr
    assert [event["resumed"] for event in events(done) if event["event"] == "started"] == [True]
    assert 0 not in [event["id"] for event in events(done) if event["event"] == "node"]  # what is known is not found out again


@pytest.mark.slow
def test_after_kill_9_a_run_goes_on_with_all_that_was_known(swesearch: Command, repo: Repo, home: Path) -> None:
    known: list[int] = []
    with start(repo(SLOW), home, "--workers", "1") as process:
        assert process.stdout is not None
        while len(known) < 3:
            event = json.loads(process.stdout.readline())
            known += [event["id"]] if event["event"] == "node" else []
        process.kill()
    done = swesearch("resume", "last", "--json")
    assert done.returncode == 0, done.stderr
    found_out = [event["id"] for event in events(done) if event["event"] == "node"]
    assert found_out
    assert not set(known) & set(found_out)


@pytest.mark.slow
def test_a_second_ctrl_c_ends_at_once(repo: Repo, home: Path) -> None:
    with start(repo(SLOW), home) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 130


@pytest.mark.slow
def test_a_terminal_in_the_output_of_a_test_stays_a_text(swesearch: Command, repo: Repo) -> None:
    folder = repo({**BUGGY, "test_calc.py": BUGGY["test_calc.py"].replace("== 6", "== 6, '\\x1b[2J\\x07'")})
    done = swesearch("fix", str(folder), *CHECK, *LOCAL, "-v")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
