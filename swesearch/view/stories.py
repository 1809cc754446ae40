"""The story of a run with its changes read from the run's own store: once, or again and again while the run goes on."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from threading import Lock
from typing import Any

from swesearch.base import JournalError, State, SwesearchError, UsageError
from swesearch.journal import Journal, is_written
from swesearch.report.patches import unified
from swesearch.report.story import Story
from swesearch.runs import JOURNAL, Run
from swesearch.store import Store

LOOK = 2.0  # seconds between two looks whether a silent process is alive: each holds its lock for a moment


class Follower:
    """Reads along in the journal of a run, whoever writes it. Safe to share between threads."""

    def __init__(self, run: Run, *, exact: bool = True) -> None:
        """`exact`: every change is read from the store at once; else the edits tell it, and `changes` looks at one node."""
        self.run = run
        self.number = 0  # of the last event that was taken in
        self.failed = False  # once the journal could not be read
        self._path = run.folder / JOURNAL
        self._lock = Lock()
        self._store = _store(run)
        self._story = Story(self._diff) if exact else Story()
        self._alive, self._looked = False, 0.0
        self._touched: dict[int, int] = {}  # by node, the number of the event that changed it last

    def step(self) -> tuple[int, bool]:
        """Take in what is new; return the number of the last event and whether somebody searches. Raises JournalError."""
        with self._lock:
            try:
                before = self.number
                self._read()
            except JournalError:
                self.failed = True
                raise
            if self.number > before or time.monotonic() - self._looked > LOOK:
                self._looked = time.monotonic()
                self._alive = self._story.running and is_written(self._path)
            return self.number, self._alive

    def _read(self) -> None:
        with closing(Journal.read(self._path)) as journal:
            for number, event in journal.events(self.number):
                self._story.see(event)
                self._touched |= dict.fromkeys(self._story.changed, number)
                self._story.changed.clear()
                self.number = number

    def story(self) -> dict[str, Any]:
        """All of it."""
        with self._lock:
            return {**self._story.to_dict(), **self._now()}

    def news(self, after: int) -> dict[str, Any]:
        """What is to be told to somebody who knows everything up to an event: the head, and the nodes that changed since."""
        with self._lock:
            rows = [node for name, node in self._story.nodes.items() if self._touched.get(name, 0) > after]
            return {"head": {**self._story.head(), **self._now()}, "nodes": rows}

    def changes(self, node: int) -> dict[str, str]:
        """What a node changed in its parent and in the base, from the store; nothing where there is no such node, or no store."""
        with self._lock:
            found = self._story.nodes.get(node)
            return self._story.changes(found, self._diff) if found else {}

    def close(self) -> None:
        """Let go of the store."""
        if self._store:
            self._store.close()

    def _now(self) -> dict[str, Any]:
        """What a journal cannot know of itself: the name of its folder, and whether its process is alive."""
        return {"run": self.run.id, "running": self._alive}

    def _diff(self, a: str, b: str) -> str:
        """From one tree to another; empty where a state was lost with its repository: the edits are shown then."""
        with suppress(SwesearchError):
            return unified(self._store.texts(State(a), State(b))) if self._store else ""
        return ""


def story_of(run: Run) -> dict[str, Any]:
    """The story of a run as far as it is. Raises JournalError."""
    with closing(Follower(run)) as follower:
        follower.step()
        return follower.story()


def _store(run: Run) -> Store | None:
    """The run's store; None where the repository is gone, or the run was brought here from elsewhere."""
    if not run.store.is_dir():
        return None
    try:
        return Store.open(run.task.repo, run.store)
    except UsageError:
        return None
