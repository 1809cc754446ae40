"""Time and memory of one search step (ask, an instant proposal, tell), beside treequest from PyPI in the same run.

    python -m benchmarks.engine [--sizes 1000 5000 10000 100000] [--json]

Each row is a process of its own. Times are CPU microseconds per step: over the whole run, and over its last tenth, which shows growth.
Memory is the growth of the process's peak, so it holds everything a node costs. treequest's steps cost more the more nodes there are;
its sizes stop where a row would take minutes.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from swesearch.engine.search import Search
from swesearch.engine.strategies import options
from swesearch.engine.tree import Child

SIZES = (1_000, 5_000, 10_000, 100_000)
Step = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Row:
    """What one engine needed for one size."""

    engine: str
    nodes: int
    step: float  # CPU microseconds
    last: float  # the same over the last tenth of the steps
    bytes: int  # per node
    depth: int


def ours(strategy: str, scale: float = 1.0, **changes: Any) -> Callable[[], tuple[Step, Callable[[], int]]]:
    """A search of ours. Values are random shares of ten tests, priors fall at random; a small `scale` makes what is below the root
    hardly worth a visit."""

    def make() -> tuple[Step, Callable[[], int]]:
        draw = Random(7).random
        search: Search[int] = Search(0, 0, scale * draw(), **options(strategy, **changes))

        def step(number: int) -> None:
            lease = search.ask()
            assert lease is not None
            following = lease.prior * (lease.nth + 1) / (lease.nth + 1 + draw())
            search.tell(lease, Child(number, number, scale * round(draw(), 1), lease.prior, open=scale * draw()), following)

        return step, lambda: max(node.depth for node in search.nodes)

    return make


def theirs(mode: str) -> Callable[[], tuple[Step, Callable[[], int]]]:
    """treequest's StandardMCTS: two children per selection, as it comes."""

    def make() -> tuple[Step, Callable[[], int]]:
        import treequest

        draw, algorithm = Random(7).random, treequest.StandardMCTS()
        tree = algorithm.init_tree()
        proposals = {"act": lambda _: (0, draw())}

        def step(_: int) -> None:
            nonlocal tree
            if mode == "ask/tell":
                tree, trial = algorithm.ask(tree, ["act"])
                tree = algorithm.tell(tree, trial.trial_id, proposals["act"](None))
            else:
                tree = algorithm.step(tree, proposals, inplace=mode == "in place")

        return step, lambda: max(_depth(node) for node in tree.tree.get_nodes())

    return make


def _depth(node: Any) -> int:
    depth = 0
    while node.parent is not None:
        node, depth = node.parent, depth + 1
    return depth


ENGINES: dict[str, tuple[Callable[[], tuple[Step, Callable[[], int]]], int]] = {  # name: how to make it, largest size
    "mcts, 2 children a node": (ours("mcts_mean", max_branching=2), 1_000_000),
    "mcts, 5 children a node": (ours("mcts", max_branching=5), 1_000_000),
    "mcts, no limits": (ours("mcts"), 1_000_000),
    "mcts, one node with most children": (ours("mcts", scale=1e-9), 1_000_000),
    "best_first, no limits": (ours("best_first"), 1_000_000),
    "treequest ask/tell": (theirs("ask/tell"), 10_000),
    "treequest in place": (theirs("in place"), 10_000),
    "treequest default": (theirs("default"), 1_000),
}


def measure(engine: str, nodes: int) -> Row:
    """Grow a tree of so many nodes. Run in a fresh process, for memory is read from its peak."""
    step, depth = ENGINES[engine][0]()
    step(0)
    before = _peak()
    times = [time.process_time()]
    for tenth in range(10):
        for number in range(tenth * nodes // 10, (tenth + 1) * nodes // 10):
            step(number + 1)
        times.append(time.process_time())
    each = 1e6 / nodes
    return Row(engine, nodes, (times[-1] - times[0]) * each, 10 * (times[-1] - times[-2]) * each, (_peak() - before) // nodes, depth())


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def run(sizes: list[int]) -> list[Row]:
    """Every engine at every size it can do."""
    todo = [(engine, nodes) for engine, (_, largest) in ENGINES.items() for nodes in sizes if nodes <= largest]
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        return pool.starmap(measure, todo, chunksize=1)


def empty_call() -> float:
    """CPU nanoseconds of a call that does nothing, to compare machines and loads by."""
    began, calls = time.process_time(), 1_000_000
    for _ in range(calls):
        _nothing()
    return (time.process_time() - began) / calls * 1e9


def _nothing() -> None:
    pass


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| engine | nodes | CPU us per step | over the last tenth | bytes per node | depth |", "|---|---:|---:|---:|---:|---:|"]
    lines += [f"| {r.engine} | {r.nodes:,} | {r.step:.1f} | {r.last:.1f} | {r.bytes:,} | {r.depth} |" for r in rows]
    return "\n".join([*lines, "", f"An empty Python call takes {empty_call():.0f} ns here."])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rows = run(list(arguments.sizes))
    print(json.dumps([asdict(row) for row in rows], indent=1) if arguments.json else table(rows))


if __name__ == "__main__":
    main()
