"""The best of many arms, exactly, without looking at all of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from math import inf

DEAD = -1e300  # the score of an arm with nothing left to try
SLACK = 1e-12  # lines nearer to each other than this are compared anew each time, so that rounding decides nothing


class Arena:
    """A kinetic tournament: `best(x)` is the first i with the greatest base[i] + slope[i] * x.

    Each match remembers the range of x in which its winner stays ahead, so that only matches on the way up from a changed
    line, and those whose range x has left, are played again: O(log n) amortised.
    After Basch, Guibas and Hershberger, "Data structures for mobile data" (1999), here for x going both ways.
    """

    __slots__ = ("_base", "_from", "_size", "_slope", "_top", "_until", "_winner")

    def __init__(self, lines: Iterable[tuple[float, float, float]]) -> None:
        lines = tuple(lines)
        size = self._size = 1 << max(1, len(lines).bit_length())  # doubles each time it is full
        self._base, self._slope = array("d", [DEAD]) * size, array("d", [0.0]) * size
        self._winner = array("l", [0]) * size + array("l", range(size))
        self._from = array("d", [inf]) * size + array("d", [-inf]) * size
        self._until = array("d", [-inf]) * size + array("d", [inf]) * size
        self._top = array("d", [0.0]) * (2 * size)
        for place, (base, slope, hope) in enumerate(lines):
            self._base[place], self._slope[place], self._top[size + place] = base, slope, hope
        for match in range(size - 1, 0, -1):
            self._top[match] = max(self._top[2 * match], self._top[2 * match + 1])

    @property
    def full(self) -> int:
        """How many arms there is room for."""
        return self._size

    @property
    def hope(self) -> float:
        """The greatest hope of any arm."""
        return self._top[1]

    def set(self, place: int, base: float, slope: float, hope: float) -> None:
        """Change one arm."""
        if (self._base[place], self._slope[place], self._top[self._size + place]) == (base, slope, hope):
            return
        self._base[place], self._slope[place] = base, slope
        match, start, until = (self._size + place) >> 1, self._from, self._until
        while match and start[match] <= until[match]:
            start[match], until[match] = inf, -inf
            match >>= 1
        top, match = self._top, self._size + place
        top[match] = hope
        while match := match >> 1:
            hope = max(top[2 * match], top[2 * match + 1])
            if top[match] == hope:
                break
            top[match] = hope

    def best(self, x: float) -> int:
        """The arm with the greatest score at `x`; the first of equals."""
        if not self._from[1] <= x <= self._until[1]:
            self._play(1, x)
        return self._winner[1]

    def _play(self, match: int, x: float) -> None:
        """Play `match` again, and first those below it that x has left (as deep as log2 of the number of arms)."""
        start, until, winner, base, slope = self._from, self._until, self._winner, self._base, self._slope
        left, right = 2 * match, 2 * match + 1
        if not start[left] <= x <= until[left]:
            self._play(left, x)
        if not start[right] <= x <= until[right]:
            self._play(right, x)
        i, j = winner[left], winner[right]
        first, second = base[i] + slope[i] * x, base[j] + slope[j] * x
        if first < second:
            i, j = j, i
        winner[match] = i
        # Spelled out, because calls of max, min and abs would make a step in a wide node a tenth slower.
        low = start[left] if start[left] > start[right] else start[right]
        high = until[left] if until[left] < until[right] else until[right]
        lead, gain = base[i] - base[j], slope[i] - slope[j]
        slack = SLACK * ((first if first > 0 else -first) + (second if second > 0 else -second))
        if gain:
            clear = (slack - lead) / gain
            if gain > 0 and clear > low:  # ahead for good, once clear of the crossing
                low = clear
            elif gain < 0 and clear < high:  # ahead until shortly before the crossing
                high = clear
        elif -slack < lead < slack and lead:
            low = high = x
        start[match], until[match] = low, high
