"""Fault localisation in the sandbox: where the bug of a state is, found out once and kept in the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from sandbox.base import Kind, TestRun
from swesearch.base import State, UsageError
from swesearch.code.localise import Localisation, Localiser, Trace
from swesearch.codec import decode, encode
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.value.checks import CUT, CheckRun, slow_beside
from swesearch.value.protect import is_test

FAILING, PASSING = 20, 60  # tests of each kind that are traced, for each check
HANGING = 2  # of the failing ones that do not end


def localiser(bench: Bench, issue: str, record: Record) -> Callable[[State], Localisation]:
    """A function from states to their localisation. What an earlier session of the run found out is used again."""
    failing = [name for check in bench.checks for name in check.baseline.failing]
    locate = Localiser(
        lambda state, trace: _traced(bench, state, trace), lambda state, path: _read(bench, state, path), failing, issue, is_test
    )
    kept: dict[State, Localisation] = {State(e.data["tree"]): decode(e.data["localisation"]) for e in record.past if e.kind == "localised"}
    lock = threading.Lock()

    def remembered(state: State) -> Localisation:
        with lock:  # two workers may want the same state at once
            if state not in kept:
                record.show("phase", name="localise", detail="tracing the failing tests and their neighbours")
                kept[state] = locate(state)
                record.append("localised", tree=state.tree, localisation=encode(kept[state]))
                record.show("phase", name="search", detail=_best(kept[state]))
            return kept[state]

    return remembered


def _best(found: Localisation) -> str:
    places = ", ".join(f"{suspicion.path}:{suspicion.line}" for suspicion in found.lines[:3])
    return f"most suspicious: {places}" if places else "no line of the repository is suspicious"


def _read(bench: Bench, state: State, path: str) -> bytes:
    try:
        return bench.store.read(state, path)
    except UsageError:
        return b""


def _traced(bench: Bench, state: State, trace: Trace) -> TestRun:
    """One run of all checks together."""
    runs = [_one(check, state, trace) for check in bench.checks]
    types: dict[str, dict[str, tuple[Kind, ...]]] = {}
    for run in runs:
        for place, seen in run.types.items():
            types.setdefault(place, {}).update(seen)
    return replace(runs[0], outcomes=tuple(outcome for run in runs for outcome in run.outcomes), types=types)


def _one(check: CheckRun, state: State, trace: Trace) -> TestRun:
    """The wanted tests that belong to this check; a file stands for the tests in it that pass on the root.

    What is slow beside quick ones that fail, too, waits for a state on which those pass: a tracer makes it slower by far.
    """
    failing, passing = check.baseline.failing, check.baseline.passing
    hanging = [name for name, outcome in failing.items() if outcome.error == CUT]
    late = {*hanging[HANGING:], *(slow_beside(failing) if state == check.root else ())}
    own = [name for name in trace.tests if name in failing and name not in late][:FAILING]
    neighbours = any("::" not in name and name not in failing for name in trace.tests)
    wanted = [*own, *(passing[:PASSING] if neighbours else ())]
    return check.traced(state, trace.kind, trace.focus, wanted) if wanted else TestRun("empty")
