"""Run a search in the foreground: views, Ctrl-C, the result, the exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import TextIO

from swesearch import runs, solve
from swesearch.base import Event, Task
from swesearch.cli.options import home_folder, parse_checks, read_issue, repository
from swesearch.report.progress import Progress
from swesearch.report.solution import show_solution
from swesearch.report.terminal import JsonLines, Lines, Screen, console
from swesearch.report.text import safe
from swesearch.settings import load

BUDGET_ENDED, INTERRUPTED = 3, 130
SHOW_CURSOR = b"\x1b[?25h"


@dataclass(frozen=True, slots=True)
class Output:
    """How a run is to be shown."""

    json: bool = False
    quiet: bool = False
    verbose: bool = False

    def view(self, progress: Progress) -> Lines | Screen:
        """The view for people, on stderr: live where that is a terminal and stdout is not for a program."""
        out = console(sys.stderr)
        if out.is_terminal and not out.is_dumb_terminal and not self.json and not self.quiet:
            return Screen(out, progress, time.monotonic, self.verbose)
        return Lines(out, progress, time.monotonic, self.verbose, self.quiet)


def fix(
    path: Path,
    issue: str,
    pictures: tuple[bytes, ...],
    preset: str,
    given: Sequence[str],
    flags: Mapping[str, object],
    home: Path | None,
    apply_it: bool,
    output: Output,
) -> int:
    """Begin a run and search. Returns the exit code."""
    repo = repository(path)
    settings = load(repo, os.environ, preset, given, flags)
    task = Task(repo, parse_checks(settings.task.checks, bool(solve.models(settings))), read_issue(issue), pictures)
    solve.ready(task, settings)
    run = runs.begin(task, settings, home_folder(home, os.environ))
    code = search(run, output)
    if apply_it and code == 0:
        _apply(run, 0, commit=False, branch=None, out=sys.stderr if output.json else sys.stdout)
    return code


def dry_run(path: Path, issue: str, preset: str, given: Sequence[str], flags: Mapping[str, object]) -> int:
    """Print what would be done and the most it can cost. Nothing is called, run or written."""
    repo = repository(path)
    settings = load(repo, os.environ, preset, given, flags)
    task = Task(repo, parse_checks(settings.task.checks, bool(solve.models(settings))), read_issue(issue))
    for row in solve.plan(task, settings):
        print(safe(row, keep=""))
    return 0


def resume(name: str, budget: Mapping[str, float], offline: bool, home: Path | None, output: Output) -> int:
    """Go on with a run, with `budget` on top of what it has used; `offline` with kept answers only. Returns the exit code."""
    if words := runs.mend_run(home_folder(home, os.environ), name):
        print(f"warning: {words}", file=sys.stderr)
    run = runs.open_run(home_folder(home, os.environ), name)
    settings = run.settings.updated({"model": {"answers": "record"}}, "--offline") if offline else run.settings
    for key, amount in _added(budget, run.events()).items():
        section, _, option = key.partition(".")
        settings = settings.updated({section: {option: amount}}, "--budget")
    code = search(replace(run, settings=settings), output)
    if code == 0:
        say_how_to_publish(run)
    return code


def say_how_to_publish(run: runs.Run) -> None:
    """Where the run began with an issue on GitHub: how its fix gets there."""
    if run.task.url:
        print(f"open a draft pull request: swesearch open-pr {run.id}", file=sys.stderr)


def _added(budget: Mapping[str, float], events: Iterable[Event]) -> dict[str, float]:
    """The new limits: what was used so far and `budget` on top."""
    used: dict[str, float] = {"budget.evaluations": 0, "budget.seconds": 0.0, "budget.tokens": 0, "budget.dollars": 0.0}
    for event in events:
        used["budget.evaluations"] += event.kind == "node" and bool(event.data["terms"])
        if event.kind == "stopped":
            used["budget.seconds"] += event.data["seconds"]
            used |= {"budget.tokens": int(event.data.get("tokens", 0)), "budget.dollars": event.data.get("dollars", 0.0)}
    return {key: amount + used.get(key, 0) for key, amount in budget.items()}


def apply(name: str, number: int | None, commit: bool, branch: str | None, home: Path | None) -> None:
    """Write a result of a run to the working copy."""
    _apply(runs.open_run(home_folder(home, os.environ), name), number, commit or branch is not None, branch, sys.stdout)


def _apply(run: runs.Run, number: int | None, commit: bool, branch: str | None, out: TextIO) -> None:
    for path in solve.apply(run, number, commit=commit, branch=branch):
        print(f"changed {safe(path, keep='')}", file=out)


def search(run: runs.Run, output: Output) -> int:
    """Search in the foreground and show what came of it. Returns the exit code."""
    budget = run.settings.budget
    view = output.view(Progress(budget.evaluations, budget.seconds, most_dollars=budget.dollars))
    machine = JsonLines(sys.stdout) if output.json else None
    ended: list[int] = []
    gone: list[OSError] = []
    one_at_a_time = threading.Lock()

    def observe(event: Event) -> None:
        with one_at_a_time:  # workers tell too
            if event.kind == "stopped":
                ended.append(event.data["exit_code"])
            try:
                if machine and not gone:
                    machine.see(event)
                if not gone:
                    view.see(event)
            except OSError as error:  # a terminal or pipe was closed: what was found out is kept all the same
                gone.append(error)
                stop.set()

    with interruptible() as stop, view.watch():
        solution = solve.search(run, observe, stop)
    if gone:
        raise gone[0]
    code = ended[-1] if ended else int(solution.best is None)
    if not output.json:
        show_solution(console(sys.stdout), solution, run.task, run.id, run.patch, solve.reproduction(run), _again(run, code))
    return code


def _again(run: runs.Run, code: int) -> str:
    """The command that goes on with a run which ended with this code, empty where it would do no good."""
    more = "'500,10m,$1'" if solve.models(run.settings) else "500"
    return {BUDGET_ENDED: f"swesearch resume {run.id} --budget {more}", INTERRUPTED: f"swesearch resume {run.id}"}.get(code, "")


@contextmanager
def interruptible() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets, or SIGTERM, or the end of the terminal unless that is to be ignored (nohup).

    The second one ends the process at once: boxes die with their pipes.
    """
    stop, pressed = threading.Event(), threading.Event()

    def handle(_number: int, _frame: FrameType | None) -> None:
        if pressed.is_set():
            os.write(2, SHOW_CURSOR if sys.stderr.isatty() else b"")
            os._exit(INTERRUPTED)
        pressed.set()
        stop.set()
        os.write(2, b"\nstopping: what is under way is finished first, Ctrl-C again stops at once\n")

    def hang_up(_number: int, _frame: FrameType | None) -> None:  # may come twice; nobody is there to read
        stop.set()

    handlers = {signal.SIGINT: handle, signal.SIGTERM: handle}
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        handlers[signal.SIGHUP] = hang_up
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield stop
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
