from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from swesearch.base import Check, Event, Task
from swesearch.runs import Run, begin
from swesearch.settings import KEYS, Settings

Command = Callable[..., "subprocess.CompletedProcess[str]"]
Repo = Callable[..., Path]


def one_error_line(done: subprocess.CompletedProcess[str]) -> str:
    """What was said, where it is one line `error: ...` and nothing else."""
    assert done.stdout == ""
    assert re.fullmatch(r"error: [^\n]+\n", done.stderr)
    return done.stderr.removeprefix("error: ").strip()


def test_help_is_quick() -> None:
    assert min(seconds_of_cpu("--help") for _ in range(5)) < 0.3  # the best of five: other work on the processors slows down each


def seconds_of_cpu(*arguments: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "swesearch", *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_loads_nothing_but_the_command_line() -> None:
    shown = "import sys\nfrom swesearch.cli import main\ntry: main()\nexcept SystemExit: print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", shown, "fix", "--help"], check=True, capture_output=True, text=True)
    ours = {name for name in done.stderr.split() if name.startswith(("swesearch.", "sandbox.", "anthropic", "openai"))}
    signatures = {
        "swesearch.cli",
        *(f"swesearch.cli.{name}" for name in ("app", "bot", "github", "steer", "telling", "view")),
    }  # of commands, no more
    assert ours == {"swesearch.base", "sandbox.base", *signatures}


@pytest.mark.parametrize("arguments", [("--help",), ("fix", "--help"), ("resume", "-h")])
def test_help_names_every_exit_code(swesearch: Command, arguments: tuple[str, ...]) -> None:
    text = swesearch(*arguments).stdout
    codes = text[text.index("Exit codes:") :]
    assert {int(code) for code in re.findall(r"\b\d+\b", codes)} == {0, 1, 2, 3, 4, 5, 6, 7, 130}


def test_without_arguments_it_shows_its_help(swesearch: Command) -> None:
    done = swesearch()
    assert "Commands:" in done.stdout + done.stderr


