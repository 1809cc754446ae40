"""Runs on disk: one folder each, holding the journal, the private store of states and the patch."""

from __future__ import annotations

import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from swesearch import __version__
from swesearch.base import Attempt, Event, JournalError, State, Task, UsageError
from swesearch.codec import decode, encode
from swesearch.journal import Journal, mend, never_begun
from swesearch.settings import Settings

JOURNAL, STORE, PATCH = "journal.sqlite", "store.git", "patch.diff"


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a run began that starts from a node of another one: the way to that node, and what was known by then."""

    run: str
    node: int
    root: State  # what the other run's working copy held, without tests that were written for it
    path: tuple[Attempt, ...]  # from the root to the node

    def to_dict(self) -> dict[str, Any]:
        """For the journal."""
        return {"run": self.run, "node": self.node, "root": encode(self.root), "path": encode(self.path)}


@dataclass(frozen=True, slots=True)
class Run:
    """A run: its folder, what it was asked to do, and how."""

    folder: Path
    task: Task
    settings: Settings
    fork: Fork | None = None  # where it began, if not with the code as it was

    @property
    def id(self) -> str:
        """The name of the run's folder."""
        return self.folder.name

    @property
    def store(self) -> Path:
        """The private git directory that holds every state of the run."""
        return self.folder / STORE

    @property
    def patch(self) -> Path:
        """Where the best patch so far stands."""
        return self.folder / PATCH

    def journal(self) -> Journal:
        """The run's journal, opened for writing. Raises JournalError while another process writes to it."""
        return Journal.open(self.folder / JOURNAL)

    def events(self, kind: str = "") -> Iterator[Event]:
        """Everything that happened so far, oldest first; of one `kind`, if given."""
        yield from _events(self.folder, kind)


@dataclass(frozen=True, slots=True)
class Summary:
    """One line of the list of runs."""

    id: str
    repo: str
    started: float  # seconds since the epoch
    state: str  # why it stopped, or "unfinished"
    evaluations: int
    best: float


def begin(task: Task, settings: Settings, home: Path, fork: Fork | None = None, known: Sequence[Event] = ()) -> Run:
    """Make the folder of a new run, of which `known` is known already. Raises UsageError where `home` cannot be written."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", task.repo.resolve().name).strip("-.") or "repository"
    folder = home / "runs" / f"{time.strftime('%Y%m%d-%H%M%S')}-{name[:40]}-{secrets.token_hex(2)}"
    begun = {"task": encode(task), "settings": settings.to_dict(), "version": __version__, "time": time.time()}
    begun |= {"forked": fork.to_dict()} if fork else {}
    try:
        folder.mkdir(parents=True)
        _sweep(home)
        Journal.create(folder / JOURNAL, Event("begun", begun), *known).close()
    except OSError as error:
        raise UsageError(f"{home} cannot be written ({error.strerror}): choose another place with --home or SWESEARCH_HOME") from error
    return Run(folder, task, settings, fork)


def _sweep(home: Path) -> None:
    """Remove what is left of runs that died before they had begun."""
    for lock in (home / "runs").glob(f"*/{JOURNAL}.lock"):
        if never_begun(lock.parent / JOURNAL):
            shutil.rmtree(lock.parent, ignore_errors=True)


def mend_run(home: Path, name: str) -> str:
    """Where the journal of a run is damaged, keep what stands before the damage. Says so; "" where nothing is wrong.

    Raises UsageError where there is no such run, JournalError where nothing can be kept, or another process writes to it.
    """
    path = _folder(home, name) / JOURNAL
    kept = mend(path)
    return "" if kept is None else f"the run's journal is damaged: going on from its first {kept} events; as it was, it is {path}.damaged"


def open_run(home: Path, name: str) -> Run:
    """The run with this id or the one that begins with it; "last" is the newest. Raises UsageError where there is none or several."""
    folder = _folder(home, name)
    begun = next(_events(folder)).data
    settings = _raised(Settings.from_dict(begun["settings"]), _events(folder, "steered"))
    return Run(folder, decode(begun["task"]), settings, Fork(**decode(begun["forked"])) if begun.get("forked") else None)


def _folder(home: Path, name: str) -> Path:
    found = sorted(p for p in (home / "runs").glob("*") if (p / JOURNAL).is_file())
    chosen = found[-1:] if name == "last" else [p for p in found if p.name == name] or [p for p in found if p.name.startswith(name)]
    if len(chosen) != 1:
        what = f"{len(chosen)} runs begin with {name!r}" if chosen else f"there is no run {name!r}"
        raise UsageError(f"{what} in {home / 'runs'}: `swesearch runs` lists them")
    return chosen[0]


def _raised(settings: Settings, steered: Iterable[Event]) -> Settings:
    """The settings with what was added to the budget while the run went on. What had no limit has none."""
    for unit, amount in (pair for event in steered for pair in event.data.get("more", {}).items()):
        if limit := getattr(settings.budget, unit):
            settings = settings.updated({"budget": {unit: limit + type(limit)(amount)}}, "swesearch add")
    return settings


def list_runs(home: Path) -> list[Summary]:
    """All runs, newest first."""
    found = sorted((home / "runs").glob("*"), reverse=True)
    return [_summary(path, _stamp(path)) for path in found if (path / JOURNAL).is_file()]


def _events(folder: Path, kind: str = "") -> Iterator[Event]:
    journal = Journal.read(folder / JOURNAL)
    try:
        for _, event in journal.events(kind=kind):
            yield event
    finally:
        journal.close()


def _stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """What changes whenever something is written to a run's journal, which may be in its log still."""
    files = [path.stat() for path in (folder / JOURNAL, folder / f"{JOURNAL}-wal") if path.exists()]
    return tuple((each.st_mtime_ns, each.st_size) for each in files)


@lru_cache(1000)  # the view lists runs again and again
def _summary(folder: Path, _: tuple[tuple[int, int], ...]) -> Summary:
    try:
        return _folded(folder)
    except JournalError:  # one that cannot be read must not hide the others
        return Summary(folder.name, "", folder.stat().st_mtime, "damaged", 0, 0.0)


def _folded(folder: Path) -> Summary:
    begun: dict[str, Any] = {}
    state, evaluations, best = "unfinished", 0, 0.0
    for event in _events(folder):
        if event.kind == "begun":
            begun = dict(event.data)
        elif event.kind == "node":
            evaluations, best = evaluations + 1, max(best, event.data["value"])
        elif event.kind in ("started", "stopped"):
            state = event.data.get("why", "unfinished")
    return Summary(folder.name, str(decode(begun["task"]).repo), begun["time"], state, evaluations, best)
