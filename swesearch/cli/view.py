"""The commands that show runs on a page."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", help="Where runs are kept [$SWESEARCH_HOME, ~/.local/state/swesearch].")
]


def report(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, the beginning of one, or `last`.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write it [RUN.html]; - is stdout.")] = None,
    home: Home = None,
) -> None:
    """Write one HTML file that tells a run: what was wrong, what was tried, what was changed and why. It needs no network."""
    from swesearch.cli import viewing

    viewing.report(run, out, home)


def view(
    run: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="One run to look at, two to compare; none for the list.")
    ] = None,
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535, help="The port; 0 is any that is free.")] = 0,
    browse: Annotated[bool, typer.Option("--open", help="Open a browser too.")] = False,
    home: Home = None,
) -> None:
    """Show runs on a page that keeps up with them, also with runs of other processes. On this machine only; Ctrl-C ends it."""
    from swesearch.cli import viewing

    viewing.view(run or [], port, browse, home)
