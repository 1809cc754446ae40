"""Fault localisation of states: trace their failing and passing tests in the sandbox, then rank the lines."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sandbox.base import Kind, TestOutcome, TestRun
from swesearch.base import State, UsageError
from swesearch.code.localise import Localisation, localise
from swesearch.codec import decode, encode
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.value.checks import BAD, CheckRun
from swesearch.value.protect import is_test

FAILING, PASSING = 20, 60  # tests of each kind that are traced, for each check
PROFILED = 60  # suspicious lines whose runtime types are recorded


def localiser(bench: Bench, issue: str, record: Record) -> Callable[[State], Localisation]:
    """A function from states to their localisation. Each state is traced once; what an earlier session found out is used again."""
    known: dict[State, Localisation] = {State(e.data["tree"]): decode(e.data["localisation"]) for e in record.past if e.kind == "localised"}
    lock = threading.Lock()

    def locate(state: State) -> Localisation:
        with lock:
            if state not in known:
                known[state] = _locate(bench, issue, state)
                record.append("localised", tree=state.tree, localisation=encode(known[state]))
            return known[state]

    return locate


def _locate(bench: Bench, issue: str, state: State) -> Localisation:
    """Trace lines, rank them, then trace the types at the best ones."""

    def source(path: str) -> bytes:
        try:
            return bench.store.read(state, path)
        except UsageError:
            return b""

    runs = [_lines(check, state) for check in bench.checks]
    failing = [test for run in runs for test in _outcomes(run) if test.outcome in BAD]
    passing = [test for run in runs for test in _outcomes(run) if test.outcome == "passed"]
    found = localise(failing, passing, issue, is_test, source)
    focus: dict[str, list[int]] = defaultdict(list)
    for suspicion in found.lines[:PROFILED]:
        focus[suspicion.path].append(suspicion.line)
    return replace(found, types=_types(bench.checks, state, focus))


def _lines(check: CheckRun, state: State) -> TestRun:
    baseline = check.baseline
    return check.traced(state, "lines", {}, (*list(baseline.failing)[:FAILING], *baseline.passing[:PASSING]))


def _outcomes(run: TestRun) -> Sequence[TestOutcome]:
    """The tests of a run; what was executed at import counts for a run whose tests could not be collected."""
    if run.status == "broken":
        return (
            TestOutcome("collection", "error", message=run.detail, frames=run.frames, lines=run.outcomes[0].lines if run.outcomes else {}),
        )
    return [outcome for outcome in run.outcomes if outcome.id]


def _types(checks: Sequence[CheckRun], state: State, focus: Mapping[str, Sequence[int]]) -> Mapping[str, Mapping[str, tuple[Kind, ...]]]:
    types: dict[str, dict[str, tuple[Kind, ...]]] = {}
    for check in checks if focus else ():
        for place, seen in check.traced(state, "types", focus, list(check.baseline.failing)[:FAILING]).types.items():
            types.setdefault(place, {}).update(seen)
    return types
