"""What a run with hostile words in it puts on the terminal."""

from __future__ import annotations

import io

from swesearch.base import Event
from swesearch.report.progress import Progress
from swesearch.report.solution import diff
from swesearch.report.terminal import Lines, console

STEERING = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e\u200b\r\x08owned\x00"


def steered(words: str, patch: bytes) -> str:
    """Which characters of hostile words and of a patch would steer a terminal, if any reach it."""
    screen = io.StringIO()
    out = console(screen)
    lines = Lines(out, Progress(), lambda: 0.0, verbose=True)
    for event in (
        Event("started", {"run": words, "repo": words, "strategy": "mcts", "seed": 0}),
        Event("phase", {"name": "search", "detail": words}),
        Event("node", {"value": 0.5, "solved": False, "why": words}),
        Event("finalist", {"rank": 1, "verified": False, "reasons": [words]}),
        Event("warning", {"text": words}),
    ):
        lines.see(event)
    out.print(diff(patch))
    odd = sorted({character for character in screen.getvalue() if character not in "\n\t" and not character.isprintable()})
    return f"these reach the terminal: {odd!r}" if odd else ""
