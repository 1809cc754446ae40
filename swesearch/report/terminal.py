"""Views of a run while it goes on: live on a terminal, plain lines elsewhere, one JSON line per event for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import IO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from swesearch.base import Event
from swesearch.report.progress import Progress, told
from swesearch.report.text import line

EVERY = 5.0  # seconds between plain lines of progress
COLOURS = {"node": "green", "warning": "yellow", "finalist": "cyan"}


def console(stream: IO[str]) -> Console:
    """A console that takes text as it is: no markup, no highlighting, no emoji codes. NO_COLOR is honoured."""
    return Console(file=stream, markup=False, highlight=False, emoji=False, soft_wrap=True)


class Lines:
    """Plain lines, for logs and pipes; `verbose` tells of every node, `quiet` of warnings only."""

    def __init__(self, out: Console, progress: Progress, clock: Callable[[], float], verbose: bool = False, quiet: bool = False) -> None:
        self._out = out
        self._progress = progress
        self._clock = clock
        self._verbose = verbose
        self._quiet = quiet
        self._last = clock()

    def watch(self) -> AbstractContextManager[object]:
        """Nothing to set up."""
        return nullcontext()

    def see(self, event: Event) -> None:
        """Tell of an event, or of the progress where that is due."""
        self._progress.see(event)
        if self._quiet and event.kind != "warning":
            return
        if text := told(event, self._verbose):
            self._out.print(Text(text, COLOURS.get(event.kind, "")))
        elif event.kind == "progress" and self._clock() - self._last >= EVERY:
            self._last = self._clock()
            self._out.print(Text(self._progress.summary()))


class Screen:
    """Two lines that keep up with the run, under the lines that stay."""

    def __init__(self, out: Console, progress: Progress, clock: Callable[[], float], verbose: bool = False) -> None:
        self._out = out
        self._progress = progress
        self._clock = clock
        self._verbose = verbose
        self._since = clock()

    def watch(self) -> Live:
        """Show the two lines for as long as the context lasts."""
        return Live(
            console=self._out,
            get_renderable=self._render,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    def see(self, event: Event) -> None:
        """Take in an event."""
        self._progress.see(event)
        self._since = self._clock()
        if event.kind != "phase" and (text := told(event, self._verbose)):
            self._out.print(Text(text, COLOURS.get(event.kind, "")))

    def _render(self) -> Text:
        doing = line(self._progress.trying or self._progress.detail, self._out.width - 8)
        waited = self._clock() - self._since
        waiting = f" {waited:.0f} s" if waited >= 2 else ""  # a sign of life where a step takes long
        return Text.assemble((line(self._progress.summary(), self._out.width), "bold"), "\n", (doing + waiting, "dim"))


class JsonLines:
    """One JSON object per event: {"event": kind, ...its data}. Nothing else is written there."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def see(self, event: Event) -> None:
        """Write an event and flush, so that a reader keeps up."""
        self._out.write(json.dumps({"event": event.kind, **event.data}) + "\n")
        self._out.flush()
