"""The real parts of an evaluation, in a form that can be sent to where they run."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.swebench.base import Grade, Instance, Mode, Outcome, Place
from benchmarks.swebench.grade import grade
from benchmarks.swebench.images import Environments
from benchmarks.swebench.modes import task_of
from benchmarks.swebench.recorded import Recorded
from benchmarks.swebench.search import search_one
from benchmarks.swebench.workers import Life, Tell
from swesearch import runs
from swesearch.base import Event
from swesearch.cli.options import home_folder
from swesearch.report.progress import Progress
from swesearch.settings import Settings
from swesearch.store import Store

EVERY = 1.0  # seconds between two words on how far a search is


@dataclass(frozen=True, slots=True)
class Places:
    """Makes instances ready on the machine it is called on; what it makes is kept below $SWESEARCH_HOME there."""

    repos: Path | None = None
    python_root: Path | None = None
    pull: bool = True

    def __call__(self, instance: Instance, tell: Tell) -> Place:
        """An image and a checkout. Raises SandboxUnavailable and BenchError."""
        with closing(self._environments(tell)) as environments:
            return environments.ready(instance)

    def done(self, instance: Instance, place: Place, left: Iterable[Instance]) -> None:
        """Remove the images of `instance` that none that is `left` needs."""
        with closing(self._environments(lambda _: None)) as environments:
            environments.done(instance, place, left)

    def _environments(self, tell: Tell) -> Environments:
        cache = home_folder(None, os.environ) / "swebench-cache"
        return Environments(cache, self.repos, self.python_root, self.pull, tell)


@dataclass(frozen=True, slots=True)
class Searching:
    """The search on one instance."""

    mode: Mode
    settings: Settings
    patches: tuple[Recorded, ...] = ()

    def __call__(self, instance: Instance, place: Place, home: Path, life: Life) -> Outcome | None:
        """The outcome; None where it was stopped before the end."""
        for run in runs.list_runs(home):
            _make_whole(runs.open_run(home, run.id), instance, place, self.mode)
        teller = _Teller(life.tell, Progress(most_dollars=self.settings.budget.dollars))
        found = search_one(
            instance, place, self.mode, self.settings, home.parent, patches=self.patches, observer=teller.see, stop=life.stop
        )
        return None if life.stop.is_set() and found.error else found


@dataclass(frozen=True, slots=True)
class Grading:
    """The official grading."""

    def __call__(self, instance: Instance, place: Place, patch: str, home: Path) -> Grade:
        """The verdict on a patch, kept beside the instance's folder. Raises SandboxUnavailable and BenchError."""
        return grade(place, instance, patch, home.parent)


@dataclass(frozen=True, slots=True)
class Pruning:
    """Removes images when an instance is done, but for those that the ones that are left need."""

    places: Places
    left: tuple[Instance, ...]

    def __call__(self, instance: Instance, place: Place) -> None:
        """Remove what only `instance` needed."""
        self.places.done(instance, place, self.left)


class _Teller:
    """Tells how far a search is, once a second."""

    def __init__(self, tell: Tell, progress: Progress) -> None:
        self._tell, self._progress = tell, progress
        self._last = 0.0

    def see(self, event: Event) -> None:
        """Take in an event."""
        self._progress.see(event)
        if time.monotonic() - self._last > EVERY:
            self._last = time.monotonic()
            self._tell(self._progress.summary())


def _make_whole(run: runs.Run, instance: Instance, place: Place, mode: Mode) -> None:
    """A run whose journal came from another machine has no states here: make its root again, from which all others follow.

    Where the root is another one (something was built differently here) the run cannot go on, and a new one begins.
    """
    known = next((event.data["root"] for event in run.events() if event.kind == "started"), None)
    if known is None or run.store.exists():
        return
    task_of(instance, place, mode, run.folder.parent.parent)  # its checkout
    store = Store.open(run.task.repo, run.store)
    try:
        same = store.root().tree == known
    finally:
        store.close()
    if not same:
        shutil.rmtree(run.folder)


def slim(instance: Instance) -> Instance:
    """What tells which environment an instance needs, and little else."""
    return replace(instance, issue="", patch="", test_patch="", fail_to_pass=(), pass_to_pass=(), row={})
