"""The commands. Signatures and help here, work elsewhere: nothing heavy is imported before a command runs.

Here and in the other files of commands annotations are no strings: typer reads them at each start, and would compile them several times.
"""

from pathlib import Path
from typing import Annotated

import typer

from swesearch import __version__
from swesearch.cli import github, steer, telling
from swesearch.cli import view as pages
from swesearch.cli.bot import app as bot_app

EXIT_CODES = """Exit codes: 0 a fix was found and verified. 1 no acceptable fix. 2 usage or configuration error. 3 the budget or the time
ended, the best partial result is kept. 4 the environment or the sandbox failed. 5 a model provider or GitHub failed, can be resumed.
6 a policy refuses: a closed or taken issue, a patch that changes workflows. 7 the check already passes. 130 interrupted, can be
resumed."""

app = typer.Typer(
    help="Repairs code by searching over its versions. Nothing in your working copy changes before `swesearch apply`.",
    epilog=EXIT_CODES + " --debug anywhere shows the traceback of an error.",
    no_args_is_help=True,
    rich_markup_mode=None,  # formatting help with rich costs 0.3 s
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(bot_app, name="bot")
app.add_typer(github.app)

Home = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", help="Where runs are kept [$SWESEARCH_HOME, ~/.local/state/swesearch].")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON line per event on stdout, nothing else there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Only warnings and the result.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Every state that is evaluated.")]
Budget = Annotated[
    list[str] | None,
    typer.Option("--budget", metavar="AMOUNT", help="200 (evaluations), 90s, 10m, $1, 200k-tokens, or several joined by commas."),
]
Given = Annotated[list[str] | None, typer.Option("-c", metavar="FILE|KEY=VALUE", help="A TOML file of settings, or one setting.")]
Preset = Annotated[str, typer.Option(metavar="NAME", help="quick, standard, thorough, reliable, best or auto.")]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="The id of a run, the beginning of one, or `last`.")]


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"swesearch {__version__}")
        raise typer.Exit


@app.callback()
def _top(_: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False) -> None:
    pass


@app.command(epilog=EXIT_CODES)
def fix(
    path: Annotated[
        str, typer.Argument(metavar="PATH|URL", help="The repository, a folder in it, or the address of an issue on GitHub.")
    ] = ".",
    check: Annotated[list[str] | None, typer.Option(metavar="CMD", help="A command that fails because of the bug. Repeatable.")] = None,
    issue: Annotated[
        str, typer.Option(metavar="TEXT|@FILE", help="What is wrong, in words. With --model this is enough: tests are written from it.")
    ] = "",
    picture: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="A picture of the issue: PNG, JPEG, GIF or WebP. Repeatable.")
    ] = None,
    python: Annotated[str | None, typer.Option(metavar="EXE", help="The interpreter of the repository.")] = None,
    setup: Annotated[str | None, typer.Option(metavar="CMD", help="A command that prepares the environment.")] = None,
    image: Annotated[str | None, typer.Option(metavar="NAME", help="The Docker image to run in.")] = None,
    sandbox: Annotated[str | None, typer.Option(metavar="KIND", help="auto, docker, bubblewrap or local.")] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="claude-..., or openai:NAME for any OpenAI-compatible server; NAME@high sets the effort. None: templates repair.",
        ),
    ] = None,
    price: Annotated[
        str | None,
        typer.Option(metavar="IN/OUT", help="Dollars per million tokens, as in 2/10, of a model that has no price here; or free."),
    ] = None,
    budget: Budget = None,
    strategy: Annotated[
        str | None, typer.Option(metavar="NAME", help="mcts, best_of_n, linear, synthesis, progressive, auto, ...; see config.")
    ] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="The seed of every random choice.")] = None,
    workers: Annotated[str | None, typer.Option(metavar="N", help="Evaluations at once.")] = None,
    min_confidence: Annotated[
        str | None,
        typer.Option(
            metavar="P", help="Hand over no fix whose stated chance to be right is below P, 0 to 1; it is only listed then (exit code 1)."
        ),
    ] = None,
    patience: Annotated[
        str | None, typer.Option(metavar="N", help="Evaluations to go on for after the first fix; with a model, see agents.patience.")
    ] = None,
    preset: Preset = "standard",
    given: Given = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan and the most it can cost; call and run nothing.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Apply the fix to the working copy when one is found.")] = False,
    open_pr: Annotated[bool, typer.Option("--open-pr", help="With a URL: open a draft pull request once a fix is verified.")] = False,
    force: github.Force = False,
    api_url: github.ApiUrl = "",
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    home: Home = None,
) -> None:
    """Search for a fix that makes the check pass; with a model, an issue in words is enough."""
    from swesearch.cli import running
    from swesearch.cli.options import is_url, parse_budget, read_pictures

    flags: dict[str, object] = {
        "task.checks": check or None,
        "sandbox.python": python,
        "sandbox.setup": setup,
        "sandbox.image": image,
        "sandbox.kind": sandbox,
        "model.name": model,
        "model.price": price,
        "search.strategy": strategy,
        "search.seed": seed,
        "search.workers": workers,
        "discriminator.confidence": min_confidence,
        "discriminator.patience": patience,
        **parse_budget(budget or ()),
    }
    how = running.Output(json, quiet, verbose)
    if is_url(path) or open_pr:
        from swesearch.cli import publishing

        own = {"--issue": issue, "--picture": picture, "--dry-run": dry_run, "--apply": apply}
        raise typer.Exit(publishing.fix(path, own, open_pr, force, api_url, preset, given or [], _named(flags), home, how))
    if dry_run:
        raise typer.Exit(running.dry_run(Path(path), issue, preset, given or [], _named(flags)))
    raise typer.Exit(running.fix(Path(path), issue, read_pictures(picture or ()), preset, given or [], _named(flags), home, apply, how))


