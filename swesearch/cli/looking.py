"""Look at runs and settings. Nothing is changed here."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from swesearch import runs as store
from swesearch.base import UsageError
from swesearch.cli.options import home_folder, letter, node_number, repository
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
    from swesearch import solve, steer  # slow to import, and only this needs it

    run = store.open_run(home_folder(home, os.environ), name)
    print(f"run   {run.id}")
    if run.fork:
        print(f"from  n{run.fork.node} of {run.fork.run}")
        for hint in run.fork.path[-1].hints:
            print(f"hint  {line(hint)}")
    print(f"repo  {safe(str(run.task.repo))}")
    for check in run.task.checks:
        print(f"check {line(' '.join(check.command))}")
    print(f"state {line(_state(run))}")
    print()
    show_tree(console(sys.stdout), run.events(), limit)
    for order in steer.orders(run):
        where = f" n{order['node']}" if "node" in order else ""
        print(f"{order['order']}{where}: {line(order.get('text', ''))}{' -- ' if 'text' in order else ''}{line(order['effect'])}")
    if found := solve.solution(run):
        print()
        show_solution(console(sys.stdout), found, run.task, run.id, run.patch, solve.reproduction(run))
        if number := solve.picked(run):
            print(f"picked:      {letter(number)}: `swesearch apply {run.id}` hands that one over")


def show_nodes(name: str, node: str | None, path: bool, diff: bool, home: Path | None) -> None:
    """Print one node of a run, or all on the way to it; the one that the run chose, where none is named."""
    from swesearch import solve, steer
    from swesearch.report.node import show_node
    from swesearch.report.story import story

    run = store.open_run(home_folder(home, os.environ), name)
    told = story(run.events())
    rows = {row["id"]: row for row in told["nodes"]}
    if node is not None:
        steer.node_of(run, node_number(node))
    way = told["path"] if node is None else _way(rows, node_number(node))
    if not way:
        raise UsageError(f"run {run.id} has no node yet")
    said: dict[int, list[str]] = {}
    for order in steer.orders(run):
        said.setdefault(order.get("node", -1), []).append(f"{order['order']}: {order.get('text') or order['effect']}")
    for number in way if path else way[-1:]:
        row = rows[number]
        change = (
            solve.git(run, ("diff", f"n{row['parent']}", f"n{number}"), capture=True)[1] if diff and row["parent"] is not None else None
        )
        show_node(
            console(sys.stdout), row, [each["id"] for each in rows.values() if each["parent"] == number], said.get(number, ()), change
        )


def _way(rows: Mapping[int, Mapping[str, Any]], number: int | None) -> list[int]:
    """The numbers of the nodes from the root to this one."""
    found = []
    while number is not None:
        found.append(number)
        number = rows[number]["parent"]
    return found[::-1]


def explain(name: str, markdown: bool, home: Path | None) -> None:
    """Print the account of a run."""
    from swesearch.report.markdown import markdown as as_markdown
    from swesearch.report.story import story

    run = store.open_run(home_folder(home, os.environ), name)
    told = story(run.events())
    if markdown:
        print(as_markdown(told), end="")
        return
    for section in told["account"]:
        print(section["title"])
        for words in section["lines"]:
            print(textwrap.indent(textwrap.fill(safe(words, keep=""), 100), "  "))
        print()


def git(name: str, arguments: Sequence[str], home: Path | None) -> int:
    """Run a reading command of git among the states of a run. Returns its exit code."""
    from swesearch import solve

    run = store.open_run(home_folder(home, os.environ), name)
    code, printed = solve.git(run, arguments, capture=sys.stdout.isatty())
    print(safe(printed), end="")  # on a terminal no byte of a repository may steer it; elsewhere git has written for itself
    return code


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


ENDINGS = {"json": ".json", "graphml": ".graphml", "traj": ".traj", "mini": ".traj.json", "otel": ".otlp.json", "inspect": ".inspect.json"}


def export(name: str, form: str, out: Path | None, endpoint: str, home: Path | None) -> None:
    """Write a run as another tool's file, or send it."""
    from swesearch.export import FORMATS, JSON, written
    from swesearch.view.stories import story_of

    if form not in FORMATS:
        raise UsageError(f"--format {form}: choose one of {', '.join(FORMATS)}")
    if endpoint and (form != "otel" or out):
        raise UsageError("--endpoint is for --format otel, and instead of --out")
    run = store.open_run(home_folder(home, os.environ), name)
    # our own form with changes as git tells them, which takes the run's store
    text = written({"format": JSON, **story_of(run)} if form == "json" else FORMATS[form](run.id, list(run.events())))
    if endpoint:
        from swesearch.export.send import send

        print(f"sent to {safe(send(text, endpoint, os.environ))}")
    elif out and str(out) == "-":
        sys.stdout.write(text)
    else:
        target = out or Path(f"{run.id}{ENDINGS[form]}")
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UsageError(f"{target} cannot be written: {error.strerror}") from error
        print(f"{safe(str(target), keep='')} ({len(text) / 1000:,.0f} kB)")
