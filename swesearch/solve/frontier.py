"""The plans of one node, numbered in the order the proposer gives them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from swesearch.base import Attempt, Plan
from swesearch.engine.tree import Lease

FADING = 0.5  # what a new round of plans is expected to be worth, as a part of the last plan of the round before


class Frontier:
    """A proposer's stream that several workers read by number. Pulled only as far as somebody asked.

    `think` begins a round: the lease tells what became of the plans so far. There are at most `rounds`, and none after an empty one.
    """

    def __init__(self, think: Callable[[Lease[Attempt]], Iterable[Plan]], rounds: int) -> None:
        self._think, self._rounds = think, rounds
        self._stream: Iterator[Plan] | None = None
        self.first = 0.0  # prior of the first plan, once it was pulled
        self._last = 1.0  # prior of the plan that was pulled last
        self._pulled: dict[int, Plan] = {}
        self._count = self._before = 0  # plans pulled; how many of them in earlier rounds
        self._lock = threading.Lock()

    def take(self, lease: Lease[Attempt]) -> tuple[Plan | None, float | None]:
        """The plan that is leased, and the prior of the one after it; None for what does not exist.

        Where the next plan needs another round of thinking, its prior is a guess: the round waits until the plan is wanted.
        """
        number = lease.nth
        with self._lock:
            while self._count <= number and self._begin(lease):
                self._pull(number)
            self._pull(number + 1)
            following = self._pulled.get(number + 1)
            guess = self._last * FADING if self._rounds and not self._stream else None
            return self._pulled.pop(number, None), following.prior if following else guess

    def _begin(self, lease: Lease[Attempt]) -> bool:
        """Begin a round where none is under way; False where there is no more."""
        if self._stream is None and self._rounds:
            self._rounds -= 1
            self._stream, self._before = iter(self._think(lease)), self._count
        return self._stream is not None

    def _pull(self, number: int) -> None:
        """Go on with the round under way, up to the plan with this number."""
        for plan in islice(self._stream or (), max(0, number + 1 - self._count)):
            self.first = self.first or plan.prior
            self._last = plan.prior
            self._pulled[self._count] = plan
            self._count += 1
        if self._stream and self._count <= number:  # it has ended
            self._stream = None
            self._rounds = self._rounds if self._count > self._before else 0
