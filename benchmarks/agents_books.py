"""The books of one long search with a model: what an attempt uses, the share from the cache, the overhead of a call, what a kill costs.

    python -m benchmarks.agents_books [--nodes N] [--seed N]

Nothing is ever right here. The issue is long, and the executor looks around before it edits: conversations are as long as real ones.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.agents import MODEL, Place, recorded
from benchmarks.agents_bugs import CLAMP, INITIALS, Bug
from benchmarks.agents_model import NoisyModel, Profile
from swesearch import runs
from swesearch.dialogue import Model, Reply, Request, Usage
from swesearch.engine.budget import Budget
from swesearch.models.anthropic import AnthropicModel
from swesearch.models.limited import Limited, limiter_of
from swesearch.models.metered import Metered
from swesearch.models.prices import price_of
from swesearch.models.recorded import Recorded
from swesearch.models.reserved import Reserved
from swesearch.solve.parts import Parts
from swesearch.testing import FakeProvider

HARD = Bug((replace(CLAMP, overfit="return None"), replace(INITIALS, overfit="return None")))  # nothing that is wrong passes its tests
HOPELESS = Profile(right=0.5, edit=0.0, repair=0.0, judge=0.5, partial=0.5)
LOOKS = 8  # turns before the first edit
ISSUE = "Amounts and initials come out wrong.\n" + "".join(
    f"{number}: amount {number * 37 % 1009} of client {number * 101 % 977} is not what the ledger says\n" for number in range(400)
)
DOLLARS = 100.0  # never the limit


@dataclass(frozen=True, slots=True)
class Books:
    """What a search used."""

    attempts: int
    calls: int
    usage: Usage
    cached: float  # share of input tokens
    overhead: float  # seconds per call that neither the model nor the sandbox took

    def each(self) -> Usage:
        """Tokens of one attempt."""
        return Usage(*(getattr(self.usage, kind) // self.attempts for kind in ("input", "output", "cache_read", "cache_write")))


class Timed:
    """A model with a stop watch."""

    def __init__(self, model: Model) -> None:
        self._model, self.seconds, self.calls = model, 0.0, 0

    def complete(self, request: Request) -> Reply:
        """The model's reply."""
        began = time.perf_counter()
        try:
            return self._model.complete(request)
        finally:
            self.seconds, self.calls = self.seconds + time.perf_counter() - began, self.calls + 1


def keep_books(folder: Path, nodes: int, seed: int = 0) -> Books:
    """Search for so many nodes, with one worker."""
    place = Place(HARD, folder, ISSUE)
    try:
        with FakeProvider(NoisyModel(HARD, HOPELESS, seed, LOOKS)) as provider:
            return _kept(place, provider, nodes)
    finally:
        place.close()


def _kept(place: Place, provider: FakeProvider, nodes: int) -> Books:
    run = runs.begin(place.task, place.settings.updated({"model": {"name": MODEL}}, "benchmark"), place.home)
    budget, price, clock = Budget(evaluations=nodes, dollars=DOLLARS), price_of(MODEL), Timed(AnthropicModel(MODEL, base_url=provider.url))
    with recorded(run) as record:
        stack = Limited(Metered(Reserved(clock, budget, price), price, MODEL), limiter_of("anthropic", provider.url), 10.0)
        parts = Parts(run, place.bench, record, budget, Recorded(stack, record), threading.Event())
        assert parts.team
        parts.team.brief()  # localisation traces the tests: once per run, not per call
        began, before = time.perf_counter(), place.box.seconds
        parts.hunt.go(parts.phases)
        seconds = time.perf_counter() - began - clock.seconds - (place.box.seconds - before)
    return Books(len(parts.hunt.tree.nodes) - 1, clock.calls, provider.usage, provider.cached, seconds / clock.calls)


@dataclass(frozen=True, slots=True)
class Killed:
    """A search that was killed and resumed."""

    at: int  # calls that were answered before
    calls: int  # in the end
    twice: int  # questions that were answered twice
    under_way: int  # of those, what was asked when it died: at most one
    nodes: int


def kill_and_resume(folder: Path, nodes: int, seed: int) -> Killed:
    """Begin a search in a process of its own, kill it at a random moment, and go on. One worker: at most one question is under way."""
    chance = random.Random(seed)
    repo, home, moment = HARD.check_out(folder / "repo"), folder / "home", chance.randint(5, 2 * nodes)
    with FakeProvider(NoisyModel(HARD, HOPELESS, seed)) as provider:
        settings = {
            "model.base_url": provider.url, "search.workers": 1, "sandbox.python": sys.executable, "search.strategy": "mcts",
            "budget.seconds": 0, "budget.dollars": DOLLARS, "agents.hypotheses": 5,
        }  # fmt: skip
        asked = [str(repo), "--check", HARD.check, "--model", MODEL, "--sandbox", "local", "--budget", str(nodes), "-q"]
        process = _swesearch(home, "fix", *asked, *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")))
        while process.poll() is None and len(provider.requests) < moment:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        last = [str(seen.body) for seen in provider.requests if seen.turn][-1:]
        before = len(provider.requests)
        _swesearch(home, "resume", "last", "-q").wait()
        bodies = Counter(str(seen.body) for seen in provider.requests if seen.turn)
    twice = [body for body, count in bodies.items() for _ in range(count - 1)]
    grown = sum(event.kind == "node" for event in runs.open_run(home, "last").events()) - 1
    return Killed(before, bodies.total(), len(twice), sum(body in last for body in twice), grown)


def _swesearch(home: Path, *words: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {"SWESEARCH_HOME": str(home), "ANTHROPIC_API_KEY": "any-key-will-do", "SWESEARCH_CONFIG": os.devnull}
    command = [sys.executable, "-m", "swesearch", *words]
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    os.environ["ANTHROPIC_API_KEY"] = "any-key-will-do"
    with tempfile.TemporaryDirectory() as folder:
        books = keep_books(Path(folder) / "books", given.nodes, given.seed)
        each = books.each()
        print(f"{books.attempts} attempts, {books.calls} calls; {books.cached:.1%} of the input tokens came from the cache")
        print(f"an attempt: {each.input + each.cache_write:,} tokens new, {each.cache_read:,} from the cache, {each.output:,} answered")
        print(f"overhead of a call: {1000 * books.overhead:.1f} ms beside model and sandbox (budget, journal, git, linter, engine)")
        print(kill_and_resume(Path(folder) / "killed", given.nodes, given.seed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
