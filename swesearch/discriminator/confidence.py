"""How likely the winner is right, from what was found out about it; `--min-confidence` abstains below a threshold.

    P(right) = 1 / (1 + exp(-(b_0 + sum_i b_i x_i)))        x_i: see `features`; b_i: see STATED

STATED are not measured but stated: set so that a lone candidate that was verified on one mended test is right with 0.69, and one that a
judge approves of as well with 0.83, near what SWE-Search (2024) reports for its value function and its discriminator where a right
candidate is there (0.73 and 0.84). `fit` moves them to what a benchmark shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log1p, log2

from swesearch.base import Candidate

Coefficients = Mapping[str, float]
STATED: Coefficients = {
    "intercept": -1.0,
    "verified": 1.5,
    "agreement": 0.3,
    "rivals": -0.3,
    "checks": 0.3,
    "judge": 0.8,
    "reproduction": 1.0,
}
ROUNDS = 50  # of Newton's method; it needs about five
CLOSE = 1e-9  # a step that gains less than this is the last


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about a winner."""

    verified: bool = False  # its check passed afresh
    agreeing: int = 1  # candidates that behave like it, itself included
    behaviours: int = 1  # different behaviours among all candidates, its own included
    checks: int = 0  # tests that failed before and pass now
    judge: float | None = None  # a judge's score in [0, 1]
    reproduced: int = 0  # reproduction variants that it passes ...
    variants: int = 0  # ... of those that it was not searched with


def features(evidence: Evidence) -> dict[str, float]:
    """The x_i: each 0 where nothing is known, and counts on a scale where doubling them adds the same."""
    share = evidence.reproduced / evidence.variants if evidence.variants else 0.5
    return {
        "intercept": 1.0,
        "verified": float(evidence.verified),
        "agreement": log2(max(1, evidence.agreeing)),
        "rivals": log2(max(1, evidence.behaviours)),
        "checks": log2(1 + evidence.checks),
        "judge": 2 * evidence.judge - 1 if evidence.judge is not None else 0.0,
        "reproduction": 2 * share - 1,
    }


def confidence(evidence: Evidence, coefficients: Coefficients = STATED) -> float:
    """The chance that a winner with this evidence is right, in (0, 1)."""
    return _chance(features(evidence), coefficients)


def gather(ranking: Sequence[Candidate], behave: Callable[[Candidate], Mapping[str, str]] = lambda _: {}) -> Evidence:
    """The evidence about the first of `ranking`, as far as its evaluation and `behave` tell; what is not observed agrees with nothing."""
    winner, *others = ranking
    terms = {term.name: term for term in winner.attempt.evaluation.terms if term.known}
    own = behave(winner) if others else {}  # there is nobody to agree with
    seen = [shown for shown in map(behave, others) if shown] if own else []
    different = {frozenset(shown.items()) for shown in (own, *seen)}
    return Evidence(
        verified=winner.verified,
        agreeing=1 + sum(shown == own for shown in seen),
        behaviours=len(different),
        checks=len(terms["failing"].facts.get("passed", ())) if "failing" in terms else 0,
        judge=terms["judge"].score if "judge" in terms else None,
    )


def fit(rows: Iterable[tuple[Evidence, bool]], prior: Coefficients = STATED, strength: float = 1.0) -> dict[str, float]:
    """The coefficients that explain which winners were right: the posterior mode under a normal prior around `prior`.

    `strength` is the prior's precision: few rows hardly move it, many forget it. Newton's method with halved steps, as the function is
    concave; ridge-penalised logistic regression after le Cessie and van Houwelingen (1992). Raises ValueError where strength <= 0.
    """
    if strength <= 0:
        raise ValueError("the prior needs a strength above 0: what the rows do not show has no best coefficient otherwise")
    data = [(features(evidence), right) for evidence, right in rows]
    now = dict(prior)
    for _ in range(ROUNDS):
        step = _newton(data, now, prior, strength)
        size = 1.0
        while size > CLOSE and _worth(data, _moved(now, step, size), prior, strength) < _worth(data, now, prior, strength):
            size /= 2
        before, now = now, _moved(now, step, size)
        if _worth(data, now, prior, strength) - _worth(data, before, prior, strength) < CLOSE:
            break
    return now


Rows = Sequence[tuple[Mapping[str, float], bool]]


def _sum(x: Mapping[str, float], coefficients: Coefficients) -> float:
    return sum(coefficients[name] * value for name, value in x.items())


def _chance(x: Mapping[str, float], coefficients: Coefficients) -> float:
    score = _sum(x, coefficients)
    return 1 / (1 + exp(-score)) if score >= 0 else exp(score) / (1 + exp(score))


def _worth(data: Rows, now: Coefficients, prior: Coefficients, strength: float) -> float:
    """The logarithm of the posterior, up to a constant."""
    scores = [(1 if right else -1) * _sum(x, now) for x, right in data]
    fitting = sum(-log1p(exp(-score)) if score >= 0 else score - log1p(exp(score)) for score in scores)
    return fitting - strength / 2 * sum((now[name] - prior[name]) ** 2 for name in prior)


def _newton(data: Rows, now: Coefficients, prior: Coefficients, strength: float) -> list[float]:
    """The step from `now` to the top of the parabola that fits the function there."""
    names = list(prior)
    slope = [strength * (prior[name] - now[name]) for name in names]
    bend = [[strength * (row == column) for column in range(len(names))] for row in range(len(names))]
    for x, right in data:
        chance = _chance(x, now)
        for row, name in enumerate(names):
            slope[row] += (right - chance) * x[name]
            for column, other in enumerate(names):
                bend[row][column] += chance * (1 - chance) * x[name] * x[other]
    return _solved(bend, slope)


def _moved(now: Coefficients, step: Sequence[float], size: float) -> dict[str, float]:
    return {name: value + size * by for (name, value), by in zip(now.items(), step, strict=True)}


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """x in matrix x = right, by Gauss and Jordan. The matrix is positive definite, so that no pivot is 0."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for pivot, own in enumerate(rows):
        own[:] = [value / own[pivot] for value in own]
        for other in rows:
            if other is not own:
                factor = other[pivot]
                other[:] = [value - factor * base for value, base in zip(other, own, strict=True)]
    return [row[-1] for row in rows]
