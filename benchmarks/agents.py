"""Whole searches with a noisy model behind a real server: which strategy mends how many bugs for the same money.

    python -m benchmarks.agents [--seeds N] [--dollars D] [--kinds ...] [--profiles ...] [--strategies ...] [--out FILE]
    python -m benchmarks.agents --read FILE ...         the table of results kept by --out

The bugs are small, so that hundreds of searches are affordable: one sandbox serves all searches of a bug, and what its tests showed of a
state is remembered, for it does not change. Everything else is what `swesearch fix` runs: planner, executor with its tools, judge, search,
finalists, debate. A bug counts as mended where the patch that is handed over is the right one, not where the tests merely pass.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from itertools import groupby, product
from math import sqrt
from pathlib import Path
from typing import Any

from benchmarks.agents_bugs import BUGS, Bug
from benchmarks.agents_demo import DEMO_BUGS, DemoBug
from benchmarks.agents_model import PROFILES, NoisyModel
from sandbox.base import Command, Files, Limits, Result, Sandbox
from swesearch import runs
from swesearch.base import Candidate, Check, State, Task
from swesearch.engine.budget import Budget
from swesearch.runs import Run
from swesearch.settings import Settings
from swesearch.solve.briefing import KEY as BRIEFING
from swesearch.solve.finalists import Finals
from swesearch.solve.models import model_of
from swesearch.solve.parts import Parts
from swesearch.solve.prepare import Bench, prepare
from swesearch.solve.record import Record
from swesearch.store import Store
from swesearch.testing import FakeProvider
from swesearch.value.checks import CheckRun

ALL: tuple[Bug | DemoBug, ...] = (*BUGS, *DEMO_BUGS)
ENDLESS = 50  # depth or rounds for those that would stop with money left
LIMITS: Mapping[str, Mapping[str, Mapping[str, object]]] = {
    "linear": {"search": {"depth": ENDLESS}},
    "best_of_n": {"agents": {"rounds": ENDLESS}},
    "synthesis": {"agents": {"rounds": ENDLESS}},
}
STRATEGIES = ("linear", "best_of_n", "beam", "mcts", "synthesis", "progressive")
MODEL = "claude-sonnet-5-5"
DOLLARS = 0.8
REMEMBERED = ("failing", "nearby", "verify", "whole_files", "rest", "instead")


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one search."""

    kind: str
    bug: str
    profile: str
    strategy: str
    seed: int
    solved: bool  # what is handed over is right
    passing: bool  # something passes the tests
    dollars: float
    calls: int
    attempts: int
    seconds: float
    evidence: Mapping[str, Any] | None = None  # what spoke for it; see benchmarks.calibration


class Shared:
    """A sandbox that many searches use in turn. It is closed by whoever made it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.name, self.slots = sandbox.name, sandbox.slots
        self._sandbox = sandbox
        self.seconds = 0.0  # that runs took

    def run(self, files: Files, command: Command, limits: Limits) -> Result:
        """What the sandbox says."""
        began = time.perf_counter()
        try:
            return self._sandbox.run(files, command, limits)
        finally:
            self.seconds += time.perf_counter() - began

    def close(self) -> None:
        """Nothing."""


class Remembered(CheckRun):
    """A check that runs once on each state."""

    def __init__(self, store: Store, sandbox: Sandbox, root: State, check: Check, limits: Limits) -> None:
        super().__init__(store, sandbox, root, check, limits)
        vars(self).update({name: cache(getattr(self, name)) for name in REMEMBERED})


class Place:
    """Where all searches of one bug go on: repository, states, sandbox, checks, briefing."""

    def __init__(self, bug: Bug | DemoBug, folder: Path, issue: str = "") -> None:
        self.bug, self.home = bug, folder / "home"
        self.task = Task(bug.check_out(folder / "repo"), (Check(tuple(bug.check.split())),), issue or f"{bug.name} gives wrong results.")
        self.settings = Settings().updated({"sandbox": {"kind": "local", "python": bug.python}, "search": {"workers": 1}}, "benchmark")
        run = runs.begin(self.task, self.settings, self.home)
        with recorded(run) as record:
            self._real = prepare(run, record, None)
        self.box = box = Shared(self._real.sandbox)
        checks = [Remembered(self._real.store, box, self._real.root, check, Limits()) for check in self.task.checks]
        self.bench = Bench(self._real.store, self._real.root, box, lambda: box, tuple(checks))
        self._briefing: Any = None

    def close(self) -> None:
        """Remove the sandbox."""
        self._real.close()

    def search(self, url: str, strategy: str, seed: int, dollars: float) -> tuple[Run, Sequence[Candidate], Parts]:
        """One search from planning to the choice among finalists: its run, the candidates, the one to hand over first, and its parts."""
        changes: dict[str, dict[str, object]] = {
            "model": {"name": MODEL, "base_url": url}, "search": {"strategy": strategy, "seed": seed},
            "budget": {"dollars": dollars, "seconds": 0.0},
        }  # fmt: skip
        settings = self.settings.updated(changes, "benchmark").updated(LIMITS.get(strategy, {}), "benchmark")
        run = runs.begin(self.task, settings, self.home)
        with recorded(run) as record:
            if self._briefing:
                record.keep(BRIEFING, self._briefing)
            budget, stop = Budget(dollars=dollars), threading.Event()
            parts = Parts(run, self.bench, record, budget, model_of(run.settings.model, budget, record, stop), stop)
            parts.hunt.go(parts.phases)
            self._briefing = record.recall(BRIEFING)
            return run, self._ranking(parts), parts

    def _ranking(self, parts: Parts) -> Sequence[Candidate]:
        solved = [node.item for node in parts.hunt.tree.solved]
        return Finals(self.bench, parts.evaluator, parts.discriminator, parts.record).run(solved, 1).ranking if solved else ()

    def right(self, state: State) -> bool:
        """Whether every function is as it should be, also where no test looks."""
        paths = {place.path for place in self.bug.broken}
        texts = {path: self.bench.store.read(state, path).decode().replace("\r\n", "\n") for path in paths}
        return all(place.standing(texts[place.path]) == place.right for place in self.bug.broken)


@contextmanager
def recorded(run: Run) -> Iterator[Record]:
    """The run's record, which nobody watches."""
    journal = run.journal()
    try:
        yield Record(journal, lambda _: None)
    finally:
        journal.close()


