"""What finished runs hand over: read it back, and write it to the user's working copy."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from swesearch.apply import apply_patch
from swesearch.base import Candidate, Event, Solution, State, UsageError
from swesearch.codec import decode
from swesearch.runs import Run
from swesearch.solve.hunt import write
from swesearch.solve.reproduce import FOLDER
from swesearch.store import Store


def solution(run: Run) -> Solution | None:
    """The last result of a run, None where it has none yet."""
    found = [event.data["solution"] for event in run.events() if event.kind == "solution"]
    return decode(found[-1]) if found else None


def reproduction(run: Run) -> Path | None:
    """The folder with the tests that were written for the run, None where none were."""
    folder = run.folder / FOLDER
    return folder if folder.is_dir() else None


def picked(run: Run) -> int:
    """The number of the result that is handed over where none is named: what the user picked since the last one, else 0."""
    number = 0
    for event in run.events():
        if event.kind in ("solution", "picked"):
            number = event.data.get("number", 0)
    return number


def pick(run: Run, number: int) -> Candidate:
    """Let result `number` be the one that is handed over where none is named. Raises UsageError, JournalError while the run goes on."""
    chosen = candidate(run, number)
    journal = run.journal()
    try:
        journal.append(Event("picked", {"number": number, "node": chosen.attempt.state.tree}), durable=True)
    finally:
        journal.close()
    write(run.patch, chosen.patch)
    return chosen


def apply(run: Run, which: int | None = None, *, commit: bool = False, branch: str | None = None) -> tuple[str, ...]:
    """Write result number `which` (0: the best; None: what was picked) to the working copy; returns the paths written.

    Raises UsageError where there is no such result, or where the files are no longer as the run found them: nothing is written then.
    """
    chosen = candidate(run, which)
    root = root_of(run.events())
    store = Store.open(run.task.repo, run.store)
    why = chosen.attempt.action.why if chosen.attempt.action else "Repair"
    message = f"{why[:1].upper()}{why[1:]}\n\nFound and verified by swesearch, run {run.id}.\n"
    try:
        return apply_patch(run.task.repo, store, root, chosen.attempt.state, commit=commit, branch=branch, message=message)
    finally:
        store.close()


def root_of(events: Iterable[Event]) -> State:
    """The state that patches are made against: the code as it was, with the tests that were written for the issue if there are any."""
    return State([event.data["root"] for event in events if event.kind in ("started", "reproduced")][-1])


def candidate(run: Run, which: int | None = None) -> Candidate:
    """Result number `which` of a run (0: the best; None: what was picked). Raises UsageError where there is none."""
    found, which = solution(run), picked(run) if which is None else which
    candidates = (found.best, *found.alternatives) if found else ()
    if any(candidates) and which >= len(candidates):
        raise UsageError(
            f"run {run.id} has {len(candidates)} result{'s' if len(candidates) > 1 else ''}, numbered from 0: there is no {which}"
        )
    chosen = candidates[which] if any(candidates) else None
    if chosen is None and any(candidates):
        raise UsageError(f"run {run.id} found nothing as certain as was asked for: -n 1 applies the best there is")
    if chosen is None:
        raise UsageError(f"run {run.id} has no verified fix to apply: go on with `swesearch resume {run.id}`")
    return chosen
