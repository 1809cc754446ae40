"""Candidates that behave alike are one answer."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Cluster(Generic[K]):
    """Candidates with the same behaviour, and the weight of all of them as a share of the weight of all there are."""

    members: tuple[K, ...]
    share: float


def clusters(behaviours: Mapping[K, Mapping[str, str]], weights: Mapping[K, float]) -> tuple[Cluster[K], ...]:
    """Candidates grouped by equal behaviour, the weightiest group first; among equals, in the order given."""
    groups: dict[frozenset[tuple[str, str]], list[K]] = {}
    for key, seen in behaviours.items():
        groups.setdefault(frozenset(seen.items()), []).append(key)
    total = sum(weights[key] for key in behaviours) or 1.0
    found = [Cluster(tuple(members), sum(weights[key] for key in members) / total) for members in groups.values()]
    return tuple(sorted(found, key=lambda cluster: -cluster.share))


def apart(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, str] | None:
    """What tells two behaviours apart, at the test where it takes the fewest words; None where nothing does."""
    differ = [(one[test], other[test]) for test in sorted(one.keys() & other.keys()) if one[test] != other[test]]
    return min(differ, key=lambda seen: len(seen[0]) + len(seen[1]), default=None)


def agreement(seen: Mapping[str, str], reference: Mapping[str, str]) -> float:
    """The share of the reference's observations that are the same; 1 where there is nothing to compare."""
    known = seen.keys() & reference.keys()
    return sum(seen[test] == reference[test] for test in known) / len(known) if known else 1.0
