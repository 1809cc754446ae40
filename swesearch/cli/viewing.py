"""Look at runs on a page: one file to keep or send, or live while they go on."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path

from swesearch import runs
from swesearch.base import UsageError
from swesearch.cli.options import home_folder
from swesearch.report.page import page
from swesearch.report.text import safe
from swesearch.view.stories import story_of

EXTRA = "`swesearch view` needs a web server: pip install 'swesearch[view]'; `swesearch report` needs nothing"


def report(name: str, out: Path | None, home: Path | None) -> None:
    """Write the page of a run to a file, named after the run where nothing is said, or to stdout."""
    run = runs.open_run(home_folder(home, os.environ), name)
    text = page(story_of(run))
    if out and str(out) == "-":
        sys.stdout.write(text)
        return
    target = out or Path(f"{run.id}.html")
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error
    print(f"{safe(str(target), keep='')} ({len(text) / 1000:,.0f} kB)")


def view(names: Sequence[str], port: int, browse: bool, home: Path | None) -> None:
    """Serve the pages until Ctrl-C."""
    try:
        from swesearch.view.server import serve
    except ModuleNotFoundError as error:
        raise UsageError(EXTRA) from error
    folder = home_folder(home, os.environ)

    def ready(address: str) -> None:
        print(f"look at {address}\nCtrl-C ends it", flush=True)
        if browse and not webbrowser.open(address):
            print("warning: no browser could be started here, open the address yourself", file=sys.stderr, flush=True)

    serve(folder, port, _page([runs.open_run(folder, name).id for name in names]), ready)


def _page(names: Sequence[str]) -> str:
    """The page of so many runs, below the token."""
    if len(names) > 2:
        raise UsageError("one run to look at, or two to compare: `swesearch view` without any lists them all")
    if len(names) == 2:
        return f"compare?a={names[0]}&b={names[1]}"
    return f"runs/{names[0]}" if names else ""
