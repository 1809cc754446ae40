"""One recorded search, compared as a whole tree. `python -m tests.engine.test_golden` records it anew, for a change that is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from swesearch.engine.budget import Budget
from swesearch.engine.loop import run
from swesearch.engine.search import Search
from swesearch.engine.snapshot import snapshot
from swesearch.engine.strategies import options
from tests.engine import problem

RECORD = Path(__file__).with_name("golden.json")


def search() -> Search[str]:
    """A hundred and twenty steps of the small problem by three workers, past its solution, with every limit on."""
    over = problem.search("erte", **options("mcts_blend", max_depth=5, max_branching=14, keep_closed=True, widening=(2.0, 0.5)))
    run(over, problem.expand, Budget(evaluations=120), workers=3, patience=None)
    return over


def test_the_golden_run_gives_the_recorded_tree() -> None:
    tree: list[dict[str, Any]] = json.loads(json.dumps(snapshot(search())))
    assert tree == json.loads(RECORD.read_text())
    assert any(len(node["parents"]) > 1 for node in tree)
    assert any(node["solved"] for node in tree)
    assert any(node["rejected"] for node in tree)


if __name__ == "__main__":
    RECORD.write_text("[\n" + ",\n".join(json.dumps(node) for node in snapshot(search())) + "\n]\n")
