"""An evaluation while it goes on: a table on a terminal, a line per step elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from threading import Lock

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from benchmarks.swebench.outputs import Result
from swesearch.report.text import line

COLOURS = {"resolved": "green", "error": "red", "unresolved": "yellow"}


@dataclass(slots=True)
class Row:
    """An instance that is being worked on."""

    since: float
    doing: str


@dataclass(slots=True)
class Board:
    """What goes on, told to a console. Safe to share between threads."""

    out: Console
    total: int
    clock: Callable[[], float] = time.monotonic
    ended: Counter[str] = field(default_factory=Counter)
    dollars: float = 0.0
    _rows: dict[str, Row] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def watch(self) -> AbstractContextManager[object]:
        """Show the table for as long as the context lasts, on a terminal."""
        if not self.out.is_terminal or self.out.is_dumb_terminal:
            return nullcontext()
        return Live(console=self.out, get_renderable=self._table, refresh_per_second=4, transient=True, redirect_stdout=False)

    def doing(self, instance: str, what: str) -> None:
        """An instance is worked on. Only changes from one step to the next get a line in logs."""
        with self._lock:
            self._rows.setdefault(instance, Row(self.clock(), "")).doing = what

    def says(self, text: str, style: str = "") -> None:
        """Something that is worth a line of its own."""
        with self._lock:
            self.out.print(Text(line(text, 600), style))

    def finished(self, result: Result, *, before: bool = False) -> None:
        """An instance is done, or was `before` this call."""
        with self._lock:
            row = self._rows.pop(result.instance, None)
            self.ended[how := ended(result)] += 1
            if result.outcome:
                self.dollars += result.outcome.cost.dollars
            if not before:
                took = f" {self.clock() - row.since:.0f} s" if row else ""
                self.out.print(Text(f"{how:10} {line(result.instance)}{took}{_why(result)}  [{self._counts()}]", COLOURS.get(how, "")))

    def left(self, instance: str) -> None:
        """An instance is put aside."""
        with self._lock:
            self._rows.pop(instance, None)

    def _counts(self) -> str:
        done = sum(self.ended.values())
        money = f", ${self.dollars:.2f}" if self.dollars else ""
        return f"{done}/{self.total}: {', '.join(f'{number} {how}' for how, number in sorted(self.ended.items()))}{money}"

    def _table(self) -> Group:
        with self._lock:
            rows = [(name, row.doing, self.clock() - row.since) for name, row in self._rows.items()]
            counts = self._counts()
        table = Table.grid(padding=(0, 2))
        for name, doing, seconds in rows[: max(1, self.out.height - 4)]:
            table.add_row(Text(line(name, 50)), Text(f"{seconds:.0f} s", "dim"), Text(line(doing, max(20, self.out.width - 66)), "dim"))
        return Group(Text(line(counts, self.out.width), "bold"), table)


def ended(result: Result) -> str:
    """How an instance ended, in a word."""
    if result.error:
        return "error"
    if result.grade:
        return result.grade.status
    return "submitted" if result.outcome and result.outcome.patch else "empty"


def _why(result: Result) -> str:
    words = result.error or (result.grade.why if result.grade else "")
    return f": {line(words, 300)}" if words else ""
