"""What every agent of a run is told first: composed once, kept in the journal, and the same to the byte after a resume."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence

from swesearch.agents import layers
from swesearch.agents.context import Context, compose
from swesearch.base import State, Task
from swesearch.code.localise import Localisation
from swesearch.code.repomap import RepositoryMap
from swesearch.dialogue import Message
from swesearch.models.wire import message_json, read_message
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.value.protect import is_test

TOKENS = 24_000  # for all of it
PLACES = 15  # suspicious lines that are shown
KEY = "briefing"


def briefing(task: Task, bench: Bench, locate: Callable[[State], Localisation], record: Record) -> Callable[[], Message]:
    """A function that gives the message: issue, failing tests, suspicious code, a map, conventions, pictures."""
    lock = threading.Lock()
    made: list[Message] = []

    def tell() -> Message:
        with lock:
            if not made:
                made.append(_kept(task, bench, locate, record))
            return made[0]

    return tell


def _kept(task: Task, bench: Bench, locate: Callable[[State], Localisation], record: Record) -> Message:
    known = record.recall(KEY)
    if known is not None:
        return read_message(known)
    context = _composed(task, bench, locate(bench.root))
    record.keep(KEY, message_json(context.message))
    _tell(context, record, () if task.checks else ("issue",))
    return context.message


def _tell(context: Context, record: Record, told: Collection[str] = ()) -> None:
    """Keep what was left out, and what hidden text was removed from layers that were not `told` of before."""
    removed = {layer: dict(counts) for layer, counts in context.removed.items() if any(counts.values()) and layer not in told}
    left_out = [{"layer": one.layer, "tokens": one.tokens, "why": one.why} for one in context.left_out if one.tokens]
    record.append("briefed", tokens=context.tokens, left_out=left_out, removed=removed)


def _composed(task: Task, bench: Bench, found: Localisation) -> Context:
    suspects = [suspicion.path for suspicion in found.lines]
    parts = (
        layers.issue(task.issue),
        layers.images(task.pictures),
        layers.failing_tests("\n".join(_failing(bench))),
        layers.localisation("\n".join(_suspicious(bench, found))),
        layers.repository_map(bench.store, bench.root, RepositoryMap(), task.issue, suspects, leave_out=is_test),
        layers.guidelines(bench.store, bench.root),
    )
    return compose(parts, TOKENS)


def _failing(bench: Bench) -> Sequence[str]:
    return [
        f"{name}: {outcome.error}: {outcome.message}"
        for check in bench.checks
        for name, outcome in list(check.baseline.failing.items())[:PLACES]
    ]


def _suspicious(bench: Bench, found: Localisation) -> Sequence[str]:
    """The most suspicious lines, with what stands there."""
    shown = []
    for suspicion in found.lines[:PLACES]:
        rows = bench.store.read(bench.root, suspicion.path).decode("utf-8", "replace").splitlines()
        text = rows[suspicion.line - 1].strip() if suspicion.line <= len(rows) else ""
        shown.append(f"{suspicion.path}:{suspicion.line}: {text}")
    return shown


def without_check(task: Task) -> Context:
    """What there is to tell before there is any failing test: the issue alone. Raises UsageError for a picture that is none."""
    return compose((layers.issue(task.issue), layers.images(task.pictures)), TOKENS)


def plain(task: Task, record: Record) -> Callable[[], Message]:
    """The message for whoever writes a failing test."""
    context = without_check(task)
    _tell(context, record)
    return lambda: context.message
