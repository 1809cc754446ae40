"""A process that dies at the worst moments of steering, and hints that models read: nothing counts twice, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from swesearch import runs, solve
from swesearch.steer import Mailbox, Order, orders
from swesearch.testing import FakeProvider
from tests.solve.brain import Brain
from tests.solve.project import FILES, HOPELESS
from tests.solve.test_agents import begin as begin_with_model
from tests.solve.test_search import begin, nodes

# Sends "three more evaluations" at the third state, and dies: as soon as that is sent, or as soon as it is in the journal.
DYING = """
import os, sys, threading
from pathlib import Path
from swesearch import runs, solve
from swesearch.steer import Mailbox, Order

run, moment = runs.open_run(Path(sys.argv[1]), sys.argv[2]), sys.argv[3]
seen = []

def observe(event):
    seen.append(event.kind)
    if event.kind == "node" and seen.count("node") == 3:
        Mailbox(run.folder).send(Order("add", more={"evaluations": 3}))
    if (moment == "kept" and event.kind == "steered") or (moment == "sent" and seen.count("node") == 3):
        os._exit(9)

solve.search(run, observe, threading.Event())
"""


@pytest.mark.parametrize("moment", ["sent", "kept"])
def test_added_budget_counts_once_whenever_the_process_dies(repo, tmp_path, moment):
    begun = begin(repo(HOPELESS), tmp_path / "home", budget_evaluations=4, search_workers=1)
    root = Path(__file__).parents[2]
    died = subprocess.run([sys.executable, "-c", DYING, str(tmp_path / "home"), begun.id, moment], cwd=root, check=False)
    assert died.returncode == 9
    assert len(orders(begun)) == (moment == "kept")

    solve.search(runs.open_run(tmp_path / "home", begun.id), lambda _: None, threading.Event())

    assert len(nodes(begun)) == 1 + 4 + 3
    assert [order["number"] for order in orders(begun)] == [1]


class Listening(Brain):
    """Keeps every request of the planner, and has more ideas each time."""

    def __call__(self, turn):
        if turn.schema and "hypotheses" in turn.schema["properties"]:
            self.ideas = [(f"Idea number {len(self.asked)} of {word}", 0.3) for word in ("apples", "pears")]
            self.heard = [*getattr(self, "heard", []), "".join(message.text for message in turn.messages)]
        return super().__call__(turn)


def test_a_planner_reads_a_hint_and_a_resumed_run_asks_nothing_again(repo, tmp_path, monkeypatch):
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-a-very-secret-key")
    brain, stop = Listening(), threading.Event()
    with FakeProvider(brain) as provider:
        begun = begin_with_model(
            repo(FILES), tmp_path / "home", provider.url, search_workers=1, search_strategy="best_of_n", agents_rounds=1
        )

        def act(event):
            if event.kind == "node" and event.data["id"] == 1:
                Mailbox(begun.folder).send(Order("hint", node=0, text="the second comparison is the wrong way round"))
            if event.kind == "node" and event.data["id"] == 3:
                stop.set()

        solve.search(begun, act, stop)
        asked, grown = len(brain.asked), nodes(begun)
        assert ["wrong way round" in words for words in brain.heard] == [False, True]

        again = runs.open_run(tmp_path / "home", begun.id).settings.updated({"model": {"answers": "record"}}, "test")
        run = runs.Run(begun.folder, begun.task, again)
        halt = threading.Event()
        solve.search(run, lambda event: halt.set() if event.kind == "alert" else None, halt)

    assert len(brain.asked) == asked
    assert nodes(begun) == grown
