"""Watch swesearch repair a real bug of a published project: no model, no key.

The project's source archive comes from the user's package index, pinned by hash. What this repository holds are failing tests
of our own, which the search gets, and held-out tests, which it never sees: they say whether the fix is right beyond them.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import sdists
from sandbox.base import Limits, Quota, SandboxUnavailable
from sandbox.choose import choose
from sandbox.environment import find
from swesearch import runs
from swesearch.base import Check, Create, Solution, State, SwesearchError
from swesearch.cli import running
from swesearch.cli.options import home_folder
from swesearch.codec import decode
from swesearch.store import Store
from swesearch.value.checks import CheckRun

BUGS = Path(__file__).parent / "demo_bugs"
QUICKEST = "parse-1"
HELD_OUT = "test_held_out.py"
COMMIT = ("-c", "user.name=demo", "-c", "user.email=demo@example.com", "commit", "-q", "-m")


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug of a published version, as its bug.toml tells it."""

    folder: Path
    project: str
    version: str
    file: str
    sha256: str
    what: str
    reference: str
    fixed_in: str
    check: str
    dependencies: Sequence[str]
    python: str
    evaluations: int  # within which a fix is found

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.name

    @property
    def tests(self) -> list[Path]:
        """The tests that the search gets."""
        return sorted(self.folder.glob("test_*.py"))


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found for a bug, and whether the held-out tests agree (None where there is no fix)."""

    exit_code: int
    solution: Solution
    agrees: bool | None


def bugs() -> list[Bug]:
    """All bugs, by name."""
    return [Bug(file.parent, **tomllib.loads(file.read_text("utf-8"))) for file in sorted(BUGS.glob("*/bug.toml"))]


def check_out(bug: Bug, folder: Path, cache: Path) -> Path:
    """The published project with our tests, as a git repository in the new `folder`. Raises sdists.Unavailable."""
    top = sdists.unpack(sdists.fetch(bug.project, bug.file, bug.sha256, cache), folder)
    for test in bug.tests:
        shutil.copy(test, top / test.name)
    if bug.dependencies:
        (top / "requirements-test.txt").write_text("\n".join(bug.dependencies) + "\n")
    for arguments in (("init", "-q"), ("add", "-A"), (*COMMIT, f"{bug.project} {bug.version} as published, with tests that fail")):
        subprocess.run(["git", *arguments], cwd=top, check=True, stdin=subprocess.DEVNULL, env=_git_environment())
    return top


def repair(bug: Bug, repo: Path, home: Path, kind: str, output: running.Output) -> Found:
    """Run `swesearch fix` on the checkout and judge what it hands over. Raises SwesearchError and SandboxUnavailable."""
    flags = {"task.checks": [bug.check], "budget.evaluations": str(bug.evaluations), "sandbox.kind": kind}
    code = running.fix(repo, "", (), "standard", (), flags, home, False, output)
    run = next(runs.open_run(home, known.id) for known in runs.list_runs(home) if known.repo == str(repo))
    solution: Solution = [decode(event.data["solution"]) for event in run.events() if event.kind == "solution"][-1]
    agrees = held_out_agrees(bug, run, solution.best.attempt.state, kind) if solution.best else None
    return Found(code, solution, agrees)


def held_out_agrees(bug: Bug, run: runs.Run, fixed: State, kind: str) -> bool:
    """Whether `fixed` passes the bug's held-out tests, in a sandbox of their own."""
    choice = choose(kind, _quiet)
    cache = run.folder.parent.parent / "environments"
    environment = find(run.task.repo, python=None, image=None, cache=cache, tracked=lambda _: True, say=_quiet, box=choice.box)
    store = Store.open(run.task.repo, run.store)
    box = choice.make(environment, Quota(), 1, run.id)
    try:
        state = store.apply(fixed, [Create(HELD_OUT, (bug.folder / "held_out.py").read_bytes())])
        return CheckRun(store, box, state, Check(("pytest", "-q", HELD_OUT)), Limits()).verify(state, box).passed
    finally:
        box.close()
        store.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of the demo. Returns 0 where every fix was found and holds."""
    given = _parse(arguments)
    if given.list:
        _list()
        return 0
    results = [(bug, _tried(bug, given.sandbox)) for bug in bugs() if given.all or bug.name == given.bug]
    if given.all:
        print("\n".join(_summed_up(bug, found) for bug, found in results))
    if not all(found for _, found in results):
        return 4
    return 0 if all(found and found.agrees for _, found in results) else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    names = [bug.name for bug in bugs()]
    parser = argparse.ArgumentParser(prog="scripts/demo", description="Watch swesearch repair a real bug of a published project.")
    parser.add_argument("bug", nargs="?", metavar="NAME", choices=names, default=QUICKEST, help=f"which bug [{QUICKEST}]")
    parser.add_argument("--bug", dest="bug", metavar="NAME", choices=names, default=argparse.SUPPRESS, help="the same")
    parser.add_argument("--list", action="store_true", help="list the bugs")
    parser.add_argument("--all", action="store_true", help="repair all of them")
    parser.add_argument(
        "--sandbox", default="auto", metavar="KIND", choices=("auto", "docker", "bubblewrap", "local"), help="where it runs [auto]"
    )
    return parser.parse_args(arguments)


def _list() -> None:
    for bug in bugs():
        print(f"{bug.name}{' (default)' if bug.name == QUICKEST else ''}: {bug.project} {bug.version}, mended in {bug.fixed_in}")
        print(_indented(bug.what))


def _tried(bug: Bug, kind: str) -> Found | None:
    """What came of it; None, with one line on stderr, where it could not be tried here."""
    try:
        return _show(bug, kind)
    except (sdists.Unavailable, SandboxUnavailable, SwesearchError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return None


def _show(bug: Bug, kind: str) -> Found:
    home = home_folder(None, os.environ) / "demo"
    print(f"{bug.name}: {bug.project} {bug.version} as it was published\n{_indented(bug.what)}", flush=True)
    home.mkdir(parents=True, exist_ok=True)
    repo = check_out(bug, Path(tempfile.mkdtemp(prefix=f"{bug.name}-", dir=home)) / "source", home / "archives")
    print(f"$ swesearch fix {shlex.quote(str(repo))} --check {shlex.quote(bug.check)}", flush=True)
    found = repair(bug, repo, home.parent, kind, running.Output())
    print(f"\n{_judged(found)} (the project mended it in {bug.fixed_in}: {bug.reference})\n", flush=True)
    return found


def _judged(found: Found) -> str:
    if found.agrees is None:
        return "no fix was found"
    if found.agrees:
        return "held-out tests, which the search never saw: they pass too"
    return "held-out tests, which the search never saw: they FAIL, the fix is not right beyond the tests it was given"


def _summed_up(bug: Bug, found: Found | None) -> str:
    if found is None:
        return f"{bug.name:14} could not be tried"
    cost = found.solution.cost
    return f"{bug.name:14} {cost.evaluations:5} evaluations {cost.seconds:6.1f} s  {_judged(found)}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines())


def _quiet(_: str) -> None:
    pass


def _git_environment() -> dict[str, str]:
    """Nothing of the user's git settings but where git is."""
    return {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}


if __name__ == "__main__":
    sys.exit(main())
