"""What providers do: storms of refusals, silence, half answers, and being away for long."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

from benchmarks.chaos.case import Stage, case
from benchmarks.chaos.look import nothing_left, paid_twice
from benchmarks.chaos.place import must
from swesearch.testing.faults import CutStream, Dropped, Fault, Overloaded, RateLimited, ServerError, SlowStream, TruncatedJson


def storm(fault: Fault) -> Callable[[int], Fault | None]:
    """Every other call fails, and now and then two in a row."""
    return lambda number: fault if number % 5 in (1, 3) else None


@case("storm-429", "the provider answers two calls of five with 429", quick=False)
def storm_429(stage: Stage) -> str:
    """They are asked again, and only they."""
    return _weathered(stage, RateLimited(0.05))


@case("storm-529", "the provider answers two calls of five with 529", quick=False)
def storm_529(stage: Stage) -> str:
    """The same."""
    return _weathered(stage, Overloaded())


@case("storm-500", "the provider answers two calls of five with 500", quick=False)
def storm_500(stage: Stage) -> str:
    """The same."""
    return _weathered(stage, ServerError())


@case("half-replies", "of every six calls one is cut off in the middle, one ends in half a JSON, one is dropped", quick=False)
def half(stage: Stage) -> str:
    """They are asked again. What such an answer cost is counted as the worst case: nobody knows whether it is billed."""
    faults: dict[int, Fault] = {1: CutStream(), 3: TruncatedJson(), 5: Dropped()}
    with stage.modelled(lambda number: faults.get(number % 6)) as made:
        assert made.provider
        made.fix("-c", "search.workers=1").ends(0)
        stage.whole(made)
        failed = sum(seen.fault is not None for seen in made.provider.requests if seen.turn)
        return f"{failed} answers came in pieces and were asked for again; the same result"


def _weathered(stage: Stage, fault: Fault) -> str:
    with stage.modelled(storm(fault)) as made:
        assert made.provider
        made.fix().ends(0)
        stage.whole(made)
        paid_twice(made)
        refused = sum(seen.status != 200 for seen in made.provider.requests)
        return f"{refused} calls refused and asked again; no answer paid twice, the same result"


@case("outage", "the provider goes away in the middle and stays away longer than the run is patient")
def outage(stage: Stage) -> str:
    """The run stops with exit code 5; resumed later, it pays for nothing again."""
    down = [True]
    with stage.modelled(lambda number: Overloaded() if number > 6 and down else None) as made:
        running = made.fix("-c", "model.patience=1")
        running.ends(5, line="swesearch resume last")
        nothing_left(made)
        down.clear()
        made.resume().ends(0)
        stage.whole(made)
        paid_twice(made)
        return "stopped with exit code 5 and one line; resumed to the same result, no answer paid twice"


@case("hung", "the provider takes a call and never answers; then Ctrl-C", quick=False)
def hung(stage: Stage) -> str:
    """It stops soon, resumable."""
    hanging = [True]
    with stage.modelled(lambda number: SlowStream(600.0) if number == 6 and hanging else None) as made:
        assert made.provider
        running = made.fix()
        running.until(lambda: len(made.provider.requests) >= 6, "the call that hangs")  # type: ignore[union-attr]
        began = time.monotonic()
        running.send(signal.SIGINT)
        running.ends(130)
        took = time.monotonic() - began
        must(took < 30, f"it took {took:.0f} s to stop")
        nothing_left(made)
        hanging.clear()
        made.resume().ends(0)
        stage.whole(made)
        twice = paid_twice(made, in_flight=1)
        return f"stopped {took:.0f} s after Ctrl-C with exit code 130; resumed to the same result, {twice} answer under way asked again"


@case("silence", "the provider takes calls and says nothing for longer than it may be silent", quick=False)
def silence(stage: Stage) -> str:
    """The call is given up and asked again."""
    with stage.modelled(lambda number: SlowStream(30.0) if number in (2, 5) else None) as made:
        made.fix("-c", "model.silence=1").ends(0)
        stage.whole(made)
        return "two silent calls given up and asked again; the same result"
