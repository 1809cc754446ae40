from __future__ import annotations

import io
import json
from collections.abc import Callable

import pytest
from rich.console import Console

from swesearch.base import Event
from swesearch.report.progress import Progress, told
from swesearch.report.terminal import EVERY, JsonLines, Lines, Screen, console

EVENTS = [
    Event(
        "started",
        {"run": "r1", "repo": "/x", "root": "t", "checks": ["pytest"], "strategy": "mcts", "seed": 0, "version": "1", "resumed": False},
    ),
    Event("sandbox", {"name": "docker", "slots": 1, "why": "a Docker engine answers"}),
    Event("phase", {"name": "search", "detail": "40 places"}),
    Event("node", {"id": 1, "parent": 0, "tree": "t", "why": "a.py:1 swap", "prior": 0.5, "value": 0.5, "solved": False, "seconds": 1.0}),
    Event("progress", {"evaluations": 7, "seconds": 3.0, "best": 0.5, "nodes": 9, "depth": 2, "candidates_per_second": 2.5}),
    Event(
        "node", {"id": 2, "parent": 0, "tree": "u", "why": "a.py:2 \x1b[31mred", "prior": 0.5, "value": 1.0, "solved": True, "seconds": 1.0}
    ),
    Event("finalist", {"node": 2, "verified": True, "patch": "", "reasons": ["one line", "[bold]keeps[/bold]"], "rank": 1}),
    Event("warning", {"text": "no isolation"}),
    Event("stopped", {"why": "solved", "exit_code": 0}),
]
TOLD = [
    "run r1: /x, mcts, seed 0",
    "sandbox: docker, 1 box. a Docker engine answers",
    "search: 40 places",
    "passes: a.py:2 \\x1b[31mred",
    "candidate 1, verified: one line; [bold]keeps[/bold]",
    "warning: no isolation",
    "stopped: found a fix",
]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def feed(see: Callable[[Event], None]) -> None:
    for event in EVENTS:
        see(event)


def test_lines_tell_of_what_matters_and_nothing_steers_the_terminal() -> None:
    out = io.StringIO()
    feed(Lines(console(out), Progress(), Clock()).see)
    assert out.getvalue().splitlines() == TOLD


def test_progress_is_told_when_it_is_due() -> None:
    out, clock = io.StringIO(), Clock()
    lines = Lines(console(out), Progress(most_evaluations=50, most_seconds=60.0), clock)
    for clock.now in (EVERY - 1, EVERY, EVERY + 1):
        lines.see(EVENTS[4])
    assert out.getvalue() == "prepare | 7/50 evaluations | 3/60 s | best 0.50 | 9 nodes, depth 2 | 2.5/s\n"


def test_verbose_lines_tell_of_every_state() -> None:
    out = io.StringIO()
    feed(Lines(console(out), Progress(), Clock(), verbose=True).see)
    assert "0.50: a.py:1 swap" in out.getvalue().splitlines()


def test_quiet_lines_tell_of_warnings_only() -> None:
    out = io.StringIO()
    feed(Lines(console(out), Progress(), Clock(), quiet=True).see)
    assert out.getvalue() == "warning: no isolation\n"


def test_json_lines_are_the_events() -> None:
    out = io.StringIO()
    feed(JsonLines(out).see)
    assert [json.loads(row) for row in out.getvalue().splitlines()] == [{"event": event.kind, **event.data} for event in EVENTS]
    assert "\x1b" not in out.getvalue()


def test_the_screen_shows_where_the_run_stands_and_keeps_the_lines() -> None:
    out = io.StringIO()
    clock = Clock()
    screen = Screen(Console(file=out, force_terminal=True, width=100, markup=False, highlight=False), Progress(50, 60.0), clock)
    with screen.watch() as live:
        for event in EVENTS[:5]:
            screen.see(event)
        clock.now += 7
        live.refresh()
        for event in EVENTS[5:]:
            screen.see(event)
    shown = out.getvalue()
    assert "search | 7/50 evaluations | 3/60 s | best 0.50" in shown
    assert "a.py:1 swap 7 s" in shown
    assert "\x1b[31mred" not in shown
    assert "[bold]keeps[/bold]" in shown


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = io.StringIO()
    feed(Lines(console(out), Progress(), Clock()).see)
    assert "\x1b[3" not in out.getvalue()


def test_an_unknown_event_is_not_told() -> None:
    assert told(Event("something", {"new": 1})) == ""