def searched(place: Place, profile: str, strategy: str, seed: int, dollars: float) -> Row:
    """Search once, with a provider of its own."""
    began = time.perf_counter()
    with FakeProvider(NoisyModel(place.bug, PROFILES[profile], seed)) as provider:
        _, ranking, parts = place.search(provider.url, strategy, seed, dollars)
        evidence = asdict(parts.evidence(ranking)) if ranking else None
        calls = sum(seen.turn is not None for seen in provider.requests)
    bug, spent, tree = place.bug, parts.budget.spent()["dollars"], parts.hunt.tree
    right = bool(ranking) and place.right(ranking[0].attempt.state)
    return Row(
        bug.kind, bug.name, profile, strategy, seed, right, bool(tree.solved), spent, calls, len(tree.nodes) - 1,
        time.perf_counter() - began, evidence,
    )  # fmt: skip


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a rate: Wilson, "Probable inference" (1927)."""
    z, rate = 1.96, hits / of
    middle, half = rate + z * z / (2 * of), z * sqrt(rate * (1 - rate) / of + z * z / (4 * of * of))
    return tuple(max(0.0, min(1.0, (middle + side * half) / (1 + z * z / of))) for side in (-1, 1))  # type: ignore[return-value]


def table(rows: Iterable[Row], apart: bool = False) -> str:
    """A line for each kind of bug and strategy, and `apart` for each profile of the model."""
    lines = ["| bug | model | strategy | mended | 95 % | passes | $ | calls | attempts |", "|---|---|---|---:|---:|---:|---:|---:|---:|"]

    def key(row: Row) -> tuple[str, int, int]:
        return row.kind, apart * list(PROFILES).index(row.profile), STRATEGIES.index(row.strategy)

    for (kind, _, _), group in groupby(sorted(rows, key=key), key):
        found = list(group)
        hits, count, passing = sum(row.solved for row in found), len(found), sum(row.passing for row in found)
        low, high = wilson(hits, count)
        dollars, calls, attempts = (sum(getattr(row, name) for row in found) / count for name in ("dollars", "calls", "attempts"))
        lines.append(
            f"| {kind} | {found[0].profile if apart else 'all'} | {found[0].strategy} "
            f"| {hits}/{count} = {hits / count:.2f} | {low:.2f}-{high:.2f} "
            f"| {passing / count:.2f} | {dollars:.2f} | {calls:.0f} | {attempts:.1f} |"
        )
    return "\n".join(lines)


@contextmanager
def places(bugs: Sequence[Bug | DemoBug]) -> Iterator[list[Place]]:
    """Every bug, made ready."""
    with tempfile.TemporaryDirectory() as folder:
        made: list[Place] = []
        try:
            for number, bug in enumerate(bugs):
                made.append(Place(bug, Path(folder) / str(number)))
            yield made
        finally:
            for place in made:
                place.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print. Results go to --out as they come."""
    given = _parse(arguments)
    if given.read:
        kept = (line for file in given.read for line in file.read_text("utf-8").splitlines())
        print(table((Row(**json.loads(line)) for line in kept), given.apart))
        return 0
    os.environ["ANTHROPIC_API_KEY"] = "any-key-will-do"
    rows: list[Row] = []
    with places([bug for bug in ALL if bug.kind in given.kinds]) as made, given.out.open("a", encoding="utf-8") as out:
        seeds = range(given.first, given.first + given.seeds)
        for seed, place, profile, strategy in product(seeds, made, given.profiles, given.strategies):
            rows.append(searched(place, profile, strategy, seed, given.dollars))
            print(json.dumps(asdict(rows[-1])), file=out, flush=True)
    print(table(rows, given.apart))
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = list(dict.fromkeys(bug.kind for bug in ALL))
    parser.add_argument("--seeds", type=int, default=5, help="searches of each bug for each profile and strategy [5]")
    parser.add_argument("--first", type=int, default=0, help="the first seed [0]")
    parser.add_argument("--dollars", type=float, default=DOLLARS, help=f"what each search may cost [{DOLLARS}]")
    parser.add_argument("--kinds", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--profiles", nargs="+", choices=list(PROFILES), default=list(PROFILES))
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--apart", action="store_true", help="a line of results for each profile, not for all together")
    parser.add_argument("--out", type=Path, default=Path(os.devnull), help="one JSON line for each search")
    parser.add_argument("--read", type=Path, nargs="+", help="search nothing: sum up results that were kept")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
