from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from benchmarks.swebench.preds import read

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Two instances on two nodes, of which one died with its disk."""
    folder = tmp_path_factory.mktemp("ray")
    environ = {**os.environ, "SWESEARCH_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT), "RAY_USAGE_STATS_ENABLED": "0"}
    words = [sys.executable, "-W", "ignore", "-m", "tests.benchmarks.swebench.ray_drive", str(folder)]
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout.splitlines()[-1])


def test_an_evaluation_survives_the_death_of_a_node(evaluated: tuple[Path, dict[str, Any]]) -> None:
    folder, told = evaluated
    assert told["code"] == 0
    assert "2/2: 2 resolved" in told["told"]
    assert list(read(folder / "out" / "preds.json")) == ["right-1", "right-2"]


def test_the_driver_keeps_the_journals_of_all_nodes(evaluated: tuple[Path, dict[str, Any]]) -> None:
    _, told = evaluated
    assert told["counted"] == {name: [None, *range(1, 12)] for name in ("right-1", "right-2")}  # the first event tells of the task


def test_another_node_goes_on_from_the_journal_and_does_again_at_most_what_was_not_sent_yet(evaluated: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = evaluated
    rows = [row.split() for row in (folder / "notes").read_text().splitlines()]
    again = Counter((name, number) for name, number, _ in rows)
    assert max(len({worker for name, _, worker in rows if name == instance}) for instance in ("right-1", "right-2")) == 2
    assert sum(times - 1 for times in again.values()) <= 6  # a letter a second, a number each 0.4 seconds, and a busy machine


def test_nothing_is_graded_twice(evaluated: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = evaluated
    assert set(Counter((folder / "graded").read_text().splitlines()).values()) == {1}
