"""A new run that goes on from a node of another one: with its own budget, its own store, and what was known by then."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from swesearch.base import Attempt, Event, State, UsageError
from swesearch.codec import decode
from swesearch.runs import Fork, Run, begin
from swesearch.settings import Settings
from swesearch.solve.briefing import KEY
from swesearch.steer import LONGEST, node_of
from swesearch.store import Store


def fork(parent: Run, node: int, settings: Settings, hint: str = "") -> Run:
    """Begin a run that searches below node number `node` of `parent`, and nowhere else; `hint` is said about that node.

    Raises UsageError where there is no such node, or its edits could not be carried out.
    """
    if len(hint) > LONGEST:
        raise UsageError(f"the hint has {len(hint)} characters: at most {LONGEST} are taken, say what matters")
    events = list(parent.events())
    way = _way(parent, {event.data["id"]: event.data for event in events if event.kind == "node"}, node)
    path = [_attempt(data, _hints(events, data["id"])) for data in way]
    path[-1] = replace(path[-1], hints=(*path[-1].hints, *([hint.strip()] if hint.strip() else [])))
    root = State(next(event.data["root"] for event in reversed(events) if event.kind == "started"))
    known = list(_known(events, {attempt.state.tree for attempt in path}))
    made = begin(parent.task, settings, parent.folder.parent.parent, Fork(parent.id, node, root, tuple(path)), known)
    with ExitStack() as undo:
        undo.callback(shutil.rmtree, made.folder, ignore_errors=True)
        _copy(parent, made, [root, *(attempt.state for attempt in path)])
        undo.pop_all()
    return made


def _way(parent: Run, nodes: Mapping[int, Mapping[str, Any]], number: int) -> list[Mapping[str, Any]]:
    """The nodes from the root to this one."""
    data = node_of(parent, number)
    if data["parent"] is not None and not data["terms"]:
        raise UsageError(f"the edits of n{number} could not be carried out: fork n{data['parent']}, where they were tried")
    found, at = [], nodes.get(number)
    while at is not None:
        found.append(at)
        at = nodes.get(at["parent"])
    return found[::-1]


def _attempt(data: Mapping[str, Any], hints: tuple[str, ...]) -> Attempt:
    return Attempt(decode(data["action"]), State(data["tree"]), decode(data["evaluation"]), hints)


def _hints(events: Sequence[Event], node: int) -> tuple[str, ...]:
    """What was said about a node in the run that is forked."""
    said = (event.data for event in events if event.kind == "steered" and event.data["order"] == "hint")
    return tuple(data["text"] for data in said if data["node"] == node)


def _known(events: Sequence[Event], trees: set[str]) -> Iterator[Event]:
    """What need not be found out again: tests written for the issue, places of the bug, the briefing."""
    yield from [event for event in events if event.kind == "reproduced"][-1:]
    yield from (event for event in events if event.kind == "localised" and event.data["tree"] in trees)
    yield from (event for event in events if event.kind == "memory" and event.data["key"] == KEY)


def _copy(parent: Run, made: Run, states: Sequence[State]) -> None:
    mine, theirs = (Store.open(parent.task.repo, run.store) for run in (made, parent))
    try:
        mine.adopt(theirs, states)
    finally:
        theirs.close()
        mine.close()
