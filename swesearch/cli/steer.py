"""Commands that steer a search from another terminal, and go on from what one found. Signatures and help here, work in steering.py."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", help="Where runs are kept [$SWESEARCH_HOME, ~/.local/state/swesearch].")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, the beginning of one, or `last`.")]
NodeId = Annotated[str, typer.Argument(metavar="NODE", help="A node, as `swesearch show` numbers them: n7, or 7.")]
Budget = Annotated[
    list[str], typer.Option("--budget", metavar="AMOUNT", help="200 (evaluations), 90s, 10m, $1, 200k-tokens, or several joined by commas.")
]

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def pause(run: RunId, home: Home = None) -> None:
    """Pause a search: what is under way is finished, nothing new is begun, the clock stands still."""
    from swesearch.cli import steering

    steering.order(run, "pause", home)


@app.command("continue")
def unpause(run: RunId, home: Home = None) -> None:
    """Let a search that is paused go on. (One that has stopped goes on with `swesearch resume`.)"""
    from swesearch.cli import steering

    steering.order(run, "continue", home)


@app.command()
def stop(run: RunId, home: Home = None) -> None:
    """Stop a search, as Ctrl-C in its terminal does. It can be resumed."""
    from swesearch.cli import steering

    steering.order(run, "stop", home)


@app.command()
def add(run: RunId, budget: Budget, home: Home = None) -> None:
    """Give a search that is going on more budget. (One that has stopped takes it with `swesearch resume RUN --budget ...`.)"""
    from swesearch.cli import steering

    steering.add(run, budget, home)


@app.command()
def prune(run: RunId, node: NodeId, home: Home = None) -> None:
    """Leave a branch alone: nothing more is tried at NODE or below it, and nothing found there is handed over."""
    from swesearch.cli import steering

    steering.order(run, "prune", home, node)


@app.command()
def hint(
    run: RunId,
    node: NodeId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you know: models read it; templates look for files, lines and names.")],
    home: Home = None,
) -> None:
    """Say something about NODE: the search goes on there next, and takes it into account there and below."""
    from swesearch.cli import steering

    steering.order(run, "hint", home, node, text)


@app.command()
def fork(
    run: RunId,
    node: NodeId,
    hint: Annotated[str, typer.Option(metavar="TEXT", help="What you know: see `swesearch hint`.")] = "",
    budget: Annotated[
        list[str] | None, typer.Option("--budget", metavar="AMOUNT", help="Its own budget; what RUN was given where none is said.")
    ] = None,
    given: Annotated[list[str] | None, typer.Option("-c", metavar="KEY=VALUE", help="Another setting than RUN had.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON line per event on stdout, nothing else there.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and the result.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Every state that is evaluated.")] = False,
    home: Home = None,
) -> None:
    """Begin a new run that searches below NODE of RUN only. RUN stays as it is; exit codes are those of `swesearch fix`."""
    from swesearch.cli import steering
    from swesearch.cli.running import Output

    raise typer.Exit(steering.fork(run, node, hint, budget or [], given or [], home, Output(json, quiet, verbose)))


@app.command()
def pick(
    run: RunId,
    which: Annotated[str, typer.Argument(metavar="WHICH", help="A (what the search chose), B, C, ... or 0, 1, 2, ...")],
    home: Home = None,
) -> None:
    """Choose another of the results of a run that has ended: `swesearch apply` hands it over from now on."""
    from swesearch.cli import steering

    steering.pick(run, which, home)
