"""The few statistics that a comparison of repair tools needs."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb, sqrt
from statistics import NormalDist, mean, stdev


def wilson(successes: int, trials: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a proportion (Wilson 1927, JASA 22, p. 209); (0, 1) where nothing was tried."""
    if not trials:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share, scale = successes / trials, 1 + z * z / trials
    middle = (share + z * z / (2 * trials)) / scale
    half = z / scale * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return max(0.0, middle - half), min(1.0, middle + half)


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p of McNemar's test: were the pairs that differ as likely to fall either way (binomial, one half)?"""
    pairs = only_first + only_second
    tail: int = sum(comb(pairs, number) for number in range(min(only_first, only_second) + 1))
    return min(1.0, 2 * tail / (1 << pairs))


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean and sample standard deviation; the latter 0 for a single value."""
    return mean(values), stdev(values) if len(values) > 1 else 0.0
