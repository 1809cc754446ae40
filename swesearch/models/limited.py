"""How fast a provider may be asked, and how long we wait for one that is down.

More calls at once while all goes well, half as many when the provider says that it is too much: additive increase,
multiplicative decrease, as in TCP (Chiu and Jain, 1989).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from swesearch.base import ModelUnavailable
from swesearch.dialogue import Model, Reply, Request
from swesearch.models.trouble import TryLater, pause

FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0  # seconds between tries, doubled each time
LONGEST_PAUSE = 60.0  # seconds that the headers of a good answer can hold us up
LONG = 3.0  # seconds of waiting for one answer from which on somebody is told why nothing happens
TURN = 0.02  # seconds until we look again whether it is our turn


class Limiter:
    """How many calls may be under way at once. Shared by all who ask the same provider; an error it asks to wait for holds up all."""

    def __init__(self, start: float = 4.0, most: int = 32, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit, self.under_way = start, 0
        self._most, self._clock, self._lock = most, clock, threading.Lock()
        self._closed_until = self._halved = clock()

    def enter(self) -> float:
        """Take a place: 0.0, or else the seconds after which to try again."""
        with self._lock:
            wait = self._closed_until - self._clock()
            if wait <= 0 and self.under_way >= int(self.limit):
                wait = TURN
            self.under_way += wait <= 0
            return max(0.0, wait)

    def leave(self, begun: float, *, well: bool = False, busy: bool = False) -> None:
        """Give the place back. `begun`: when it was taken; calls that were under way together halve the limit once."""
        with self._lock:
            self.under_way -= 1
            if well:
                self.limit = min(self._most, self.limit + 1 / self.limit)
            elif busy and begun >= self._halved:
                self.limit, self._halved = max(1.0, self.limit / 2), self._clock()

    def close(self, seconds: float) -> None:
        """Let nobody in for so long."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock() + seconds)

    def heed(self, headers: Mapping[str, str]) -> None:
        """Do what the headers of an answer ask: wait where nothing is left until the next reset."""
        if seconds := pause(headers, datetime.now(UTC)):
            self.close(min(seconds, LONGEST_PAUSE))


_LIMITERS: dict[tuple[str, str], Limiter] = {}


def limiter_of(provider: str, address: str) -> Limiter:
    """The one limiter that this process has for a provider."""
    return _LIMITERS.setdefault((provider, address), Limiter())


class Limited:
    """A model that waits its turn, and waits for a provider in trouble, but not for ever.

    Patience is what lies between the first failure of a question and giving up. `stop` ends all waiting. `tell` hears of each long one.
    """

    def __init__(
        self,
        model: Model,
        limiter: Limiter,
        patience_seconds: float = 120.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        *,
        stop: threading.Event | None = None,
        chance: Callable[[], float] = random.random,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._model, self._limiter, self._patience, self._clock, self._chance = model, limiter, patience_seconds, clock, chance
        self._stop, self._tell = stop or threading.Event(), tell
        self._sleep = sleep or self._stop.wait

    def complete(self, request: Request) -> Reply:
        """Ask until there is an answer. Raises ModelUnavailable once patience is over or `stop` is set, and what else the model raises."""
        first: float | None = None
        tries, told = 0, False
        while True:
            try:
                with self._turn():
                    return self._model.complete(request)
            except TryLater as trouble:
                first = self._clock() if first is None else first
                wait = self._wait(trouble, tries)
                self._give_up_late(trouble, first, wait)
                if not told and self._clock() - first + wait >= LONG:
                    self._tell(f"{trouble}; asking again for up to {self._patience:.0f} s")
                    told = True
            tries += 1
            self._rest(wait)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        while wait := self._limiter.enter():
            if wait > self._patience:
                raise ModelUnavailable(f"the provider asks everybody to wait {wait:.0f} s; `swesearch resume last` goes on")
            self._rest(wait)
        begun, well, busy = self._clock(), False, False
        try:
            yield
            well = True
        except TryLater as trouble:
            busy = trouble.busy
            raise
        finally:
            self._limiter.leave(begun, well=well, busy=busy)

    def _wait(self, trouble: TryLater, tries: int) -> float:
        """How long to wait: as long as we are asked to, else twice as long each time; never all at the same moment."""
        backoff = min(LONGEST_WAIT, FIRST_WAIT * 2**tries) * (0.5 + self._chance() / 2)
        wait = backoff if trouble.after is None else trouble.after + self._chance() * min(1.0, trouble.after / 10)
        if trouble.busy:
            self._limiter.close(wait if trouble.after is None else trouble.after)
        return wait

    def _give_up_late(self, trouble: TryLater, first: float, wait: float) -> None:
        spent = self._clock() - first
        if spent + wait > self._patience:
            asked = f", and asks to wait {trouble.after:.0f} s more" if trouble.after else ""
            raise ModelUnavailable(f"{trouble}, for {spent:.0f} s{asked}; `swesearch resume last` goes on") from None

    def _rest(self, seconds: float) -> None:
        if not self._stop.is_set():
            self._sleep(seconds)
        if self._stop.is_set():
            raise ModelUnavailable("stopped while waiting for the provider; `swesearch resume last` goes on")
