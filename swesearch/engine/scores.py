"""Selection rules: which arm of a node to follow. An arm is a child, or the untried next action.

A rule is a line in how much the parent was visited: score = base + slope * growth. That is what lets a node with
fifty thousand children find its best one without looking at them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log1p, sqrt
from random import Random


@dataclass(frozen=True, slots=True)
class Score:
    """A selection rule.

    `line(value, prior, visits)` gives (base, slope) of an arm. `value` is what was backed up (of the untried action: its state's own
    value); `prior` is what is left of it: a child's own prior times the best untried one below it; `visits` counts those under way.
    `growth(visits)` is taken at the parent.
    """

    line: Callable[[float, float, int], tuple[float, float]]
    growth: Callable[[int], float]

    def __call__(self, parent_visits: int, value: float, prior: float, visits: int) -> float:
        """The score of an arm."""
        base, slope = self.line(value, prior, visits)
        return base + slope * self.growth(parent_visits)


def puct(c: float = 1.0) -> Score:
    """Q + c P sqrt(N) / (1 + n): Silver et al., "Mastering the game of Go without human knowledge" (2017).

    P is the prior that is left, because an action is tried once only. With equal priors that is the textbook rule; where values
    are flat and what is left differs by more than the visits do, it is best-first by the product of priors.
    """
    return Score(lambda value, prior, visits: (value, c * prior / (1 + visits)), sqrt)


def uct(c: float = 1.41) -> Score:
    """Q + c sqrt(ln(1 + N) / (1 + n)): Kocsis and Szepesvari, "Bandit based Monte-Carlo planning" (2006), without priors.

    The ones keep the untried action finite, so that a node with thousands of actions is not widened for ever.
    """
    return Score(lambda value, _, visits: (value, c / sqrt(1 + visits)), lambda visits: sqrt(log1p(visits)))


def best_first() -> Score:
    """The untried action with the greatest product of priors, wherever it is in the tree. Values do not matter."""
    return Score(lambda _value, prior, _visits: (prior, 0.0), lambda _: 1.0)


def greedy() -> Score:
    """The greatest value; the untried action only where no child beats its own state."""
    return Score(lambda value, _prior, _visits: (value, 0.0), lambda _: 1.0)


def onward() -> Score:
    """The best path, to its end; the untried action only where no way leads on: a plan that was given up is replaced, not the path."""
    return Score(lambda value, _prior, visits: (1.0 + value if visits else 0.0, 0.0), lambda _: 1.0)


def at_random(seed: int) -> Score:
    """A number drawn anew whenever the arm changes: the baseline every other rule must beat."""
    draw = Random(seed).random
    return Score(lambda *_: (draw(), 0.0), lambda _: 1.0)
