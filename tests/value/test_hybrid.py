"""How terms become one value."""

import pytest

from sandbox.base import SandboxUnavailable
from swesearch.base import Measurement, State
from swesearch.value.hybrid import Hybrid

STATE = State("a" * 40)


class Says:
    """A term that says what it was told to, and counts how often it was asked."""

    def __init__(self, name, score, weight=1.0, **more):
        self.name, self.weight, self.asked = name, weight, 0
        self._measurement = Measurement(name, score, **more)

    def measure(self, state, parent):
        self.asked += 1
        return self._measurement


class Fails:
    """A term that cannot find out."""

    name, weight = "tests", 1.0

    def measure(self, state, parent):
        raise SandboxUnavailable("the engine is gone")


def test_the_value_is_the_weighted_mean_of_the_terms():
    evaluation = Hybrid([Says("lint", 1.0, weight=1), Says("tests", 0.5, weight=3)]).evaluate(STATE, None)

    assert evaluation.value == pytest.approx(0.625)
    assert not evaluation.solved


def test_a_gate_at_zero_stops_the_climb():
    dear = Says("tests", 1.0, solved=True)

    evaluation = Hybrid([Says("parses", 0.0, blocked=True, feedback="a.py:1: syntax error"), dear]).evaluate(STATE, None)

    assert (evaluation.value, evaluation.solved, dear.asked) == (0.0, False, 0)
    assert evaluation.feedback == "a.py:1: syntax error"


def test_a_solved_state_is_worth_one_whatever_the_other_terms_say():
    assert Hybrid([Says("lint", 0.25), Says("tests", 1.0, solved=True)]).evaluate(STATE, None).value == 1.0


def test_one_term_that_says_unsolved_is_enough():
    assert not Hybrid([Says("tests", 1.0, solved=True), Says("judge", 0.9, solved=False)]).evaluate(STATE, None).solved


def test_a_state_is_measured_once():
    term = Says("tests", 0.5)
    hybrid = Hybrid([term])

    hybrid.evaluate(STATE, None)
    hybrid.evaluate(STATE, None)

    assert term.asked == 1


def test_what_could_not_be_found_out_is_not_cached_as_a_score():
    hybrid = Hybrid([Fails()])

    with pytest.raises(SandboxUnavailable):
        hybrid.evaluate(STATE, None)

    assert STATE not in hybrid


def test_the_root_is_worth_what_gains_nothing_and_loses_nothing():
    assert Hybrid([Says("failing", 0, weight=3), Says("lint", 1, weight=1)]).start().value == pytest.approx(0.25)
