"""`swesearch bot`: review pull requests. Signatures and help here, work in swesearch/github/bot."""

from pathlib import Path
from typing import Annotated

import typer

EXIT_CODES = """Exit codes: 0 the review was made, whatever it found (see --fail-on). 1 --fail-on finding, and there is one. 2 usage or
configuration error. 4 the sandbox or the environment failed. 5 GitHub could not be asked. 6 a policy refuses. 130 interrupted."""

SERVER_CODES = """Exit codes: 0 ended by SIGTERM or Ctrl-C, nothing is lost. 1 a worker broke down: start it again, it goes on. 2 usage or
configuration error."""

app = typer.Typer(
    help="Review pull requests: prove by running tests that one breaks something, and offer a fix. Silent where nothing is wrong.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Home = Annotated[
    Path | None, typer.Option("--home", metavar="DIR", help="Where runs are kept [$SWESEARCH_HOME, ~/.local/state/swesearch].")
]
Budget = Annotated[
    list[str] | None,
    typer.Option("--budget", metavar="AMOUNT", help="For each search of a fix: 200 (evaluations), 90s, 10m, $1, or several with commas."),
]
Given = Annotated[list[str] | None, typer.Option("-c", metavar="FILE|KEY=VALUE", help="A TOML file of settings, or one setting.")]
Preset = Annotated[str, typer.Option(metavar="NAME", help="quick, standard, thorough, reliable, best or auto.")]
Sandbox = Annotated[str | None, typer.Option(metavar="KIND", help="auto, docker, bubblewrap or local.")]
Model = Annotated[str | None, typer.Option(metavar="NAME", help="A model that searches; none: templates repair.")]


@app.command(epilog=EXIT_CODES)
def review(
    repo: Annotated[Path, typer.Argument(metavar="REPO", help="A clone that has both commits; only read.")],
    base: Annotated[str, typer.Option(metavar="REV", help="Where the pull request wants to go.")],
    head: Annotated[str, typer.Option(metavar="REV", help="The pull request.")] = "HEAD",
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the report as JSON.")] = None,
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write findings as SARIF 2.1.0.")] = None,
    fail_on: Annotated[str, typer.Option(metavar="WHAT", help="none or finding: what makes the exit code 1.")] = "none",
    sandbox: Sandbox = None,
    model: Model = None,
    budget: Budget = None,
    preset: Preset = "standard",
    given: Given = None,
    home: Home = None,
    end_with_stdin: Annotated[bool, typer.Option("--end-with-stdin", hidden=True)] = False,
) -> None:
    """Compare two commits of a local repository, with no GitHub at all: what does the head break that the base has whole?"""
    from swesearch.cli import reviewing

    if end_with_stdin:
        reviewing.end_with_stdin()
    how = reviewing.How(sandbox, model, tuple(budget or ()), preset, tuple(given or ()), home)
    raise typer.Exit(reviewing.review(repo, base, head, report, sarif, fail_on, how))


@app.command(epilog=EXIT_CODES)
def action(
    repo: Annotated[Path, typer.Argument(metavar="REPO", help="The checkout, with its history (fetch-depth: 0).")] = Path(),
    report: Annotated[Path, typer.Option(metavar="FILE", help="Where the report goes.")] = Path("swesearch-report.json"),
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write findings as SARIF 2.1.0.")] = None,
    fail_on: Annotated[str, typer.Option(metavar="WHAT", help="none or finding: what makes the exit code 1.")] = "none",
    sandbox: Sandbox = None,
    model: Model = None,
    budget: Budget = None,
    preset: Preset = "standard",
    given: Given = None,
    home: Home = None,
) -> None:
    """In a GitHub runner, on pull_request: review, and write report, job summary and annotations. This step gets no token."""
    from swesearch.cli import reviewing

    how = reviewing.How(sandbox, model, tuple(budget or ()), preset, tuple(given or ()), home)
    raise typer.Exit(reviewing.action(repo, report, sarif, fail_on, how))


@app.command(epilog=EXIT_CODES)
def post(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="What the review wrote. It is taken for hostile.")],
    conclusion: Annotated[str, typer.Option(metavar="WHAT", help="neutral or failure: the check run of a head with findings.")] = "neutral",
    sarif: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the findings, once validated, as SARIF 2.1.0.")] = None,
) -> None:
    """In a GitHub runner, on pull_request or workflow_run: post a report with GITHUB_TOKEN. Runs no code and checks nothing out."""
    from swesearch.cli import reviewing

    raise typer.Exit(reviewing.post(report, conclusion, sarif))


@app.command(epilog=SERVER_CODES)
def serve(
    host: Annotated[str, typer.Option(metavar="ADDRESS", help="Where to listen; put a TLS proxy before it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="N", min=0, max=65535)] = 8000,
    github: Annotated[str, typer.Option(metavar="HOST", help="The GitHub server whose webhook this is.")] = "github.com",
    workers: Annotated[int, typer.Option(metavar="N", min=1, help="Reviews at once.")] = 1,
    sandbox: Sandbox = None,
    model: Model = None,
    budget: Budget = None,
    preset: Preset = "standard",
    given: Given = None,
    home: Home = None,
) -> None:
    """Answer GitHub's webhook: /webhook and /health. Needs SWESEARCH_WEBHOOK_SECRET (the webhook's) and GITHUB_TOKEN."""
    from swesearch.cli import serving
    from swesearch.cli.reviewing import How

    how = How(sandbox, model, tuple(budget or ()), preset, tuple(given or ()), home)
    raise typer.Exit(serving.serve(host, port, github, workers, how))
