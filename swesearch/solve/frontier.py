"""The plans of one node, numbered in the order the proposer gives them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from swesearch.base import Action, Attempt, Plan
from swesearch.engine.tree import Lease

FADING = 0.5  # what a new round of plans is expected to be worth, as a part of the last plan of the round before


class Frontier:
    """A proposer's stream that several workers read by number. Pulled only as far as somebody asked.

    `think` begins a round: the lease tells what became of the plans so far. There are at most `rounds`, and none after an empty one;
    `renew` grants one more.
    """

    def __init__(self, think: Callable[[Lease[Attempt]], Iterable[Plan]], rounds: int) -> None:
        self._think, self._rounds = think, rounds
        self._stream: Iterator[Plan] | None = None
        self.first = 0.0  # prior of the first plan, once it was pulled
        self._last = 1.0  # prior of the plan that was pulled last
        self._pulled: dict[int, Plan] = {}  # kept: what could not be found out is tried again
        self._count = self._before = 0  # plans pulled; how many of them in earlier rounds
        self._renewed: int | None = None  # from this number on plans come of a round that has not begun
        self._lock = threading.Lock()

    def take(self, lease: Lease[Attempt]) -> tuple[Plan | None, float | None]:
        """The plan that is leased, and the prior of the one after it; None for what does not exist.

        Where the next plan needs another round of thinking, its prior is a guess: the round waits until the plan is wanted.
        """
        number = lease.nth
        with self._lock:
            if self._renewed is not None and number >= self._renewed:
                self._turn(self._renewed)
            while self._count <= number and self._begin(lease):
                self._pull(number)
            if self._renewed is not None and number + 1 >= self._renewed:
                return self._pulled.get(number), 1.0
            self._pull(number + 1)
            following = self._pulled.get(number + 1)
            guess = self._last * FADING if self._rounds and not self._stream else None
            return self._pulled.get(number), following.prior if following else guess

    def renew(self, number: int) -> None:
        """Let the plans from `number` on come of another round of thinking, whatever this one has left. None below it is lost."""
        with self._lock:
            self._renewed = number

    def _turn(self, number: int) -> None:
        """Leave the round under way, but for the plans below `number`, which others have still to take."""
        self._pull(number - 1)
        self._pulled = {each: plan for each, plan in self._pulled.items() if each < number}
        self._stream, self._renewed, self._count, self._rounds = None, None, number, self._rounds + 1

    def _begin(self, lease: Lease[Attempt]) -> bool:
        """Begin a round where none is under way; False where there is no more."""
        if self._stream is None and self._rounds:
            self._rounds -= 1
            tried = {plan.edits for plan in self._pulled.values() if isinstance(plan, Action) and plan.edits}
            plans = self._think(lease)
            self._stream, self._before = (plan for plan in plans if not isinstance(plan, Action) or plan.edits not in tried), self._count
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
