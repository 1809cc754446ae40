"""Carry out what the steering commands ask for: find the run, send the order, say what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from swesearch import runs
from swesearch.base import UsageError
from swesearch.cli.options import home_folder, letter, node_number, parse_budget, result_number
from swesearch.report.text import line, safe
from swesearch.steer import Kind, Order, steer

if TYPE_CHECKING:
    from swesearch.cli.running import Output  # slow to import, and only a fork needs it


def order(name: str, kind: Kind, home: Path | None, node: str | None = None, text: str = "") -> None:
    """Send an order and print what came of it."""
    _send(name, Order(kind, None if node is None else node_number(node), text), home)


def add(name: str, budget: Sequence[str], home: Path | None) -> None:
    """Send more budget and print what came of it."""
    more = {key.partition(".")[2]: amount for key, amount in parse_budget(budget).items()}
    _send(name, Order("add", more=more), home)


def fork(name: str, node: str, hint: str, budget: Sequence[str], given: Sequence[str], home: Path | None, output: Output) -> int:
    """Begin a run at a node of another one, and search. Returns the exit code."""
    from swesearch import solve
    from swesearch.cli.running import search

    parent = runs.open_run(home_folder(home, os.environ), name)
    settings = parent.settings
    for key, value in [*parse_budget(budget).items(), *map(_assignment, given)]:
        section, _, option = key.partition(".")
        settings = settings.updated({section: {option: value}}, "fork")
    solve.ready(parent.task, settings)
    made = solve.fork(parent, node_number(node), settings, hint)
    print(f"run {made.id}: from n{node_number(node)} of {parent.id}", file=sys.stderr)
    return search(made, output)


def pick(name: str, which: str, home: Path | None) -> None:
    """Choose a result and print which."""
    from swesearch import solve

    run = runs.open_run(home_folder(home, os.environ), name)
    number = result_number(which)
    chosen = solve.pick(run, number)
    print(f"{letter(number)} is handed over from now on: {line(chosen.attempt.action.why if chosen.attempt.action else 'a patch')}")
    print(f"apply it:    swesearch apply {run.id}")


def _send(name: str, order: Order, home: Path | None) -> None:
    run = runs.open_run(home_folder(home, os.environ), name)
    print(safe(steer(run, order)))


def _assignment(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"-c {text}: say KEY=VALUE, as in -c search.depth=5")
    return key, value
