"""What a run tells: to its journal, and to whoever watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from swesearch.base import Attempt, Cost, Evaluation, Event, State
from swesearch.codec import decode, encode
from swesearch.engine.budget import Budget
from swesearch.engine.search import Search
from swesearch.journal import Journal

BREATH = 0.2  # seconds between two progress events


class Record:
    """Appends events to the journal and shows them to the observer; knows what an earlier session of the run appended."""

    def __init__(self, journal: Journal, observer: Callable[[Event], None]) -> None:
        self._journal = journal
        self._observer = observer
        self.past = tuple(event for _, event in journal.events())
        self._nodes = {(e.data["parent"], e.data["tree"], e.data["why"]): e.data["id"] for e in self.past if e.kind == "node"}
        self._memory: dict[str, Any] = {e.data["key"]: e.data["value"] for e in self.past if e.kind == "memory"}
        self._ids: dict[int, int] = {}  # of nodes of the search tree
        self._indices: dict[int, int] = {}  # the other way round
        self._shown = 0.0
        self._thread = threading.local()

    def append(self, kind: str, **data: Any) -> None:
        """Keep an event and show it."""
        event = Event(kind, data)
        self._journal.append(event)
        self._observer(event)

    def show(self, kind: str, **data: Any) -> None:
        """Show an event that follows from what is kept."""
        self._observer(Event(kind, data))

    def recall(self, key: str) -> Any:
        """What this run, or an earlier session of it, kept under `key`; None where nothing was."""
        return self._memory.get(key)

    def keep(self, key: str, value: Any) -> None:
        """Keep what was paid for. Nobody is shown it: conversations are long."""
        self._memory[key] = value
        about = getattr(self._thread, "about", {})
        self._journal.append(Event("memory", {"key": key, "value": value, **about}), durable=True)

    @contextmanager
    def about(self, parent: State, why: str) -> Iterator[None]:
        """Say of everything that this thread keeps meanwhile which node it was for: the child of `parent` that is called `why`."""
        self._thread.about = {"parent": parent.tree, "why": why}
        try:
            yield
        finally:
            self._thread.about = {}

    def node(self, attempt: Attempt, parent: int | None, index: int | None, **marks: object) -> None:
        """Keep what came of one action. `index`, `parent`: numbers in the search tree, None for a dead end; `marks`: more to keep."""
        above = None if parent is None else self._ids[parent]
        why = attempt.action.why if attempt.action else ""
        key = (above, attempt.state.tree, why)
        known = key in self._nodes
        number = self._nodes.setdefault(key, len(self._nodes))
        if index is not None:
            self._ids.setdefault(index, number)
            self._indices.setdefault(number, index)
        if not known:
            self.append("node", id=number, parent=above, why=why, **_facts(attempt), **marks)

    def node_id(self, index: int) -> int:
        """The number in the journal of a node of the search tree."""
        return self._ids[index]

    def index(self, number: int) -> int | None:
        """The other way round; None for a dead end, and for what this session's tree does not hold yet."""
        return self._indices.get(number)

    def progress(self, search: Search[Attempt], budget: Budget, last: bool = False) -> None:
        """Show how far the search is, not more often than a person can read."""
        now = time.monotonic()
        if last or now - self._shown >= BREATH:
            self._shown = now
            spent = budget.spent()
            depth = max((node.depth for node in search.nodes[-1:]), default=0)
            rate = spent["evaluations"] / spent["seconds"] if spent["seconds"] else 0.0
            self.show(
                "progress", evaluations=int(spent["evaluations"]), seconds=spent["seconds"], best=search.root.best,
                nodes=len(search.nodes), depth=depth, candidates_per_second=rate, tokens=int(spent["tokens"]), dollars=spent["dollars"],
            )  # fmt: skip

    def evaluations(self) -> Mapping[State, Evaluation]:
        """What an earlier session found out about states."""
        found = (event.data for event in self.past if event.kind == "node" and event.data["terms"])
        return {State(data["tree"]): decode(data["evaluation"]) for data in found}

    def kept(self, kind: str) -> Mapping[str, Any] | None:
        """The data of the last event of this kind of an earlier session."""
        return next((event.data for event in reversed(self.past) if event.kind == kind), None)

    def used(self) -> dict[str, float]:
        """What earlier sessions used: seconds of those that were told to stop; money also of those that were killed."""
        stops = [event.data for event in self.past if event.kind == "stopped"]
        replies = [value for key, value in self._memory.items() if key.startswith("reply:")]
        last = stops[-1] if stops else {}
        return {
            "seconds": sum(data["seconds"] for data in stops),
            "tokens": max(last.get("tokens", 0), sum(sum(reply["usage"].values()) for reply in replies)),
            "dollars": max(last.get("dollars", 0.0), sum(reply["dollars"] for reply in replies)),
        }


def cost(budget: Budget) -> Cost:
    """What was used, as a value."""
    spent = budget.spent()
    return Cost(int(spent["evaluations"]), spent["seconds"], int(spent["tokens"]), spent["dollars"])


def _facts(attempt: Attempt) -> dict[str, Any]:
    evaluation = attempt.evaluation
    return {
        "tree": attempt.state.tree,
        "prior": attempt.action.prior if attempt.action else None,
        "value": evaluation.value,
        "solved": evaluation.solved,
        "seconds": evaluation.seconds,
        "terms": [{"name": m.name, "score": m.score, "known": m.known, "feedback": m.feedback} for m in evaluation.terms],
        "evaluation": encode(evaluation),
        "action": encode(attempt.action),
    }
