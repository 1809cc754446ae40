"""One purse for all searches of an evaluation: the most an instance may still cost is set aside before its search begins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from swesearch.engine.budget import Budget, BudgetExhausted, Reservation
from swesearch.journal import Journal
from swesearch.runs import JOURNAL

EVERY = 1.0  # seconds between two looks at whether it is to stop


class Purse:
    """`each`: the most that one search may cost; `cap`: the most that all may, None for no limit; `spent`: what earlier calls paid."""

    def __init__(self, each: float, cap: float | None, spent: float = 0.0) -> None:
        self.empty = False  # nothing more can be begun
        self._each = each
        self._budget = Budget(dollars=cap, spent={"dollars": spent})
        self._open = 0
        self._changed = threading.Condition()

    @contextmanager
    def pays(self, home: Path, stop: threading.Event) -> Iterator[bool]:
        """Whether a search may begin: where others may give something back, wait for them. What it paid is read from its journals."""
        before = paid(home)
        held = self._hold(max(0.0, self._each - before), stop)
        try:
            yield held is not None
        finally:
            if held:
                self._settle(held, paid(home) - before)

    def _hold(self, worst: float, stop: threading.Event) -> Reservation | None:
        with self._changed:
            while not stop.is_set() and not self.empty:
                try:
                    held = self._budget.reserve(dollars=worst)
                except BudgetExhausted:
                    self.empty = not self._open
                    self._changed.wait(EVERY if self._open else 0)
                else:
                    self._open += 1
                    return held
        return None

    def _settle(self, held: Reservation, dollars: float) -> None:
        with self._changed:
            held.settle(dollars=max(0.0, dollars))
            self._open -= 1
            self._changed.notify_all()


def paid(home: Path) -> float:
    """The dollars of every answer that the runs of an instance have kept; a killed run has kept all but the one under way."""
    return sum(map(_paid, sorted(home.glob(f"runs/*/{JOURNAL}"))))


def _paid(path: Path) -> float:
    journal = Journal.read(path)
    try:
        kept = (event.data for _, event in journal.events() if event.kind == "memory")
        return float(sum(data["value"]["dollars"] for data in kept if str(data["key"]).startswith("reply:")))
    finally:
        journal.close()
