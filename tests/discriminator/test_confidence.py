"""How sure to be, and how benchmarks make it honest."""

from __future__ import annotations

from dataclasses import replace
from math import log
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swesearch.base import Action, Attempt, Candidate, Evaluation, Measurement, State
from swesearch.discriminator.confidence import STATED, Evidence, confidence, features, fit, gather

LONE = Evidence(verified=True, checks=1)


def test_the_stated_coefficients_say_what_their_origin_says():
    assert confidence(LONE) == pytest.approx(0.69, abs=0.005)
    assert confidence(replace(LONE, judge=1.0)) == pytest.approx(0.83, abs=0.005)


@pytest.mark.parametrize(
    "better",
    [
        {"agreeing": 4},
        {"checks": 5},
        {"judge": 0.9},
        {"reproduced": 2, "variants": 2},
    ],
    ids=lambda each: next(iter(each)),
)
def test_each_kind_of_evidence_for_a_winner_raises_the_confidence(better):
    assert confidence(replace(LONE, **better)) > confidence(LONE)


@pytest.mark.parametrize(
    "worse", [{"verified": False}, {"behaviours": 3}, {"judge": 0.1}, {"variants": 2}], ids=lambda each: next(iter(each))
)
def test_each_kind_of_evidence_against_a_winner_lowers_it(worse):
    assert confidence(replace(LONE, **worse)) < confidence(LONE)


@given(
    st.builds(
        Evidence,
        verified=st.booleans(),
        agreeing=st.integers(0, 10**6),
        behaviours=st.integers(0, 10**6),
        checks=st.integers(0, 10**6),
        judge=st.none() | st.floats(0, 1),
    )
)
def test_a_confidence_is_a_chance_and_no_certainty(evidence):
    assert 0 < confidence(evidence) < 1


def test_every_feature_has_a_coefficient():
    assert features(LONE).keys() == STATED.keys()


def noisy(rows: int, truth, seed: int = 0):
    """Winners with random evidence, right as often as `truth` says."""
    chance = Random(seed)
    for _ in range(rows):
        evidence = Evidence(
            verified=chance.random() < 0.8,
            agreeing=chance.choice([1, 2, 4, 8]),
            behaviours=chance.choice([1, 2, 3]),
            checks=chance.choice([1, 2, 3, 5]),
            judge=chance.choice([None, 0.0, 0.5, 1.0]),
            reproduced=(passed := chance.choice([0, 1, 2])),
            variants=max(passed, chance.choice([0, 2])),
        )
        yield evidence, chance.random() < confidence(evidence, truth)


def loss(rows, coefficients) -> float:
    return -sum(log(confidence(e, coefficients) if right else 1 - confidence(e, coefficients)) for e, right in rows) / len(rows)


def test_fitting_finds_the_truth_behind_many_rows():
    truth = {**STATED, "intercept": -2.5, "judge": -0.6, "agreement": 0.9, "reproduction": 2.0}  # about as many right as wrong
    rows = list(noisy(2000, truth))
    found = fit(rows)
    assert {name: round(found[name] - truth[name], 2) for name in truth if abs(found[name] - truth[name]) > 0.35} == {}
    fresh = list(noisy(1000, truth, seed=1))
    assert loss(fresh, found) < loss(fresh, STATED) - 0.03


def test_no_coefficients_nearby_explain_the_rows_better():
    rows = list(noisy(200, {**STATED, "intercept": -2.5}))

    def worth(coefficients):
        return -len(rows) * loss(rows, coefficients) - sum((coefficients[name] - STATED[name]) ** 2 for name in STATED) / 2

    found = fit(rows)
    for name in STATED:
        for step in (-0.01, 0.01):
            assert worth({**found, name: found[name] + step}) < worth(found)


def test_what_was_fitted_is_calibrated():
    truth = {**STATED, "intercept": -2.0, "judge": 0.1}
    found = fit(noisy(2000, truth))
    fresh = [(confidence(evidence, found), right) for evidence, right in noisy(3000, truth, seed=2)]
    for low in (0.0, 0.25, 0.5, 0.75):
        inside = [(said, right) for said, right in fresh if low <= said < low + 0.25]
        assert abs(sum(said - right for said, right in inside)) / len(inside) < 0.06


def test_without_rows_nothing_moves_and_a_few_move_little():
    assert fit([]) == pytest.approx(STATED)
    one = fit([(LONE, False)])
    assert max(abs(one[name] - STATED[name]) for name in STATED) < 0.6
    assert confidence(LONE, one) < confidence(LONE)


def test_rows_that_a_line_separates_have_an_answer_all_the_same():
    rows = [(replace(LONE, judge=1.0), True), (replace(LONE, judge=0.0), False)] * 200
    found = fit(rows)
    assert STATED["judge"] < found["judge"] < 20


def test_rows_far_from_the_stated_coefficients_do_not_throw_the_search_off():
    rows = [(Evidence(verified=True, agreeing=1024, checks=1023, judge=1.0, reproduced=9, variants=9), False)] * 500
    assert confidence(rows[0][0], fit(rows)) < 0.05


def test_a_prior_without_strength_is_refused():
    with pytest.raises(ValueError, match="strength above 0"):
        fit([], strength=0)


def candidate(name: str, *terms: Measurement) -> Candidate:
    return Candidate(Attempt(Action(()), State(name * 40), Evaluation(1.0, True, terms)), b"", True)


def test_the_evidence_about_a_winner_is_gathered_from_its_evaluation_and_behaviour():
    winner = candidate("a", Measurement("failing", 1.0, facts={"passed": ["t1", "t2"]}), Measurement("judge", 0.7))
    shown = {"a": {"t": "1"}, "b": {"t": "2"}, "c": {"t": "1"}, "d": {}}
    found = gather([winner, *map(candidate, "bcd")], lambda each: shown[each.attempt.state.tree[0]])
    assert found == Evidence(verified=True, agreeing=2, behaviours=2, checks=2, judge=0.7)


def test_a_judge_that_gave_no_answer_is_no_evidence():
    assert gather([candidate("a", Measurement("judge", 0.0, known=False))]).judge is None


def test_what_was_not_observed_agrees_with_nothing():
    assert gather([candidate(name) for name in "abc"]) == Evidence(verified=True)


def test_a_winner_without_rivals_is_not_observed():
    asked = []
    assert gather([candidate("a")], lambda each: asked.append(each) or {"t": "1"}) == Evidence(verified=True)
    assert not asked
