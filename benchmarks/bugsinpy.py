"""Repair real bugs of the BugsInPy data set: which are fixed, as upstream did or not, and at what cost.

The user gives the data set, clones of the projects and interpreters (see --help); nothing of them is in this repository.
Environments are made once per bug below --work with uv, from the period's own pinned requirements.
"""

from __future__ import annotations

import argparse
import ast
import json
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.bugsinpy_data import Bug, DataError, Prepared, clone_of, gold_files, gold_lines, load, names, prepare
from benchmarks.usage import cpu_seconds, tests_run
from sandbox.base import Limits, Quota, SandboxUnavailable
from sandbox.choose import choose
from sandbox.environment import find
from swesearch import runs, solve
from swesearch.base import Check, Create, Delete, Edit, Event, Solution, State, SwesearchError, Task
from swesearch.code.localise import Localisation
from swesearch.code.outline import outline
from swesearch.codec import decode
from swesearch.settings import Settings
from swesearch.store import Store
from swesearch.value.checks import CheckRun


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one bug. Where `why` is set nothing could be measured."""

    bug: str
    plausible: bool = False  # a patch that passes the check and breaks nothing near it was handed over
    same: bool = False  # it is the upstream fix, but for layout and comments
    agrees: bool = False  # every test of the fixed version's test files ends as with the upstream fix
    candidates: int = 0  # evaluated until the first plausible one, or in all
    rank: int | None = None  # of the first place of the upstream fix in the localisation
    mass: float = 0.0  # that the localisation gives to the places of the upstream fix
    runs: int = 0  # of tests, during the search
    cpu: float = 0.0  # seconds of this process and its children; Docker's boxes are not among them
    wall: float = 0.0
    patch: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one bug may use, and in which sandbox."""

    evaluations: int
    seconds: float
    sandbox: str


def repair(ready: Prepared, home: Path, budget: Budget) -> tuple[runs.Run, Solution]:
    """One whole run of swesearch, as `swesearch fix` does it. The only place that knows how. Raises SwesearchError, SandboxUnavailable."""
    settings = Settings().updated(
        {
            "budget": {"evaluations": budget.evaluations, "seconds": budget.seconds},
            "sandbox": {"kind": budget.sandbox, "python": ready.python},
        },
        "the benchmark",
    )
    task = Task(Path(ready.repo), (Check(("python", *ready.command[1:])),))
    run = runs.begin(task, settings, home)
    return run, solve.search(run, _silent, threading.Event())


def _silent(_: Event) -> None:
    """Nobody watches."""


def measure(bug: Bug, ready: Prepared, gold: Mapping[str, bytes | None], home: Path, budget: Budget) -> Report:
    """Repair one bug and judge what comes of it. Raises SwesearchError, SandboxUnavailable."""
    before, start = cpu_seconds(), time.monotonic()
    run, solution = repair(ready, home, budget)
    wall, cpu = time.monotonic() - start, cpu_seconds() - before
    events = list(run.events())
    nodes = [event.data for event in events if event.kind == "node"][1:]
    solved = next((number for number, node in enumerate(nodes, 1) if node["solved"]), None)
    rank, mass = _gold_place(events, ready, gold_lines(bug.gold))
    same, agrees = _judge(run, solution, gold, budget.sandbox)
    return Report(
        bug=bug.name,
        plausible=solution.best is not None,
        same=same,
        agrees=agrees,
        candidates=solved or len(nodes),
        rank=rank,
        mass=round(mass, 4),
        runs=tests_run(nodes),
        cpu=round(cpu, 2),
        wall=round(wall, 2),
        patch=solution.best.patch.decode("utf-8", "replace") if solution.best else "",
    )


def _gold_place(events: Sequence[Event], ready: Prepared, gold: Mapping[str, Sequence[int]]) -> tuple[int | None, float]:
    """The rank of the first place of the upstream fix, and the mass on all of them, in the root's localisation."""
    root = next(event.data["root"] for event in events if event.kind == "started")
    found = next((event.data["localisation"] for event in events if event.kind == "localised" and event.data["tree"] == root), None)
    if found is None:
        return None, 0.0
    localisation: Localisation = decode(found)
    places = set(_places(Path(ready.repo), gold))
    hits = [(rank, s.score) for rank, s in enumerate(localisation.lines, 1) if (s.path, s.line) in places]
    return (hits[0][0] if hits else None), sum(score for _, score in hits)


def _places(repo: Path, gold: Mapping[str, Sequence[int]]) -> Iterator[tuple[str, int]]:
    for path, lines in gold.items():
        code = outline((repo / path).read_bytes()) if (repo / path).is_file() else outline(b"")
        yield from ((path, code.place(line)) for line in lines)


