"""What a node is worth, seen from its parent."""

from __future__ import annotations

from collections.abc import Callable

Backup = Callable[[float, float, int], float]  # (best, total, visits) -> value; visits under way count as worth nothing


def maximum(best: float, _total: float, _visits: int) -> float:
    """The best state below: right where one repair needs several edits and only the last one pays."""
    return best


def mean(_best: float, total: float, visits: int) -> float:
    """The average of all states below: right where one value says little."""
    return total / visits


def blend(weight: float) -> Backup:
    """`weight` of the maximum and the rest of the mean."""
    return lambda best, total, visits: weight * best + (1 - weight) * total / visits
