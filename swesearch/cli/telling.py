"""Commands that tell of a run: in words, as other tools' files, through plain git. Signatures and help here, work elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", help="Where runs are kept [$SWESEARCH_HOME, ~/.local/state/swesearch].")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, the beginning of one, or `last`.")]

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def explain(
    run: RunId,
    markdown: Annotated[bool, typer.Option("--markdown", help="Markdown, as for a pull request, with the patch.")] = False,
    home: Home = None,
) -> None:
    """Tell a run in plain words: what was wrong, what was changed, why it is believed right, what else was tried, what it cost."""
    from swesearch.cli import looking

    looking.explain(run, markdown, home)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "allow_interspersed_args": False})
def git(
    run: RunId,
    arguments: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="diff, show, log, ls-tree, cat-file, archive or grep.")],
    home: Home = None,
) -> None:
    """Look at the states of a run with git: n0, n1, ... are its nodes, A, B, ... its results. Only reads.

    As in: swesearch git last diff n7 n12; swesearch git last log n12; swesearch git last show n7:pkg/core.py; swesearch git last diff A B.
    Options of swesearch go before RUN.
    """
    from swesearch.cli import looking

    raise typer.Exit(looking.git(run, arguments, home))


@app.command()
def export(
    run: RunId,
    form: Annotated[str, typer.Option("--format", "-f", metavar="FORMAT", help="json, graphml, traj, mini, otel or inspect.")] = "json",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Where to write it; - is stdout [RUN with the format's ending].")
    ] = None,
    endpoint: Annotated[
        str, typer.Option(metavar="URL", help="With otel: send the spans there instead, as to http://localhost:4318 (OTLP over HTTP).")
    ] = "",
    home: Home = None,
) -> None:
    """Write a run as another tool's file: JSON, GraphML, SWE-agent, mini-swe-agent, OpenTelemetry or Inspect. See docs/export.md."""
    from swesearch.cli import looking

    looking.export(run, form, out, endpoint, home)
