"""`swesearch bench`: found by the entry point group swesearch.commands, for swesearch itself may not know the answers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from swesearch.base import UsageError

EXIT_CODES = """Exit codes: 0 every instance is done. 2 usage or input error. 3 the cap is used up. 4 something could not be found out, or
the environment failed. 130 interrupted. After 3, 4 and 130 the same command goes on."""

app = typer.Typer(
    help="Evaluations on SWE-bench data sets.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Subset = Annotated[
    str,
    typer.Option(
        "--subset",
        metavar="FILE|NAME",
        help="A .json or .jsonl file, a Hugging Face id, or lite, verified, full, multilingual, live, rebench, pro.",
    ),
]
Split = Annotated[str, typer.Option(metavar="NAME", help="The split of a data set of Hugging Face.")]
Ids = Annotated[list[str] | None, typer.Option("--instances", metavar="ID,...", help="Only these. Repeatable.")]
Slice = Annotated[str, typer.Option(metavar="A:B", help="A slice of what is left.")]
Filter = Annotated[str, typer.Option(metavar="REGEX", help="Only ids that match.")]
Exclude = Annotated[str, typer.Option(metavar="REGEX", help="No ids that match.")]
Shuffle = Annotated[bool, typer.Option("--shuffle", help="Shuffle by --seed before slicing.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="DIR", help="The results folder [in swebench-results].")]
Workers = Annotated[int | None, typer.Option("--workers", "-w", min=1, metavar="N", help="Instances at once [1; all slots of a cluster].")]
On = Annotated[str, typer.Option("--on", metavar="WHERE", help="local, ray (this machine or $RAY_ADDRESS) or ray://HOST:PORT.")]
Repos = Annotated[Path | None, typer.Option(metavar="DIR", help="Bare mirrors of the repositories, instead of GitHub.")]
PythonRoot = Annotated[Path | None, typer.Option(metavar="DIR", help="Interpreters as pyenv keeps them, instead of uv's.")]
Pull = Annotated[bool, typer.Option("--pull/--no-pull", help="Try official images first.")]
Prune = Annotated[bool, typer.Option("--prune", help="Remove images as soon as no instance needs them.")]
Redo = Annotated[bool, typer.Option("--redo", help="Forget what is known of the chosen instances first.")]


@app.command(epilog=EXIT_CODES)
def swebench(
    subset: Subset,
    split: Split = "test",
    instances: Ids = None,
    slice: Slice = "",
    filter: Filter = "",
    exclude: Exclude = "",
    shuffle: Shuffle = False,
    seed: Annotated[int, typer.Option(metavar="N", help="The seed of the shuffle and of every search.")] = 0,
    workers: Workers = None,
    mode: Annotated[
        str,
        typer.Option(metavar="NAME", help="issue: its text only. check: the failing tests are given. recorded: patches of --patches."),
    ] = "issue",
    patches: Annotated[Path | None, typer.Option(metavar="FILE", help="Recorded patches (JSONL) for --mode recorded.")] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="As for fix.")] = None,
    budget: Annotated[list[str] | None, typer.Option(metavar="AMOUNT", help="For each instance, as for fix: 200, 10m, $1.")] = None,
    cap: Annotated[float | None, typer.Option(min=0, metavar="DOLLARS", help="The most that all searches of this folder may cost.")] = None,
    preset: Annotated[str, typer.Option(metavar="NAME", help="As for fix.")] = "standard",
    given: Annotated[list[str] | None, typer.Option("-c", metavar="FILE|KEY=VALUE", help="As for fix.")] = None,
    oracle: Annotated[int, typer.Option(min=1, metavar="K", help="Grade the first K finalists too, for oracle@k.")] = 3,
    no_grade: Annotated[bool, typer.Option("--no-grade", help="Write predictions only.")] = False,
    repos: Repos = None,
    python_root: PythonRoot = None,
    pull: Pull = True,
    prune: Prune = False,
    redo: Redo = False,
    on: On = "local",
    output: Output = None,
) -> None:
    """Search on instances in their containers, grade what comes of it, and report. Finished instances are skipped."""
    from benchmarks.swebench import run_command
    from benchmarks.swebench.run_settings import settings_of

    with _errors():
        settings = settings_of(preset, given or [], model, budget or [], seed)
        which = run_command.Which(subset, split, _listed(instances), slice, filter, exclude, shuffle, seed)
        where = run_command.Where(output, workers, on, repos, python_root, pull, prune, redo)
        raise typer.Exit(run_command.evaluate(which, where, mode, settings, patches, cap, None if no_grade else oracle))


@app.command(epilog=EXIT_CODES)
def grade(
    preds: Annotated[Path, typer.Option(metavar="FILE", help="preds.json, JSONL or a JSON list.")],
    subset: Subset,
    split: Split = "test",
    instances: Ids = None,
    slice: Slice = "",
    filter: Filter = "",
    exclude: Exclude = "",
    workers: Workers = None,
    repos: Repos = None,
    python_root: PythonRoot = None,
    pull: Pull = True,
    prune: Prune = False,
    redo: Redo = False,
    on: On = "local",
    output: Output = None,
) -> None:
    """Grade anybody's predictions by the official rules, each patch once, in fresh containers."""
    from benchmarks.swebench import run_command

    with _errors():
        which = run_command.Which(subset, split, _listed(instances), slice, filter, exclude)
        raise typer.Exit(run_command.grade(preds, which, run_command.Where(output, workers, on, repos, python_root, pull, prune, redo)))


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(metavar="A", help="A results folder.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Compare two evaluations instance by instance, with McNemar's exact test."""
    from benchmarks.swebench.compare import compare as paired

    with _errors():
        found = paired(first, second)
        print(json.dumps(found.to_dict(), indent=1) if as_json else "\n".join(found.rows()))


@app.command()
def report(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Results folders; several are taken as seeds of the same.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Write report.html and report.json into each folder, and sum up; for several, mean and spread over seeds."""
    from benchmarks.swebench import report as reports

    with _errors():
        found = [reports.write(folder) for folder in folders]
        over_seeds = reports.seeds(found) if len(found) > 1 else None
    if as_json:
        print(json.dumps(over_seeds or found[0], indent=1))
        return
    for folder, each in zip(folders, found, strict=True):
        print("\n".join(reports.rows(folder, each)))
    if over_seeds:
        print("\n".join(reports.seed_rows(over_seeds)))


def _listed(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for text in given or () for name in text.split(",") if name.strip())


@contextmanager
def _errors() -> Iterator[None]:
    """Errors of evaluations as those of the product: one line and an exit code."""
    from benchmarks.swebench.base import BenchError

    try:
        yield
    except BenchError as error:
        raise UsageError(str(error)) from error


def main() -> None:
    """The same without the product's command line: python -m benchmarks.cli."""
    from sandbox.base import SandboxError
    from swesearch.base import SwesearchError
    from swesearch.cli import exit_code

    try:
        app(prog_name="bench")
    except (SwesearchError, SandboxError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(exit_code(error))


if __name__ == "__main__":
    main()
