"""The benchmark of stated chances."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from benchmarks.calibration import base_rate, bins, brier, fitted, main, read, stated
from swesearch.discriminator.confidence import Evidence

GOOD, BAD = Evidence(verified=True, checks=1, judge=1.0), Evidence(verified=True, checks=1, judge=0.0)


def rows(misjudged: int = 0) -> list[str]:
    """Twelve bugs; the judge approves of what is right and of nothing else, but for the first few bugs."""
    made = [(f"bug{bug}", evidence, (evidence is GOOD) != (bug < misjudged)) for bug in range(12) for evidence in (GOOD, BAD)]
    kept = [{"bug": bug, "solved": right, "evidence": asdict(evidence)} for bug, evidence, right in made]
    return [json.dumps(row) for row in [*kept, {"bug": "none", "solved": False, "evidence": None}]]


def test_a_search_that_handed_nothing_over_has_no_winner():
    assert len(read(rows())) == 24


def test_a_brier_score_is_the_mean_squared_error():
    assert brier([(1.0, True), (0.0, False)]) == 0.0
    assert brier([(0.5, True), (0.9, False)]) == pytest.approx((0.25 + 0.81) / 2)


def test_bins_hold_every_winner_once_also_the_certain_one():
    found = bins([(0.0, False), (0.19, True), (0.2, True), (1.0, True)])
    assert found == {0: (2, 0.095, 0.5), 1: (1, 0.2, 1.0), 4: (1, 1.0, 1.0)}


def test_coefficients_fitted_to_other_bugs_say_better_than_the_base_rate_where_the_evidence_tells():
    winners = read(rows())
    assert brier(fitted(winners)) < brier(stated(winners)) < brier(base_rate(winners))


def test_a_bug_has_no_say_in_what_is_said_of_it():
    winners = read(rows(misjudged=1))
    said = dict(zip([(each.bug, each.right) for each in winners], fitted(winners), strict=True))
    assert said["bug0", False][0] > 0.8  # all others say that an approved patch is right


def test_the_table_says_what_was_stated_and_what_fits(tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(rows()))
    assert main([str(file)]) == 0
    shown = capsys.readouterr().out
    assert "| stated |" in shown
    assert "judge " in shown.splitlines()[-1]


def test_rows_without_evidence_are_an_error_that_says_how_to_make_them(tmp_path, capsys):
    file = tmp_path / "rows.jsonl"
    file.write_text(rows()[-1])
    assert main([str(file)]) == 2
    assert "benchmarks.agents --out" in capsys.readouterr().err
