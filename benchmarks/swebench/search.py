"""The search on one instance: a run of swesearch in the instance's image, that goes on where it was killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.swebench.base import BenchError, Finalist, Instance, Mode, Outcome, Place
from benchmarks.swebench.modes import task_of
from benchmarks.swebench.recorded import Recorded, RecordedProposer
from sandbox.base import SandboxError
from swesearch import runs, solve
from swesearch.base import Candidate, Event, Solution, SwesearchError, Task, UsageError
from swesearch.settings import Settings

UNFINISHED = {"unfinished", "interrupted", "usage", "sandbox", "check", "model", "passes"}  # what is tried again when asked again
STATUS = {"solved": "Submitted", "budget": "LimitsExceeded", "interrupted": "Interrupted"}


def search_one(
    instance: Instance,
    place: Place,
    mode: Mode,
    settings: Settings,
    home: Path,
    *,
    patches: Sequence[Recorded] = (),
    observer: Callable[[Event], None] = lambda _: None,
    stop: threading.Event | None = None,
) -> Outcome:
    """Search on `instance` in `place`. All of it is kept in `home`/<id>: called again, a run goes on, and one that ended is only read.

    `patches` are for mode `recorded`. What could not be found out (no engine, no provider, full disk) is told in the outcome's `error`.
    Raises BenchError where the request itself is wrong.
    """
    folder = home / instance.id
    if mode == "issue" and not solve.models(settings):
        raise BenchError("mode issue needs a model: name one with --model, or choose --mode check or recorded")
    try:
        run = _run(instance, place, mode, _placed(settings, place), folder)
        if (ended := _ended(run)) is None:
            _go(run, mode, patches, observer, stop or threading.Event())
            ended = _ended(run) or "unfinished"
        return _outcome(instance, run, mode, ended)
    except (SwesearchError, SandboxError, OSError) as error:
        return Outcome(instance.id, type(error).__name__, "", error=_line(error), mode=mode, run=_name(folder))


def _placed(settings: Settings, place: Place) -> Settings:
    """The settings with the instance's own image and interpreter."""
    box: dict[str, object] = {"python": place.python}
    if place.image:
        box |= {"kind": "docker", "image": place.image}
    return settings.updated({"sandbox": box}, "the instance")


def _run(instance: Instance, place: Place, mode: Mode, settings: Settings, folder: Path) -> runs.Run:
    """The instance's one run in this mode: begun, or opened to go on under today's settings."""
    task = task_of(instance, place, mode, folder)
    known = [summary.id for summary in runs.list_runs(folder) if summary.repo == str(task.repo)]
    if known:
        return replace(runs.open_run(folder, known[0]), settings=settings)
    if mode != "recorded":
        _usable(task, settings)
    return runs.begin(task, settings, folder)


def _usable(task: Task, settings: Settings) -> None:
    try:
        solve.ready(task, settings)
    except UsageError as error:
        raise BenchError(str(error)) from error


def _go(run: runs.Run, mode: Mode, patches: Sequence[Recorded], observer: Callable[[Event], None], stop: threading.Event) -> Solution:
    if mode == "recorded":
        return solve.rank(run, lambda store: RecordedProposer(patches, store), observer, stop)
    return solve.search(run, observer, stop)


def _ended(run: runs.Run) -> str | None:
    """Why the run ended for good, None where it is worth going on."""
    why = "unfinished"
    for event in run.events():
        if event.kind in ("started", "stopped"):
            why = event.data.get("why", "unfinished")
    return None if why in UNFINISHED else why


def _outcome(instance: Instance, run: runs.Run, mode: Mode, ended: str) -> Outcome:
    found = solve.solution(run)
    if found is None or ended in UNFINISHED:
        return Outcome(instance.id, STATUS["interrupted"], "", run=run.id, error="stopped before the end: call again to go on", mode=mode)
    ranking = [*filter(None, [found.best]), *found.alternatives]
    patch = found.best.patch.decode("utf-8", "replace") if found.best else ""
    status = STATUS.get(ended, ended.capitalize())
    if ended == "budget" and 0 < run.settings.budget.seconds <= found.cost.seconds:
        status = "TimeExceeded"
    return Outcome(instance.id, status, patch, tuple(map(_finalist, ranking)), found.cost, run.id, mode=mode, confidence=found.confidence)


def _finalist(candidate: Candidate) -> Finalist:
    return Finalist(candidate.patch.decode("utf-8", "replace"), candidate.verified, candidate.attempt.evaluation.value)


def _name(folder: Path) -> str:
    return next((summary.id for summary in runs.list_runs(folder)), "") if folder.is_dir() else ""


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:500]
