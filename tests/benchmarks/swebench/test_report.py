from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path

import pytest

from benchmarks.made_up import MadeUp
from benchmarks.swebench import report
from benchmarks.swebench.base import Finalist, Grade, Outcome, Status
from benchmarks.swebench.outputs import Results, patch_id
from benchmarks.swebench.report_plots import bins, budget_plot, calibration_plot, curve
from swesearch.base import Cost


def evaluation(folder: Path, rows: dict[str, tuple[str, dict[str, Status]]], **config: object) -> Results:
    """Instances with what was handed over, and their candidates with the verdicts on them."""
    results = Results.open(folder, {"model_name_or_path": "ours", "instances": [*rows, "never"], **config}, ())
    for name, (patch, verdicts) in rows.items():
        finalists = tuple(Finalist(each, True, 0.5) for each in verdicts if each)
        grades = {patch_id(each): Grade(name, each, status, (1, 1), (2, 3), "<b>why</b>", 10.0) for each, status in verdicts.items()}
        results.update(name, outcome=Outcome(name, "Submitted", patch, finalists, Cost(10, 60.0, 1000, 0.5)), grades=grades)
    results.close()
    return results


ROWS: dict[str, tuple[str, dict[str, Status]]] = {
    "chosen-right": ("r", {"r": "resolved", "w": "unresolved"}),
    "chosen-wrong": ("w", {"w": "unresolved", "r": "resolved"}),
    "none-right": ("w", {"w": "unresolved", "v": "unapplied"}),
    "held-back": ("", {"": "empty", "w": "unresolved"}),
}


def test_the_rate_counts_what_could_be_found_out(tmp_path: Path) -> None:
    results = evaluation(tmp_path, ROWS)
    with Results.open(tmp_path, results.config(), ()) as more:
        more.update("never", error="SandboxUnavailable: <engine>")
    found = report.summary(Results.read(tmp_path))
    assert found["rate"] == {
        "resolved": 1,
        "of": 4,
        "rate": 0.25,
        "low": pytest.approx(0.0456, abs=1e-4),
        "high": pytest.approx(0.6994, abs=1e-4),
    }
    assert (found["total_instances"], found["error_instances"], found["incomplete_instances"]) == (5, 1, 0)
    assert found["resolved_ids"] == ["chosen-right"]
    assert found["empty_patch_ids"] == ["held-back"]


def test_the_choice_is_judged_by_all_candidates(tmp_path: Path) -> None:
    found = report.summary(evaluation(tmp_path, ROWS))["selection"]
    assert found["oracle"] == {"1": 0.25, "2": 0.5}
    assert found["recall"] == 0.5
    assert found["false_accepts"] == 0.5


def test_a_choice_whose_other_candidates_are_not_graded_is_not_judged(tmp_path: Path) -> None:
    results = evaluation(tmp_path, {"a": ("r", {"r": "resolved"})})
    with Results.open(tmp_path, results.config(), ()) as more:
        more.update("a", outcome=Outcome("a", "Submitted", "r", (Finalist("r", True, 1.0), Finalist("w", True, 0.9))))
    assert report.summary(Results.read(tmp_path))["selection"]["recall"] is None


def test_cost_is_told_in_total_and_in_the_median(tmp_path: Path) -> None:
    cost = report.summary(evaluation(tmp_path, ROWS))["cost"]
    assert cost["dollars"] == {"total": 2.0, "median": 0.5}
    assert cost["tokens"]["total"] == 4000
    assert (cost["gradings"], cost["grading_seconds"]) == (8, 80.0)


def test_an_evaluation_that_has_not_begun_has_a_report(tmp_path: Path) -> None:
    evaluation(tmp_path, {})
    assert report.write(tmp_path)["rate"]["rate"] is None
    assert "nothing is graded yet" in (tmp_path / "report.html").read_text()


def test_the_page_stands_alone_and_escapes_what_others_wrote(tmp_path: Path) -> None:
    evaluation(tmp_path, ROWS, source="<script>alert(1)</script>")
    report.write(tmp_path)
    text = (tmp_path / "report.html").read_text()
    page = Page()
    page.feed(text)
    assert page.tags.isdisjoint({"script", "link", "img", "iframe"})
    assert page.addresses == []
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;why" in text
    assert "25.0 %" in text
    assert json.loads((tmp_path / "report.json").read_text())["rate"]["resolved"] == 1


def test_every_instance_leads_to_the_page_of_its_run(tmp_path: Path) -> None:
    run = MadeUp(tmp_path / "made up", 12).make()
    results = Results.open(tmp_path / "results", {"model_name_or_path": "ours", "instances": ["a <b>", "no-run"]}, ())
    results.update("a <b>", outcome=Outcome("a <b>", "Submitted", "r", run=run.id), grades={}, error="")
    results.update("no-run", outcome=Outcome("no-run", "Submitted", "", run="gone"), grades={}, error="")
    results.close()
    (tmp_path / "results" / "a <b>" / "runs").mkdir(parents=True)
    run.folder.rename(tmp_path / "results" / "a <b>" / "runs" / run.id)

    report.write(tmp_path / "results")

    page = Page()
    page.feed((tmp_path / "results" / "report.html").read_text())
    assert page.addresses == ["a%20%3Cb%3E/run.html"]
    assert (tmp_path / "results" / "a <b>" / "run.html").read_text().startswith("<!doctype html>")


def test_the_plots_say_what_share_is_resolved_within_a_budget_and_how_good_stated_chances_are() -> None:
    rows = [
        {"right": n > 4, "status": "resolved" if n > 6 else "unresolved", "dollars": n, "evaluations": n, "confidence": n / 10}
        for n in range(1, 11)
    ]
    assert curve([3, 1], 4, 10) == [(0.0, 0.0), (1, 0.25), (3, 0.5), (10, 0.5)]
    assert "oracle 60%, selected 40% of 10 graded instances" in budget_plot(rows)
    assert bins([(0.1, False), (0.15, True), (0.9, True), (1.0, True)]) == [(0.125, 1, 2), (0.95, 2, 2)]
    assert "10 patches that were handed over; Brier score 0.105" in calibration_plot(rows)
    assert "nothing is graded yet" in budget_plot([])
    assert "no patch with a stated chance" in calibration_plot([])


def test_several_seeds_give_mean_spread_and_what_is_not_stable(tmp_path: Path) -> None:
    first = report.summary(evaluation(tmp_path / "1", {"a": ("r", {"r": "resolved"}), "b": ("r", {"r": "resolved"})}, seed=1))
    second = report.summary(evaluation(tmp_path / "2", {"a": ("w", {"w": "unresolved"}), "b": ("r", {"r": "resolved"})}, seed=2))
    found = report.seeds([first, second])
    assert found["mean"] == 0.75
    assert found["deviation"] == pytest.approx(0.3536, abs=1e-4)
    assert (found["always"], found["never"], found["sometimes"]) == (["b"], [], ["a"])
    assert [each["seed"] for each in found["evaluations"]] == [1, 2]


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "onload", "onclick")]
