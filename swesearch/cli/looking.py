"""Look at runs and settings. Nothing is changed here."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from swesearch import runs as store
from swesearch.cli.options import home_folder, repository
from swesearch.report.progress import STOPPED
from swesearch.report.solution import show_solution
from swesearch.report.terminal import console
from swesearch.report.text import line, safe
from swesearch.report.tree import show_tree
from swesearch.settings import KEYS, load


def runs(home: Path | None) -> None:
    """Print the runs, newest first."""
    found = store.list_runs(home_folder(home, os.environ))
    if not found:
        print(f"no runs in {home_folder(home, os.environ)}", file=sys.stderr)
        return
    width = max(len(run.id) for run in found)
    print(f"{'RUN':{width}}  {'STARTED':16}  {'EVALUATIONS':>11}  BEST  STATE")
    for run in found:
        started = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started))
        state = STOPPED.get(run.state, run.state)
        print(f"{safe(run.id):{width}}  {started:16}  {run.evaluations:>11}  {run.best:.2f}  {safe(state)}: {line(run.repo)}")


def show(name: str, limit: int, home: Path | None) -> None:
    """Print what a run is about, its tree, and its result where it has one."""
    from swesearch import solve  # slow to import, and only this needs it

    run = store.open_run(home_folder(home, os.environ), name)
    print(f"run   {run.id}")
    print(f"repo  {safe(str(run.task.repo))}")
    for check in run.task.checks:
        print(f"check {line(' '.join(check.command))}")
    print(f"state {line(_state(run))}")
    print()
    show_tree(console(sys.stdout), run.events(), limit)
    if found := solve.solution(run):
        print()
        show_solution(console(sys.stdout), found, run.task, run.id, run.patch, solve.reproduction(run))


def _state(run: store.Run) -> str:
    """How the last session of the run ended."""
    last = next((event.data for event in reversed([*run.events()]) if event.kind in ("started", "stopped")), {})
    ended = STOPPED.get(last.get("why", ""), "unfinished")
    return f"{ended}: {error}" if (error := last.get("error")) else ended


def config(path: Path, preset: str, given: Sequence[str]) -> None:
    """Print every setting, its value, where it was set and what it means."""
    for key, value, origin in load(repository(path), os.environ, preset, given).items():
        shown = list(value) if isinstance(value, tuple) else value
        print(f"{key} = {safe(repr(shown))}  # {KEYS[key].metadata['help']} [{safe(origin)}]")