def _judge(run: runs.Run, solution: Solution, gold: Mapping[str, bytes | None], kind: str) -> tuple[bool, bool]:
    """Whether the best candidate is the upstream fix, and whether the fixed version's tests tell them apart."""
    if solution.best is None:
        return False, False
    store = Store.open(run.task.repo, run.store)
    try:
        root, ours = store.root(), solution.best.attempt.state
        theirs = store.apply(root, [*_edits(store, root, gold)])
        same = all(_equal(path, a, b) for path, a, b in store.texts(theirs, ours))
        return same, same or _outcomes(run, store, ours, kind) == _outcomes(run, store, theirs, kind)
    finally:
        store.close()


def _edits(store: Store, root: State, gold: Mapping[str, bytes | None]) -> Iterator[Edit]:
    for path, content in gold.items():
        if path in store.files(root):
            yield Delete(path)
        if content is not None:
            yield Create(path, content)


def _equal(path: str, one: bytes | None, other: bytes | None) -> bool:
    """Whether two versions of a file are the same program."""
    if one is None or other is None or not path.endswith(".py"):
        return one == other
    try:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(other))
    except (SyntaxError, ValueError):
        return one.split() == other.split()


def _outcomes(run: runs.Run, store: Store, state: State, kind: str) -> dict[str, str]:
    """What every test in the check's files does on a state, in a sandbox of its own."""
    choice = choose(kind)
    python, cache = run.settings.sandbox.python, run.folder.parent.parent / "environments"
    environment = find(run.task.repo, python=python, image=None, cache=cache, tracked=lambda _: True, say=lambda _: None, box=choice.box)
    box = choice.make(environment, Quota(), 1, run.id)
    try:
        check = CheckRun(store, box, store.root(), run.task.checks[0], Limits(seconds=300.0))
        return {test.id: test.outcome for test in check.whole_files(state, box).outcomes if test.id}
    finally:
        box.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 0 where every bug could be measured, 4 else."""
    given = _parse(arguments)
    reports = []
    for name in names(given.bugs):
        report = _one(name, given)
        print(_line(report), flush=True)
        reports.append(report)
    print(_sum(reports))
    if given.out:
        given.out.write_text("".join(json.dumps(asdict(report)) + "\n" for report in reports))
    return 4 if any(report.why for report in reports) else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench bugsinpy", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a checkout or bare clone of BugsInPy")
    parser.add_argument("--repos", type=Path, required=True, metavar="DIR", help="clones of its projects: NAME, NAME.git or OWNER+NAME")
    parser.add_argument("--python-root", type=Path, required=True, metavar="DIR", help="interpreters: DIR/3.8.18/bin/python, ...")
    parser.add_argument("--bugs", nargs="+", required=True, metavar="NAME", help="luigi-4,tqdm-4 ...")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="where work copies, environments and runs are kept")
    parser.add_argument("--overlay", type=Path, metavar="DIR", help="files of DIR/NAME replace the data set's: tests without the internet")
    parser.add_argument("--localise-only", action="store_true", help="stop after the first candidate: only rank and mass count")
    parser.add_argument("--evaluations", type=int, default=1000, metavar="N", help="candidates per bug [1000]")
    parser.add_argument("--seconds", type=float, default=300.0, metavar="S", help="wall-clock seconds per bug [300]")
    parser.add_argument("--sandbox", default="auto", choices=("auto", "docker", "bubblewrap", "local"), help="where it runs [auto]")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write one JSON line per bug")
    return parser.parse_args(arguments)


def _one(name: str, given: argparse.Namespace) -> Report:
    budget = Budget(1 if given.localise_only else given.evaluations, given.seconds, given.sandbox)
    try:
        bug = load(given.data, name)
        ready = prepare(bug, given.repos, given.python_root, given.work / name, given.overlay)
        return measure(bug, ready, gold_files(bug, clone_of(given.repos, bug.project)), given.work / "home", budget)
    except (DataError, SwesearchError, SandboxUnavailable) as error:
        return Report(name, why=f"{type(error).__name__}: {error}")


def _line(report: Report) -> str:
    if report.why:
        return f"{report.bug:16} not measured: {report.why}"
    verdict = "as upstream" if report.same else "agrees" if report.agrees else "plausible" if report.plausible else "none"
    rank = f"rank {report.rank} mass {report.mass:.2f}" if report.rank else "not localised"
    return (
        f"{report.bug:16} {verdict:12} candidates {report.candidates:5} {rank:22} "
        f"test runs {report.runs:5}  cpu {report.cpu:6.1f} s  wall {report.wall:6.1f} s"
    )


def _sum(reports: Sequence[Report]) -> str:
    measured = [report for report in reports if not report.why]
    counts = {key: sum(getattr(r, key) for r in measured) for key in ("plausible", "agrees", "same")}
    return f"{len(measured)} of {len(reports)} measured: " + ", ".join(f"{key} {count}" for key, count in counts.items())


if __name__ == "__main__":
    sys.exit(main())
