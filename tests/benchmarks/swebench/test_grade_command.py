from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.swebench.data import load
from benchmarks.swebench.kill_tests import World, world

MISFIT = "diff --git a/most.py b/most.py\n--- a/most.py\n+++ b/most.py\n@@ -1,2 +1,2 @@\n def least(a, b):\n-    return 1\n+    return 2\n"
pytestmark = [pytest.mark.docker, pytest.mark.slow]


def grade(made: World, preds: Path, output: Path) -> subprocess.CompletedProcess[str]:
    words = [
        sys.executable,
        "-m",
        "benchmarks.cli",
        "grade",
        "--preds",
        str(preds),
        "--subset",
        str(made.rows),
        "-o",
        str(output),
        "-w",
        "2",
    ]
    words += ["--repos", str(made.folder / "mirrors"), "--no-pull"]
    return subprocess.run(words, env=made.environ, capture_output=True, text=True, check=False, timeout=300, stdin=subprocess.DEVNULL)


def test_predictions_of_others_are_graded_once_and_one_that_does_not_apply_keeps_no_other_from_it(tmp_path: Path) -> None:
    with world(tmp_path) as made:
        right, misfit, empty = load(str(made.rows))[:3]
        patches = {right.id: right.patch, misfit.id: MISFIT, empty.id: ""}
        rows = [{"instance_id": name, "model_name_or_path": "theirs", "model_patch": patch} for name, patch in patches.items()]
        (tmp_path / "preds.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        first = grade(made, tmp_path / "preds.jsonl", tmp_path / "out")
        assert first.returncode == 0, first.stderr
        again = grade(made, tmp_path / "preds.jsonl", tmp_path / "out")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert {row["id"]: row["status"] for row in report["instances"]} == {right.id: "resolved", misfit.id: "unapplied", empty.id: "empty"}
    assert "resolved 1 of 3: 33.3%" in first.stdout
    assert (again.returncode, again.stderr) == (0, "")  # nothing is done again