@app.command(epilog=EXIT_CODES)
def resume(
    run: RunId,
    budget: Budget = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Replay: models' answers come from the run's record, nobody is asked.")
    ] = False,
    json: Json = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    home: Home = None,
) -> None:
    """Go on with a run that was interrupted, ran out of budget or lost its provider. Nothing is paid twice; a new budget comes on top."""
    from swesearch.cli import running
    from swesearch.cli.options import parse_budget

    raise typer.Exit(running.resume(run, parse_budget(budget or ()), offline, home, running.Output(json, quiet, verbose)))


@app.command()
def apply(
    run: RunId,
    number: Annotated[
        int | None, typer.Option("--number", "-n", min=0, help="Which result: 0 is the best, then the alternatives [what was picked].")
    ] = None,
    commit: Annotated[bool, typer.Option("--commit", help="Commit the change.")] = False,
    branch: Annotated[str | None, typer.Option(metavar="NAME", help="Put the commit on a new branch.")] = None,
    home: Home = None,
) -> None:
    """Write a run's fix to the working copy."""
    from swesearch.cli import running

    running.apply(run, number, commit, branch, home)


@app.command()
def runs(home: Home = None) -> None:
    """List the runs, newest first."""
    from swesearch.cli import looking

    looking.runs(home)


@app.command()
def show(
    run: RunId,
    limit: Annotated[int, typer.Option(min=1, help="How many states to show.")] = 40,
    node: Annotated[str | None, typer.Option(metavar="NODE", help="Only this node, as n7 or 7.")] = None,
    path: Annotated[bool, typer.Option("--path", help="Every node on the way to NODE, or to the one that was chosen.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="With what the node changed; of the one that was chosen where none is named.")
    ] = False,
    home: Home = None,
) -> None:
    """Show what a run tried, as a tree: value, number, change, and * on the path to the best."""
    from swesearch.cli import looking

    if node is None and not path and not diff:
        looking.show(run, limit, home)
    else:
        looking.show_nodes(run, node, path, diff, home)


app.command()(pages.report)
app.command()(pages.view)
app.add_typer(telling.app)
app.add_typer(steer.app)


@app.command()
def config(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="The repository whose .swesearch.toml counts.")] = Path(),
    preset: Preset = "standard",
    given: Given = None,
) -> None:
    """Show every setting, its value, and where it was set."""
    from swesearch.cli import looking

    looking.config(path, preset, given or [])


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def bench(context: typer.Context) -> None:
    """Evaluate on SWE-bench data sets: searches, grading, reports (in a checkout of the repository). See `bench --help`."""
    from swesearch.cli import extras

    raise typer.Exit(extras.run("bench", context.args))


@app.command()
def doctor(home: Home = None) -> None:
    """Say what swesearch needs, what is there, and how to get what is missing. Exits with 4 where no fix could be run."""
    from swesearch.cli import doctor as checks

    raise typer.Exit(checks.main(home))


def _named(flags: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in flags.items() if value is not None}
