"""Repair the 40 Python programs of QuixBugs: which get a plausible patch, whether the first one is correct, and at what cost.

The user gives the data set (a checkout or a bare clone); nothing of it is in this repository. A patch is plausible if it passes the
program's tests, and correct if it does what the reference program does on up to 150 seeded random inputs (see quixbugs_oracle.py).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from benchmarks import quixbugs_oracle
from benchmarks.usage import cpu_seconds, tests_run
from sandbox.base import Command, File, Files, Limits, Quota, SandboxUnavailable
from sandbox.choose import choose
from sandbox.environment import find
from swesearch import runs, solve
from swesearch.base import Check, Event, Solution, State, SwesearchError, Task
from swesearch.settings import Settings
from swesearch.store import Store

PROGRAMS = tuple(sorted(quixbugs_oracle.ARGUMENTS))
STRATEGIES = ("mcts", "best_first", "random", "beam")
SHARED = ("conftest.py", "python_testcases/load_testdata.py", "python_testcases/node.py")
EMPTY_TAR = bytes(10240)


class DataError(Exception):
    """The data set is not what was expected; says what is missing."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one program may use, in which sandbox, and how to search."""

    strategy: str
    evaluations: int
    seconds: float
    sandbox: str
    seed: int


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one program. Where `why` is set nothing could be measured."""

    program: str
    strategy: str
    plausible: bool = False
    correct: bool = False  # the patch that is handed over first
    first: bool = False  # the first patch that was found, whatever the ranking says
    found: int = 0  # plausible patches
    candidates: int = 0  # evaluated until the first plausible one, or in all
    runs: int = 0  # of tests, during the search
    cpu: float = 0.0  # seconds of this process and its children; Docker's boxes are not among them
    wall: float = 0.0
    patch: str = ""
    why: str = ""


class Data:
    """The data set, wherever it is. Raises DataError where it lacks a file."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._bare = not (place / "python_programs").is_dir()

    def has(self, path: str) -> bool:
        """Whether the data set has a file."""
        return self._show(path) is not None

    def read(self, path: str) -> bytes:
        """A file of the data set."""
        found = self._show(path)
        if found is None:
            raise DataError(f"{self._place} has no {path}: is it QuixBugs?")
        return found

    def _show(self, path: str) -> bytes | None:
        if not self._bare:
            return (self._place / path).read_bytes() if (self._place / path).is_file() else None
        done = subprocess.run(["git", f"--git-dir={self._place}", "show", f"HEAD:{path}"], capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None


def lay_out(data: Data, program: str, folder: Path) -> str:
    """Make a small repository of one program with its tests as the data set has them. Gives the test file."""
    test = f"python_testcases/test_{program}.py"
    cases = f"json_testcases/{program}.json"
    paths = [*SHARED, f"python_programs/{program}.py", *([cases] if data.has(cases) else [])]
    contents = {path: data.read(path) for path in paths}
    contents[test] = data.read(test) if data.has(test) else written(program)
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    git = ["git", "-C", str(folder), "-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", program]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    return test


def written(program: str) -> bytes:
    """A test file for a program that has cases but no test."""
    return f"""import pytest
from load_testdata import load_json_testcases
from python_programs.{program} import {program}


@pytest.mark.parametrize("input_data,expected", load_json_testcases("{program}"))
def test_{program}(input_data, expected):
    assert {program}(*input_data) == expected
""".encode()


def repair(repo: Path, command: Sequence[str], home: Path, budget: Budget) -> tuple[runs.Run, Solution]:
    """One whole run of swesearch, as `swesearch fix` does it. The only place that knows how. Raises SwesearchError, SandboxUnavailable."""
    settings = Settings().updated(
        {
            "budget": {"evaluations": budget.evaluations, "seconds": budget.seconds},
            "sandbox": {"kind": budget.sandbox, "python": sys.executable},
            "search": {"strategy": budget.strategy, "seed": budget.seed},
        },
        "the benchmark",
    )
    run = runs.begin(Task(repo, (Check(tuple(command)),)), settings, home)
    return run, solve.search(run, _silent, threading.Event())


def _silent(_: Event) -> None:
    """Nobody watches."""


def measure(data: Data, program: str, folder: Path, budget: Budget) -> Report:
    """Repair one program and judge what comes of it. Raises SwesearchError, SandboxUnavailable, DataError."""
    repo = folder / "repo"
    test = lay_out(data, program, repo)
    before, start = cpu_seconds(), time.monotonic()
    run, solution = repair(repo, ("python", "-m", "pytest", "-q", test), folder / "home", budget)
    wall, cpu = time.monotonic() - start, cpu_seconds() - before
    nodes = [event.data for event in run.events() if event.kind == "node"][1:]
    solved = [number for number, node in enumerate(nodes, 1) if node["solved"]]
    trees = [nodes[number - 1]["tree"] for number in solved]
    best = solution.best.attempt.state.tree if solution.best else None
    judged = _judge(data, program, run, [t for t in dict.fromkeys([best, *trees[:1]]) if t is not None], budget)
    return Report(
        program,
        budget.strategy,
        plausible=best is not None,
        correct=judged.get(best or "", False),
        first=bool(trees) and judged[trees[0]],
        found=len(solved),
        candidates=solved[0] if solved else len(nodes),
        runs=tests_run(nodes),
        cpu=round(cpu, 2),
        wall=round(wall, 2),
        patch=solution.best.patch.decode("utf-8", "replace") if solution.best else "",
    )


def _judge(data: Data, program: str, run: runs.Run, trees: Sequence[str], budget: Budget) -> Mapping[str, bool]:
    """Which states do what the reference does, asked in a sandbox of the same kind."""
    path = f"python_programs/{program}.py"
    reference = data.read(f"correct_{path}")
    store = Store.open(run.task.repo, run.store)
    choice = choose(budget.sandbox)
    environment = find(
        run.task.repo, python=sys.executable, image=None, cache=run.folder, tracked=lambda _: True, say=_unsaid, box=choice.box
    )
    box = choice.make(environment, Quota(), 1, run.id)
    try:
        found = {}
        for tree in trees:
            mended = store.read(State(tree), path)
            files = {"mended.py": mended, "reference.py": reference, "oracle.py": Path(quixbugs_oracle.__file__).read_bytes()}
            laid = Files("", lambda: EMPTY_TAR, {name: File(content) for name, content in files.items()})
            result = box.run(laid, Command((environment.python, "oracle.py", program)), Limits(seconds=400))
            found[tree] = result.status == "done" and result.exit_code == 0
        return found
    finally:
        box.close()
        store.close()


def _unsaid(_: str) -> None:
    """Nobody listens."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 0 where every program could be measured, 4 else."""
    given = _parse(arguments)
    reports = []
    for strategy in given.strategy:
        budget = Budget(strategy, given.budget, given.seconds, given.sandbox, given.seed)
        some = [_one(Data(given.data), program, budget) for program in given.programs]
        reports += some
        print(summary(some), flush=True)
    if given.out:
        given.out.write_text("".join(json.dumps(asdict(report)) + "\n" for report in reports))
    return 4 if any(report.why for report in reports) else 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench quixbugs", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="a checkout or bare clone of QuixBugs")
    parser.add_argument("--programs", type=_programs, default=PROGRAMS, metavar="A,B", help="some of the programs [all]")
    parser.add_argument(
        "--strategy", nargs="+", default=["mcts"], choices=STRATEGIES, help="how to search; several are run one after another [mcts]"
    )
    parser.add_argument("--budget", type=int, default=1500, metavar="N", help="evaluations per program [1500]")
    parser.add_argument("--seconds", type=float, default=60.0, metavar="S", help="wall-clock seconds per program [60]")
    parser.add_argument("--sandbox", default="auto", choices=("auto", "docker", "bubblewrap", "local"), help="where it runs [auto]")
    parser.add_argument("--seed", type=int, default=0, help="of the search [0]")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write one JSON line per program and strategy")
    return parser.parse_args(arguments)


def _programs(words: str) -> tuple[str, ...]:
    unknown = set(words.split(",")) - set(PROGRAMS)
    if unknown:
        raise argparse.ArgumentTypeError(f"QuixBugs has no {', '.join(sorted(unknown))}")
    return tuple(words.split(","))


def _one(data: Data, program: str, budget: Budget) -> Report:
    with tempfile.TemporaryDirectory(prefix="quixbugs-") as folder:
        try:
            report = measure(data, program, Path(folder), budget)
        except (DataError, SwesearchError, SandboxUnavailable) as error:
            report = Report(program, budget.strategy, why=f"{type(error).__name__}: {error}")
    print(line(report), flush=True)
    return report


def line(report: Report) -> str:
    """One program in one line."""
    if report.why:
        return f"{report.program:27} {report.strategy:10} not measured: {report.why}"
    verdict = "correct" if report.correct else "plausible" if report.plausible else "none"
    return (
        f"{report.program:27} {report.strategy:10} {verdict:9} candidates {report.candidates:5}  plausible {report.found:3}  "
        f"test runs {report.runs:5}  cpu {report.cpu:6.2f} s  wall {report.wall:6.2f} s"
    )


def summary(reports: Sequence[Report]) -> str:
    """All programs of one strategy in one line."""
    measured = [report for report in reports if not report.why]
    if not measured:
        return f"0 of {len(reports)} measured"
    cpu = [report.cpu for report in measured]
    return (
        f"{measured[0].strategy}: plausible {sum(r.plausible for r in measured)}/{len(measured)}, "
        f"handed over correct {sum(r.correct for r in measured)}/{len(measured)}, "
        f"first found correct {sum(r.first for r in measured)}/{len(measured)}, "
        f"candidates median {median(r.candidates for r in measured):g}, cpu median {median(cpu):.2f} s, max {max(cpu):.2f} s, "
        f"wall max {max(r.wall for r in measured):.2f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
