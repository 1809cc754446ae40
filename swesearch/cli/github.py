"""The commands around GitHub: proofs that travel, and pull requests. Signatures and help here, work in publishing.py and proving.py."""

from pathlib import Path
from typing import Annotated

import typer

Home = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", help="Where runs are kept [$SWESEARCH_HOME, ~/.local/state/swesearch].")
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, the beginning of one, or `last`.")]
Number = Annotated[
    int | None, typer.Option("--number", "-n", min=0, help="Which result: 0 is the best, then the alternatives [what was picked].")
]
Force = Annotated[bool, typer.Option("--force", help="Also where the issue is closed, locked, assigned, or has a pull request already.")]
ApiUrl = Annotated[
    str, typer.Option("--api-url", metavar="URL", help="The REST API of a GitHub Enterprise server; it may see GITHUB_TOKEN then.")
]

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command("open-pr")
def open_pr(run: RunId, number: Number = None, force: Force = False, api_url: ApiUrl = "", home: Home = None) -> None:
    """Open a draft pull request with the fix of a run that began with the address of an issue. Its proof is replayed first.

    Needs a token that may write contents and pull requests: GITHUB_TOKEN, GH_TOKEN or `gh auth login`. May be given again after any
    failure: the same fix has the same branch, and what was done is not done twice.
    """
    from swesearch.cli import publishing

    raise typer.Exit(publishing.open_pr(run, number, force, api_url, home))


@app.command()
def bundle(
    run: RunId,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to write it [RUN.zip].")] = None,
    number: Number = None,
    home: Home = None,
) -> None:
    """Write the fix of a run with its proof to one file, for `swesearch verify`."""
    from swesearch.cli import proving

    proving.bundle(run, number, output, home)


@app.command()
def verify(
    what: Annotated[str, typer.Argument(metavar="BUNDLE|URL", help="A bundle, or the address of a pull request that carries one.")],
    repo: Annotated[Path, typer.Option("--repo", metavar="PATH", help="A clone that has the commit which the fix is about.")] = Path(),
    sandbox: Annotated[str | None, typer.Option(metavar="KIND", help="auto, docker, bubblewrap or local.")] = None,
    python: Annotated[str | None, typer.Option(metavar="EXE", help="The interpreter of the repository.")] = None,
    setup: Annotated[str | None, typer.Option(metavar="CMD", help="A command that prepares the environment.")] = None,
    image: Annotated[str | None, typer.Option(metavar="NAME", help="The Docker image to run in.")] = None,
    given: Annotated[
        list[str] | None, typer.Option("-c", metavar="FILE|KEY=VALUE", help="A TOML file of settings, or one setting.")
    ] = None,
    api_url: ApiUrl = "",
    home: Home = None,
) -> None:
    """Replay the proof of a fix, with no model and no key: the check fails without it, passes with it, fails again without it (revert
    check), and notices small changes of it (mutation check). Exits with 0 where all holds, 1 where something does not.

    The working copy is only read. Everything of the bundle runs in the sandbox.
    """
    from swesearch.cli import proving

    flags = {"sandbox.kind": sandbox, "sandbox.python": python, "sandbox.setup": setup, "sandbox.image": image}
    raise typer.Exit(proving.verify(what, repo, {key: value for key, value in flags.items() if value}, given or [], api_url, home))
