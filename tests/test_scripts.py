"""The scripts that people and CI run, where no set-up is needed to see what they do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = [*sorted((ROOT / "scripts").iterdir()), ROOT / ".ci" / "run"]
A_DOCKER_TEST = "tests/cli/test_fix.py::test_a_fix_is_found_in_docker_with_json_events_and_nothing_else_on_stdout"


def run(*command: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=120
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_valid_bash_and_can_be_run(script: Path) -> None:
    assert run("bash", "-n", script).stderr == ""
    assert os.access(script, os.X_OK) or script.name == "lib.sh"


@pytest.mark.parametrize(("python", "said"), [("/bin/false", "is not Python 3.11 or newer"), ("", "no Python 3.11 or newer found")])
def test_without_a_new_enough_python_there_is_one_clear_error(python: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "dirname").symlink_to("/usr/bin/dirname")
    done = run("/bin/bash", "-c", ". scripts/lib.sh; choose_python", PYTHON=python, PATH=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert said in done.stderr


def test_the_python_that_is_named_is_taken() -> None:
    assert run("bash", "-c", ". scripts/lib.sh; choose_python", PYTHON=sys.executable).stdout == f"{sys.executable}\n"


def test_bench_lists_what_it_can_run_and_refuses_the_rest() -> None:
    listed = run("scripts/bench")
    assert listed.returncode == 2
    assert "engine" in listed.stdout.split()
    refused = run("scripts/bench", "nothing")
    assert refused.returncode == 1
    assert "there is no benchmark 'nothing'" in refused.stderr


@pytest.mark.parametrize(("ci", "outcome", "code"), [("", "1 skipped", 0), ("true", "1 error", 1)])
def test_without_docker_its_tests_are_skipped_with_the_reason_and_fail_in_ci(ci: str, outcome: str, code: int) -> None:
    done = run(sys.executable, "-m", "pytest", A_DOCKER_TEST, CI=ci, DOCKER_HOST="unix:///nonexistent.sock")
    assert outcome in done.stdout.splitlines()[-1]
    assert "no Docker engine answers" in done.stdout
    assert done.returncode == code


def test_who_only_watches_the_demo_installs_nothing_of_the_tests_and_nothing_twice_and_all_by_its_hash(tmp_path: Path) -> None:
    fake, log = tmp_path / "bin" / "python", tmp_path / "log"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\ncase "$*" in *"uv pip install"*) echo "$@" >>"{log}" ;; esac\n')
    fake.chmod(0o755)

    def installed(*calls: str) -> list[str]:
        log.write_text("")
        run("bash", "-c", f'. scripts/lib.sh; VENV="{tmp_path}"; PY="{fake}"; PYTHON="{sys.executable}"; {"; ".join(calls)}')
        locked = [line for line in log.read_text().splitlines() if " -e " not in line]
        assert all("--require-hashes --no-deps" in line for line in locked)
        return [Path(line.split()[-1]).name for line in locked]

    assert installed("setup_venv", "setup_venv") == ["core.txt"]
    assert installed("setup_venv dev", "setup_venv dev", "setup_venv") == ["dev.txt"]
