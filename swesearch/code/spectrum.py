"""Spectrum-based fault localisation: what failing tests execute and passing tests do not is suspicious."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from math import sqrt
from typing import TypeVar

T = TypeVar("T", bound=Hashable)


def ochiai(failing: Sequence[Collection[T]], passing: Sequence[Collection[T]]) -> dict[T, float]:
    """The suspiciousness of everything that a failing test executed, in (0, 1].

    ef / sqrt((ef + nf) * (ef + ep)), where ef and ep failing and passing tests execute it and nf failing ones do not:
    Abreu, Zoeteweij, van Gemund, "On the Accuracy of Spectrum-based Fault Localization", TAIC PART 2007.
    """
    failed = Counter(thing for test in failing for thing in set(test))
    passed = Counter(thing for test in passing for thing in set(test))
    return {thing: ef / sqrt(len(failing) * (ef + passed[thing])) for thing, ef in failed.items()}
