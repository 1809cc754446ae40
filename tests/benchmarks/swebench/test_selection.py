"""Ways of choosing among recorded patches are compared by what they choose; weights are tried where they were not fitted."""

from __future__ import annotations

import json
import sys

import pytest

from benchmarks.swebench.base import Place
from benchmarks.swebench.recorded import Recorded, load_truth
from benchmarks.swebench.search import search_one
from benchmarks.swebench.selection import case_of, main, resolved
from benchmarks.swebench.selection_fit import fit, held_out
from swesearch.settings import Settings
from tests.benchmarks.swebench.test_search import BUGGY, FILES, FIXED, WORSE, diff, instance_of

ROWS = [([{"x": 1.0, "y": float(n % 3)}, {"x": 0.0, "y": float(n % 2)}], [True, False]) for n in range(6)]


def test_weights_move_to_what_explains_the_right_candidates():
    found = fit(ROWS, {"x": 0.0, "y": 0.0})

    assert found["x"] > 0.5 > abs(found["y"])


def test_instances_that_tell_nothing_leave_the_weights_as_they_were_stated():
    assert fit([([{"x": 1.0}, {"x": 2.0}], [False, False]), ([{"x": 3.0}], [True])], {"x": 0.25}) == {"x": 0.25}


def test_an_instance_is_chosen_for_by_weights_that_have_not_seen_it():
    against = [([{"x": 1.0}, {"x": 0.0}], [False, True])]
    others = [([{"x": 1.0}, {"x": 0.0}], [True, False])] * 5

    assert held_out([*against, *others], {"x": 0.0})[0] == 0  # the others say so, and it is wrong
    assert fit([*against * 9, *others], {"x": 0.0})["x"] < 0


@pytest.fixture
def case(repo, tmp_path):
    """A case of three patches: one that breaks a test, one that is right, one of which nothing is known."""
    folder = repo(FILES)
    other = BUGGY.replace("return value", "return low")
    patches = {"worse": (diff(folder, {"pkg/core.py": WORSE}), False), "right": (diff(folder, {"pkg/core.py": FIXED}), True)}
    patches["unknown"] = (diff(folder, {"pkg/core.py": other}), None)
    rows = [{"source": source, "patch": patch, "resolved": right} for source, (patch, right) in patches.items()]
    path = tmp_path / "patches.jsonl"
    path.write_text(json.dumps({"instance_id": "tiny__tiny-1", "patches": rows}) + "\n")
    instance, settings = instance_of(folder), Settings().updated({"sandbox": {"kind": "local"}}, "test")
    recorded = [Recorded(row["source"], row["patch"]) for row in rows]
    search_one(instance, Place("", sys.executable, folder), "recorded", settings, tmp_path / "home", patches=recorded)
    return case_of(instance, tmp_path / "home" / instance.id, load_truth(path)[instance.id])


def test_a_finished_run_is_chosen_from_and_only_then_is_the_record_asked(case):
    assert (case.sources, case.right, case.unknown) == (("worse", "right"), (False, True), 1)

    found = resolved([case])

    assert found["random"] == 0.5
    assert found["first"] == 0
    assert found["discriminator"] == found["value"] == found["oracle"] == 1


def test_a_file_that_is_none_is_one_clear_error(tmp_path, capsys):
    (tmp_path / "rows.jsonl").write_text("{}\n")
    (tmp_path / "patches.jsonl").write_text("nonsense\n")

    code = main(["--data", str(tmp_path / "rows.jsonl"), "--patches", str(tmp_path / "patches.jsonl"), "--out", str(tmp_path / "out")])

    assert code == 2
    assert "patches.jsonl, line 1" in capsys.readouterr().err
