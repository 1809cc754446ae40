"""Look at runs on a page: one file to keep or send, or live while they go on."""

from __future__ import annotations

import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from swesearch.base import UsageError
from swesearch.cli.options import home_folder
from swesearch.report.text import safe

EXTRA = "`swesearch view` needs a web server: pip install 'swesearch[view]'; `swesearch report` needs nothing"


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, the beginning of one, or `last`.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write it [RUN.html]; - is stdout.")] = None,
    home: Annotated[
        Path | None, typer.Option("--home", metavar="DIR", help="Where runs are kept [$SWESEARCH_HOME, ~/.local/state/swesearch].")
    ] = None,
) -> None:
    """Write one HTML file that tells a run: what was wrong, what was tried, what was changed and why. It needs no network."""
    from swesearch import runs
    from swesearch.report.page import page
    from swesearch.view.stories import story_of

    found = runs.open_run(home_folder(home, os.environ), run)
    text = page(story_of(found))
    if out and str(out) == "-":
        sys.stdout.write(text)
        return
    target = out or Path(f"{found.id}.html")
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error
    print(f"{safe(str(target), keep='')} ({len(text) / 1000:,.0f} kB)")


def view(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="One run to look at, two to compare; none for the list.")
    ] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="The port; 0 is any that is free.")] = 0,
    browse: Annotated[bool, typer.Option("--open", help="Open a browser too.")] = False,
    home: Annotated[
        Path | None, typer.Option("--home", metavar="DIR", help="Where runs are kept [$SWESEARCH_HOME, ~/.local/state/swesearch].")
    ] = None,
) -> None:
    """Show runs on a page that keeps up with them, also with runs of other processes. On this machine only; Ctrl-C ends it."""
    from swesearch import runs

    try:
        from swesearch.view.server import serve
    except ModuleNotFoundError as error:
        raise UsageError(EXTRA) from error
    folder = home_folder(home, os.environ)

    def ready(address: str) -> None:
        print(f"look at {address}\nCtrl-C ends it", flush=True)
        if browse and not webbrowser.open(address):
            print("warning: no browser could be started here, open the address yourself", file=sys.stderr, flush=True)

    serve(folder, port, _page([runs.open_run(folder, name).id for name in run or ()]), ready)


def _page(names: Sequence[str]) -> str:
    """The page of so many runs, below the token."""
    if len(names) > 2:
        raise UsageError("one run to look at, or two to compare: `swesearch view` without any lists them all")
    if len(names) == 2:
        return f"compare?a={names[0]}&b={names[1]}"
    return f"runs/{names[0]}" if names else ""