def test_it_knows_its_version(swesearch: Command) -> None:
    from swesearch import __version__

    assert swesearch("--version").stdout == f"swesearch {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("fix", "/nonexistent", "--check", "pytest"), "/nonexistent: no such folder"),
        (("fix", "."), "no check: say what fails because of the bug"),
        (("fix", ".", "--check", "pytest", "--budget", "much"), "--budget: 'much' is none of 200"),
        (("fix", ".", "--check", "pytest", "--strategy", "bean"), "command line: search.strategy must be one of"),
        (("fix", ".", "--check", "pytest", "--workers", "few"), "command line: search.workers must be a whole number"),
        (("fix", ".", "--check", "pytest", "--preset", "bset"), "unknown preset 'bset'"),
        (("fix", ".", "--check", "pytest", "-c", "serch.depth=2"), "-c: unknown key 'serch.depth'; did you mean 'search.depth'?"),
        (("fix", ".", "--check", "pytest", "-c", "missing.toml"), "missing.toml: no such file"),
        (("fix", ".", "--check", "pytest", "--issue", "@missing"), "--issue @missing: No such file or directory"),
        (("show", "nothing"), "there is no run 'nothing'"),
        (("resume", "nothing"), "there is no run 'nothing'"),
        (("apply", "nothing"), "there is no run 'nothing'"),
        (("config", "/nonexistent"), "/nonexistent: no such folder"),
    ],
)
def test_a_wrong_request_is_one_line_and_exit_code_2(swesearch: Command, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = swesearch(*arguments, cwd=tmp_path)
    assert said in one_error_line(done)
    assert done.returncode == 2


def test_an_unknown_option_is_exit_code_2(swesearch: Command) -> None:
    done = swesearch("fix", "--chek", "pytest")
    assert done.returncode == 2
    assert "--check" in done.stderr


def test_debug_shows_where_an_error_came_from(swesearch: Command) -> None:
    done = swesearch("fix", "/nonexistent", "--debug")
    assert "Traceback" in done.stderr
    assert done.returncode == 1


def test_a_home_that_cannot_be_written_is_one_line_that_says_what_to_do(swesearch: Command, repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = swesearch("fix", str(repo({"a.py": ""})), "--check", "pytest", SWESEARCH_HOME=str(tmp_path / "file" / "home"))
    assert "choose another place with --home or SWESEARCH_HOME" in one_error_line(done)
    assert done.returncode == 2


def test_config_shows_every_setting_and_where_it_was_set(swesearch: Command, tmp_path: Path) -> None:
    (tmp_path / ".swesearch.toml").write_text("[task]\nchecks = 'pytest -q'\n")
    done = swesearch("config", "--preset", "quick", "-c", "search.seed=3", cwd=tmp_path, SWESEARCH_SANDBOX_CPUS="2")
    rows = dict(row.split(" = ", 1) for row in done.stdout.splitlines())
    assert set(rows) == set(KEYS)
    assert re.fullmatch(rf"\['pytest -q'\] .*\[{re.escape(str(tmp_path))}/.swesearch.toml\]", rows["task.checks"])
    assert re.fullmatch(r"3 .*\[-c\]", rows["search.seed"])
    assert re.fullmatch(r"2.0 .*\[\$SWESEARCH_SANDBOX_CPUS\]", rows["sandbox.cpus"])
    assert re.fullmatch(r"100 .*\[--preset quick\]", rows["budget.evaluations"])
    assert rows["search.depth"].endswith("[default]")


def test_doctor_says_what_is_there_and_does_not_write_anything(swesearch: Command, home: Path) -> None:
    done = swesearch("doctor")
    found = {row.split()[1]: row.split()[0] for row in done.stdout.splitlines() if row.startswith(("ok ", "missing "))}
    assert set(found) == {"python", "git", "uv", "home", "docker", "bubblewrap", "github"}
    assert {found["python"], found["git"], found["uv"], found["home"]} == {"ok"}
    assert done.returncode == (0 if "ok" in (found["docker"], found["bubblewrap"]) else 4)
    assert not home.exists()


def test_doctor_says_how_to_get_what_is_missing(swesearch: Command, tmp_path: Path) -> None:
    done = swesearch("doctor", PATH=str(tmp_path), DOCKER_HOST="unix:///nonexistent.sock", SWESEARCH_HOME="/dev/null/home")
    assert done.returncode == 4
    for hint in ("install git", "--home or SWESEARCH_HOME", "apt install docker.io", "apt install bubblewrap", "--sandbox local"):
        assert hint in done.stdout


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    made = begin(Task(tmp_path / "a \x1b[31m repo", (Check(("pytest", "-q")),)), Settings(), home)
    journal = made.journal()
    node = {"tree": "t", "prior": 1.0, "solved": False, "seconds": 0.1, "terms": [{"name": "parses", "score": 1.0, "feedback": ""}]}
    journal.append(Event("node", {"id": 0, "parent": None, "why": "", "value": 0.25, **node}))
    journal.append(Event("node", {"id": 1, "parent": 0, "why": "a.py:1 \x1b[2J", "value": 0.75, **node}))
    journal.close()
    return made


def test_runs_lists_the_runs(swesearch: Command, run: Run) -> None:
    head, row = swesearch("runs").stdout.splitlines()
    assert head.split() == ["RUN", "STARTED", "EVALUATIONS", "BEST", "STATE"]
    assert row.startswith(run.id)
    assert "\\x1b[31m" in row
    assert "0.75  unfinished" in row


def test_runs_says_that_there_are_none(swesearch: Command, home: Path) -> None:
    done = swesearch("runs")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"no runs in {home}\n")


@pytest.mark.parametrize("name", [slice(None), slice(0, -2)])
def test_show_prints_the_tree_of_a_run_named_by_its_beginning(swesearch: Command, run: Run, name: slice) -> None:
    rows = swesearch("show", run.id[name]).stdout.splitlines()
    assert rows[0] == f"run   {run.id}"
    assert rows[-2:] == ["* 0.25  n0    the code as it is", "* 0.75  n1      a.py:1 \\x1b[2J"]


def test_nothing_of_a_repository_reaches_the_terminal_raw(swesearch: Command, run: Run) -> None:
    for arguments in (("runs",), ("show", run.id)):
        assert "\x1b" not in swesearch(*arguments, FORCE_COLOR="").stdout


def test_json_is_not_mixed_with_errors(swesearch: Command, tmp_path: Path) -> None:
    done = swesearch("fix", str(tmp_path / "missing"), "--check", "pytest", "--json")
    assert [json.loads(row) for row in done.stdout.splitlines()] == []
    assert done.stderr.startswith("error: ")
