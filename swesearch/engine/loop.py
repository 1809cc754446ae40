"""Run a search: ask, expand in worker threads, tell. Only the calling thread touches the tree."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread, current_thread, main_thread
from types import FrameType
from typing import Generic, Literal, TypeVar

from .budget import Budget, BudgetExhausted, Reservation
from .search import Search
from .tree import Child, Lease, Node

T = TypeVar("T")
Ending = Literal["exhausted", "solved", "budget", "paused", "stopped"]
TICK = 0.1  # seconds between looks at the clock and the stop event


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """What `expand` made of a lease: see Search.tell."""

    child: Child[T] | None
    open: float | None
    more: tuple[Child[T], ...] = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """Which exceptions mean "we could not find out", how often to try again, and how long to wait before (doubled each time)."""

    on: tuple[type[Exception], ...] = ()
    times: int = 3
    seconds: float = 0.5


def run(
    search: Search[T],
    expand: Callable[[Lease[T]], Outcome[T]],
    budget: Budget,
    *,
    workers: int = 1,
    ordered: bool = True,
    batch: int = 1,
    patience: int | None = 0,
    on_tell: Callable[[Lease[T], Outcome[T], Sequence[Node[T]]], None] = lambda *_: None,
    stop: Event | None = None,
    grace: float = 5.0,
    retry: Retry | None = None,
    until: Callable[[], bool] = lambda: False,
    hold: Callable[[], bool] = lambda: False,
) -> Ending:
    """Search until nothing is left, the budget is used up, `stop` is set, `until` says so, or `patience` leases after the first solution.

    With `ordered`, leases are told in the order they were asked, so that the same seed and number of workers give the same tree.
    `batch` is the most evaluations one lease may cost. patience=None: search on. What is in flight when time is up, `stop` is set or
    something fails has `grace` seconds to finish, and is then released.
    `hold` is asked before each lease, and every TICK at least: while it says so nothing new is begun.
    An expansion that raises BudgetExhausted (it reserves money of its own, say) ends the search as any other end of the budget does.
    Raises what `expand` and `on_tell` raise (`retry.on` only after `retry.times`), and KeyboardInterrupt; no lease is out then.
    """
    with _interrupt_noted() as pressed:
        return _Run(
            search,
            expand,
            budget,
            workers,
            ordered,
            batch,
            patience,
            on_tell,
            stop or Event(),
            pressed,
            grace,
            retry or Retry(),
            until,
            hold,
        ).go()


@contextmanager
def _interrupt_noted() -> Iterator[Event]:
    """Control-C sets the event, so that it cannot fall into the middle of a tell, and is raised at the end; the second time, at once."""
    pressed = Event()
    if current_thread() is not main_thread() or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield pressed
        return

    def note(number: int, frame: FrameType | None) -> None:
        if pressed.is_set():
            signal.default_int_handler(number, frame)
        pressed.set()

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if pressed.is_set():
        raise KeyboardInterrupt


@dataclass(frozen=True, slots=True, eq=False)
class _Flight(Generic[T]):
    lease: Lease[T]
    reservation: Reservation
    future: Future[Outcome[T]]


@dataclass(slots=True, eq=False)
class _Run(Generic[T]):
    search: Search[T]
    expand: Callable[[Lease[T]], Outcome[T]]
    budget: Budget
    workers: int
    ordered: bool
    batch: int
    patience: int | None
    on_tell: Callable[[Lease[T], Outcome[T], Sequence[Node[T]]], None]
    stop: Event
    pressed: Event
    grace: float
    retry: Retry
    until: Callable[[], bool]
    hold: Callable[[], bool]
    flights: list[_Flight[T]] = field(default_factory=list)  # in the order of asking
    halt: Event = field(default_factory=Event)  # ends the waiting between retries
    since: int = 0  # leases told after the first solution
    broke: bool = False  # an expansion could not pay for what it needed
    held: bool = False

    def go(self) -> Ending:
        try:
            while not self._halted():
                self._fill()
                if self.flights:
                    self._tell_finished()
                elif self.held:
                    self.stop.wait(TICK)
                else:
                    break
        finally:
            self._land()
        return self._ending()

    def _fill(self) -> None:
        """Ask for as much work as there are workers."""
        while not self._on_hold() and len(self.flights) < self.workers and not self._satisfied():
            try:
                reservation = self.budget.reserve(evaluations=self.batch)
            except BudgetExhausted:
                return
            lease = self.search.ask()
            if lease is None:
                reservation.cancel()
                return
            self.flights.append(self._launch(lease, reservation))

    def _on_hold(self) -> bool:
        self.held = self.hold()
        return self.held

    def _launch(self, lease: Lease[T], reservation: Reservation) -> _Flight[T]:
        flight = _Flight(lease, reservation, Future())
        # A daemon: a hanging evaluation must not keep the process from ending, as the threads of an executor do.
        Thread(target=self._work, args=(flight,), name="expand", daemon=True).start()
        return flight

    def _work(self, flight: _Flight[T]) -> None:
        try:
            flight.future.set_result(self._expand(flight.lease))
        except BaseException as error:  # noqa: BLE001 (raised again in the caller's thread)
            flight.future.set_exception(error)

    def _expand(self, lease: Lease[T]) -> Outcome[T]:
        for attempt in range(self.retry.times):
            try:
                return self.expand(lease)
            except self.retry.on:
                if self.halt.wait(self.retry.seconds * 2**attempt):
                    raise
        return self.expand(lease)

    def _tell_finished(self) -> None:
        """Wait a little; tell what may be told."""
        turn = self.flights[:1] if self.ordered else self.flights
        wait([flight.future for flight in turn], TICK, FIRST_COMPLETED)
        for flight in [flight for flight in turn if flight.future.done()]:
            if isinstance(flight.future.exception(), BudgetExhausted):
                self.broke = True  # it is released when the rest lands
                return
            self._tell(flight)

    def _tell(self, flight: _Flight[T]) -> None:
        outcome = flight.future.result()
        children = 0 if outcome.child is None else 1 + len(outcome.more)
        self.since += bool(self.search.solved)
        nodes = self.search.tell(flight.lease, outcome.child, outcome.open, *outcome.more)
        self.flights.remove(flight)
        flight.reservation.settle(evaluations=children)
        self.on_tell(flight.lease, outcome, nodes)

    def _land(self) -> None:
        """Tell what finishes in time, release the rest."""
        self.halt.set()
        try:
            wait([flight.future for flight in self.flights], self.grace)
            for flight in [flight for flight in self.flights if flight.future.done()]:
                if not isinstance(flight.future.exception(), (*self.retry.on, BudgetExhausted)):
                    self._tell(flight)
        finally:
            for flight in self.flights:
                self.search.release(flight.lease)
                # Cut short, it may have been carried out all the same; failed, it was not.
                flight.reservation.settle(evaluations=0 if flight.future.done() else self.batch)
            self.flights.clear()

    def _satisfied(self) -> bool:
        return bool(self.search.solved) and self.patience is not None and self.since + len(self.flights) >= self.patience

    def _halted(self) -> bool:
        return self.broke or self.until() or self.stop.is_set() or self.pressed.is_set() or self.budget.left()["seconds"] == 0

    def _ending(self) -> Ending:
        if self.stop.is_set():
            return "stopped"
        if self._satisfied():
            return "solved"
        if self.broke or not self.search.exhausted:
            return "paused" if self.until() and not self.broke else "budget"
        return "exhausted"
