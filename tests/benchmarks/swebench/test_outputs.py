from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.swebench.base import BenchError, Finalist, Grade, Outcome
from benchmarks.swebench.outputs import Result, Results, patch_id
from benchmarks.swebench.preds import read
from swesearch.base import Cost

CONFIG = {"model_name_or_path": "ours", "mode": "check"}
OUTCOME = Outcome("a", "Submitted", "diff\n", (Finalist("diff\n", True, 0.9),), Cost(4, 2.5, 10, 0.25), "run-1")
GRADE = Grade("a", "key", "resolved", (1, 1), (3, 4), "", 2.0, "log")


def opened(folder: Path, **config: str) -> Results:
    return Results.open(folder, CONFIG | config, ("mode",))


def test_what_is_kept_is_there_for_the_next_process(tmp_path: Path) -> None:
    with opened(tmp_path) as results:
        results.update("a", outcome=OUTCOME)
        results.update("a", grades={patch_id("diff\n"): GRADE})
    (known,) = Results.read(tmp_path)
    assert known == Result("a", OUTCOME, {patch_id("diff\n"): GRADE})
    assert known.grade == GRADE
    assert read(tmp_path / "preds.json")["a"].patch == "diff\n"


def test_an_error_is_no_prediction(tmp_path: Path) -> None:
    with opened(tmp_path) as results:
        results.update("a", error="SandboxUnavailable: no engine")
        assert read(tmp_path / "preds.json") == {}
        assert (tmp_path / "exit_statuses.yaml").read_text() == 'instances_by_exit_status:\n  "InfrastructureError":\n  - "a"\n'
        results.update("a", outcome=OUTCOME, error="")
    assert list(read(tmp_path / "preds.json")) == ["a"]
    assert '"Submitted":\n  - "a"\n' in (tmp_path / "exit_statuses.yaml").read_text()


def test_a_grading_that_could_not_be_done_is_no_verdict(tmp_path: Path) -> None:
    with opened(tmp_path) as results:
        results.update("a", outcome=OUTCOME, grades={patch_id("diff\n"): Grade("a", "key", "error", why="engine died")})
        assert results["a"].grade is None


def test_an_instance_that_was_only_begun_is_found_by_its_runs(tmp_path: Path) -> None:
    with opened(tmp_path) as results:
        results.update("a", outcome=OUTCOME)
        (results.home("b") / "runs").mkdir(parents=True)
        assert results.homes() == [results.home("b")]  # nothing was paid where there are no runs


def test_there_is_one_writer(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(BenchError, match="another process writes to"):
        opened(tmp_path)
    opened(tmp_path).close()


def test_a_writer_that_is_killed_leaves_no_lock(tmp_path: Path) -> None:
    code = f"""
import os, pathlib
from benchmarks.swebench.outputs import Results
Results.open(pathlib.Path({str(tmp_path)!r}), {CONFIG!r}, ("mode",))
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    opened(tmp_path).close()


def test_results_made_otherwise_are_not_mixed(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with pytest.raises(BenchError, match="mode was 'check' and is now 'issue'"):
        opened(tmp_path, mode="issue")
    opened(tmp_path, model_name_or_path="another").close()


def test_predictions_of_others_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "preds.json").write_text(json.dumps({"z": {"model_patch": "theirs"}}))
    with pytest.raises(BenchError, match="that were not made here"):
        opened(tmp_path)
    assert "theirs" in (tmp_path / "preds.json").read_text()


def test_what_is_forgotten_is_gone_with_its_journal(tmp_path: Path) -> None:
    with opened(tmp_path) as results:
        results.update("a", outcome=OUTCOME)
        (results.home("a") / "runs").mkdir()
        results.forget("a")
        assert results["a"] == Result("a")
        assert not results.home("a").exists()
    assert read(tmp_path / "preds.json") == {}


@pytest.mark.parametrize("damage", ["{", '{"instance": "a"}'])
def test_a_damaged_result_is_told_by_its_name(tmp_path: Path, damage: str) -> None:
    with opened(tmp_path) as results:
        results.update("a", outcome=OUTCOME)
    (tmp_path / "a" / "result.json").write_text(damage)
    with pytest.raises(BenchError, match=r"a/result\.json"):
        opened(tmp_path)


def test_a_folder_without_results_is_told(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="holds no results"):
        Results.read(tmp_path)
