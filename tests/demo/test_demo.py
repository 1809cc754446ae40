"""The demo: real bugs of published projects, repaired by the real search in Docker, and judged by tests that it never saw."""

import os
import re
from pathlib import Path

import pytest

from benchmarks import demo, sdists
from swesearch import runs
from swesearch.base import State
from swesearch.cli.running import Output

BUGS = demo.bugs()


@pytest.fixture(scope="session")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("archives")


def published(bug: demo.Bug, folder: Path, archives: Path) -> Path:
    """The bug's project as a repository. Without a network the test is skipped, saying so; in CI that is a failure."""
    try:
        return demo.check_out(bug, folder, archives)
    except sdists.Unavailable as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(error))


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_is_described_completely(bug: demo.Bug) -> None:
    assert re.fullmatch(r"[0-9a-f]{64}", bug.sha256)
    assert bug.version in bug.file
    assert len(bug.what.strip().splitlines()) == 2
    assert bug.fixed_in != bug.version
    assert "://" not in bug.what + bug.reference
    assert [test.name for test in bug.tests] == [bug.check.split()[-1]]
    assert (bug.folder / "held_out.py").is_file()
    assert bug.evaluations <= 500


def test_there_are_at_least_five_bugs_and_the_default_is_one_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main(["--list"]) == 0
    told = capsys.readouterr().out
    assert len(BUGS) >= 5
    assert all(f"{bug.name}" in told for bug in BUGS)
    assert f"{demo.QUICKEST} (default)" in told


def test_a_name_that_is_no_bug_is_refused_with_the_names_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        demo.main(["no-such-bug"])
    assert stopped.value.code == 2
    assert demo.QUICKEST in capsys.readouterr().err


def test_offline_the_demo_says_so_in_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("SWESEARCH_HOME", str(tmp_path))
    assert demo.main([]) == 4
    assert re.fullmatch(r"error: .*network.*\n", capsys.readouterr().err)


@pytest.mark.docker
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_bug_is_fixed_within_its_evaluations_and_the_fix_holds(bug: demo.Bug, tmp_path: Path, archives: Path) -> None:
    repo = published(bug, tmp_path / "source", archives)
    found = demo.repair(bug, repo, tmp_path / "home", "docker", Output(quiet=True))
    assert found.exit_code == 0
    assert found.solution.cost.evaluations <= bug.evaluations
    assert found.agrees

    (known,) = runs.list_runs(tmp_path / "home")
    run = runs.open_run(tmp_path / "home", known.id)
    root = next(State(event.data["root"]) for event in run.events() if event.kind == "started")
    assert not demo.held_out_agrees(bug, run, root, "docker"), "the held-out tests say nothing: they pass on the published code"
