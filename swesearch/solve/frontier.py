"""The actions of one node, numbered in the order the proposer gives them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from itertools import islice

from swesearch.base import Action


class Frontier:
    """A proposer's stream that several workers read by number. Pulled only as far as somebody asked."""

    def __init__(self, actions: Iterable[Action]) -> None:
        self._stream = iter(actions)
        self.first = 0.0  # prior of the first action, once it was pulled
        self._pulled: dict[int, Action] = {}
        self._count = 0
        self._lock = threading.Lock()

    def take(self, number: int) -> tuple[Action | None, float | None]:
        """The action with this number, and the prior of the one after it; None for what does not exist."""
        with self._lock:
            self._pull(number + 1)
            following = self._pulled.get(number + 1)
            return self._pulled.pop(number, None), following.prior if following else None

    def _pull(self, number: int) -> None:
        for action in islice(self._stream, max(0, number + 1 - self._count)):
            self.first = self.first or action.prior
            self._pulled[self._count] = action
            self._count += 1
