"""Weights that explain which candidates were right, found without the instance that they are then tried on.

    P(the first is right | weights) = sum over right c of exp(w.x_c) / sum over all c of exp(w.x_c)

A conditional logit (McFadden, 1974) with a normal prior around stated weights: few instances hardly move them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import exp

Signs = Mapping[str, float]
Row = tuple[Sequence[Signs], Sequence[bool]]
STRENGTH, STEPS, RATE = 1.0, 200, 0.05  # the prior's precision; gradient steps and their size


def fit(rows: Sequence[Row], prior: Signs, strength: float = STRENGTH) -> dict[str, float]:
    """The posterior mode, by gradient ascent. Instances without a right candidate, or without a wrong one, say nothing."""
    now = dict(prior)
    useful = [row for row in rows if any(row[1]) and not all(row[1])]
    for _ in range(STEPS):
        slope = {name: strength * (prior[name] - now[name]) for name in prior}
        for signs, right in useful:
            everyone = _shares(signs, now, [True] * len(right))
            those_right = _shares(signs, now, right)
            for name in prior:
                slope[name] += sum((b - a) * each[name] for a, b, each in zip(everyone, those_right, signs, strict=True))
        now = {name: weight + RATE * slope[name] for name, weight in now.items()}
    return now


def held_out(rows: Sequence[Row], prior: Signs) -> list[int]:
    """For each instance, the place of its best candidate by weights that were fitted to all others."""
    chosen = []
    for place, (signs, _) in enumerate(rows):
        weights = fit([*rows[:place], *rows[place + 1 :]], prior)
        scores = [_score(each, weights) for each in signs]
        chosen.append(scores.index(max(scores)))
    return chosen


def _score(signs: Signs, weights: Signs) -> float:
    return sum(weights[name] * signs[name] for name in weights)


def _shares(signs: Sequence[Signs], weights: Signs, among: Sequence[bool]) -> list[float]:
    """The chance of each candidate, given that it is one of those."""
    scores = [_score(each, weights) if is_one else None for each, is_one in zip(signs, among, strict=True)]
    top = max(score for score in scores if score is not None)
    shares = [exp(score - top) if score is not None else 0.0 for score in scores]
    return [share / sum(shares) for share in shares]
