"""What a run may use: evaluations, seconds, tokens, dollars. Safe to share between threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Lock
from types import TracebackType

UNITS = ("evaluations", "seconds", "tokens", "dollars")
ROUNDING = 1e-9  # sums of dollars are not exact


class BudgetExhausted(Exception):
    """What was asked for does not fit into what is left. Says which unit."""


class Reservation:
    """An amount set aside. `settle` says what was really used; leaving a `with` block unsettled uses nothing."""

    def __init__(self, budget: Budget, amounts: Mapping[str, float]) -> None:
        self._budget, self.amounts = budget, dict(amounts)

    def settle(self, **actual: float) -> None:
        """Replace the reserved amounts by the actual ones (0 where not named). Only the first call counts."""
        self._budget._settle(self, actual)

    def cancel(self) -> None:
        """Nothing was used."""
        self.settle()

    def __enter__(self) -> Reservation:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.cancel()


class Budget:
    """Limits that are never exceeded: the worst case is reserved before anything is spent. None: no limit.

    Spending more than was reserved is recorded truthfully, so the promise is as good as the worst cases given.
    Seconds pass by themselves, from the making of the budget on; `spent` is what an earlier part of the run used.
    """

    def __init__(
        self,
        evaluations: float | None = None,
        seconds: float | None = None,
        tokens: float | None = None,
        dollars: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        spent: Mapping[str, float] | None = None,
    ) -> None:
        self._limits = dict(zip(UNITS, (evaluations, seconds, tokens, dollars), strict=True))
        self._spent = dict.fromkeys(UNITS, 0.0) | _known(spent or {})
        self._reserved = dict.fromkeys(UNITS, 0.0)
        self._open: set[int] = set()
        self._clock, self._lock = clock, Lock()
        self._start = clock() - self._spent["seconds"]
        self._held: float | None = None  # when the clock was stopped

    def reserve(self, **worst: float) -> Reservation:
        """Set an amount aside. Raises BudgetExhausted where it does not fit, or where time is up."""
        with self._lock:
            for unit, amount in ({"seconds": 0.0} | _known(worst)).items():
                left = self._left(unit)
                if left is not None and (amount > left + ROUNDING or left <= 0):
                    raise BudgetExhausted(self._why(unit))
            reservation = Reservation(self, worst)
            self._open.add(id(reservation))
            self._add(self._reserved, worst, 1)
            return reservation

    def add(self, **more: float) -> None:
        """Raise limits; a unit without a limit stays so."""
        with self._lock:
            for unit, amount in _known(more).items():
                limit = self._limits[unit]
                self._limits[unit] = None if limit is None else limit + amount

    def hold(self) -> None:
        """Stop the clock, until `go_on`. May be called twice."""
        with self._lock:
            self._held = self._clock() if self._held is None else self._held

    def go_on(self) -> None:
        """Let the clock run again: the time in between does not count. May be called twice."""
        with self._lock:
            if self._held is not None:
                self._start += self._clock() - self._held
                self._held = None

    def spent(self) -> dict[str, float]:
        """What was used, reservations not counted. Give it to a new budget to go on."""
        with self._lock:
            return {unit: self._used(unit) for unit in UNITS}

    def left(self) -> dict[str, float | None]:
        """What can still be reserved; None for no limit."""
        with self._lock:
            return {unit: self._left(unit) for unit in UNITS}

    def share(self) -> float:
        """How much of the limit is used that is nearest to its end, from 0 to 1; 0 where nothing has a limit."""
        with self._lock:
            return max(
                (min(1.0, self._used(unit) / limit) if limit else 1.0 for unit, limit in self._limits.items() if limit is not None),
                default=0.0,
            )

    def exhausted(self) -> str:
        """Why nothing more can be done, in words; empty while there is something of everything left."""
        with self._lock:
            gone = [unit for unit in UNITS if (left := self._left(unit)) is not None and left <= 0]
            return "; ".join(map(self._why, gone))

    def _settle(self, reservation: Reservation, actual: Mapping[str, float]) -> None:
        with self._lock:
            if id(reservation) in self._open:
                self._open.remove(id(reservation))
                self._add(self._reserved, reservation.amounts, -1)
                self._add(self._spent, _known(actual), 1)

    def _add(self, to: dict[str, float], amounts: Mapping[str, float], sign: int) -> None:
        for unit, amount in amounts.items():
            to[unit] += sign * amount

    def _used(self, unit: str) -> float:
        now = self._clock() if self._held is None else self._held
        return now - self._start if unit == "seconds" else self._spent[unit]

    def _left(self, unit: str) -> float | None:
        limit = self._limits[unit]
        return None if limit is None else max(0.0, limit - self._used(unit) - self._reserved[unit])

    def _why(self, unit: str) -> str:
        return f"{unit}: {self._used(unit) + self._reserved[unit]:g} of {self._limits[unit]:g} used"


def _known(amounts: Mapping[str, float]) -> dict[str, float]:
    """The amounts, checked. Raises ValueError for an unknown unit or a negative amount."""
    for unit, amount in amounts.items():
        if unit not in UNITS or amount < 0:
            raise ValueError(f"not an amount: {unit}={amount}")
    return dict(amounts)
