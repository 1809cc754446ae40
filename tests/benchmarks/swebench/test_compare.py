from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.swebench.base import BenchError, Grade, Outcome
from benchmarks.swebench.compare import compare
from benchmarks.swebench.outputs import Results, patch_id
from benchmarks.swebench.stats import mcnemar, spread, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "interval"),
    [(0, 0, (0, 1)), (0, 10, (0, 0.2775)), (10, 10, (0.7225, 1)), (5, 10, (0.2366, 0.7634)), (81, 263, (0.2553, 0.3662))],
)  # 81 of 263: Newcombe 1998, Statistics in Medicine 17, table I
def test_the_interval_is_wilsons(successes: int, trials: int, interval: tuple[float, float]) -> None:
    assert wilson(successes, trials) == pytest.approx(interval, abs=5e-5)


@pytest.mark.parametrize(("first", "second", "p"), [(0, 0, 1.0), (5, 5, 1.0), (0, 6, 0.03125), (10, 2, 0.03857), (1, 9, 0.02148)])
def test_mcnemar_is_the_exact_binomial_test(first: int, second: int, p: float) -> None:
    assert mcnemar(first, second) == mcnemar(second, first) == pytest.approx(p, abs=1e-5)


def test_mcnemar_takes_large_numbers() -> None:
    assert 0 < mcnemar(900, 1100) < 1e-4


def test_one_value_has_no_spread() -> None:
    assert spread([0.5]) == (0.5, 0.0)
    assert spread([0.4, 0.6]) == pytest.approx((0.5, 0.1414), abs=1e-4)


def evaluation(folder: Path, verdicts: dict[str, str]) -> Path:
    with Results.open(folder, {"model_name_or_path": "m"}, ()) as results:
        for name, status in verdicts.items():
            grades = {patch_id("p"): Grade(name, "k", status)}  # type: ignore[arg-type]
            results.update(name, outcome=Outcome(name, "Submitted", "p"), grades=grades)
    return folder


def test_evaluations_are_paired_by_instance(tmp_path: Path) -> None:
    a = evaluation(tmp_path / "a", {"1": "resolved", "2": "resolved", "3": "unresolved", "4": "unapplied", "5": "error", "6": "resolved"})
    b = evaluation(tmp_path / "b", {"1": "resolved", "2": "unresolved", "3": "resolved", "4": "empty", "5": "resolved"})
    found = compare(a, b)
    assert (found.both, found.neither, found.only_first, found.only_second) == (("1",), ("4",), ("2",), ("3",))
    assert found.left_out == ("5", "6")
    assert found.p == 1.0
    text = "\n".join(found.rows())
    assert "2 of 4 resolved, 50.0% (15.0% to 85.0%)" in text
    assert "only A: 1\n  2" in text
    assert "only B: 1\n  3" in text
    assert "p = 1, so chance alone may explain" in text
    assert found.to_dict()["paired"] == 4


def test_evaluations_with_nothing_in_common_are_an_error(tmp_path: Path) -> None:
    a, b = evaluation(tmp_path / "a", {"1": "resolved"}), evaluation(tmp_path / "b", {"2": "resolved"})
    with pytest.raises(BenchError, match="no graded instance in common"):
        compare(a, b)
