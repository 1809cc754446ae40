"""Orders at any moment of a search with several workers: a session that replays it makes the same tree."""

import hashlib
import random
import shutil
import tempfile
import time
from pathlib import Path
from threading import Event as Flag

import pytest

from swesearch.base import Action, Attempt, Evaluation, Event, State
from swesearch.engine.budget import Budget
from swesearch.engine.loop import Outcome, run
from swesearch.engine.search import Search
from swesearch.engine.snapshot import snapshot
from swesearch.engine.tree import Child
from swesearch.journal import Journal
from swesearch.solve.helm import Helm
from swesearch.solve.record import Record
from swesearch.steer import Mailbox, Order
from tests.engine import books

WORKERS, STATES = 3, 60


def expand(delays):
    """A world in which what comes of an action follows from the state, the action and what was said on the way; only time is chance."""

    def go(lease):
        time.sleep(delays.random() * 0.003)
        said = [hint for attempt in lease.path for hint in attempt.hints]
        draw = random.Random(f"{lease.item.state.tree} {lease.nth} {said}")
        tree = hashlib.sha1(str(draw.randrange(500)).encode(), usedforsecurity=False).hexdigest()
        value, prior = draw.choice([0.1, 0.3, 0.6]), draw.random() * 0.9 + 0.05
        child = Attempt(Action((), f"{lease.nth} {tree}"), State(tree), Evaluation(value))
        solved, closed = draw.random() < 0.05, draw.random() < 0.3
        return Outcome(Child(child, child.state, value, prior, solved, closed and not solved, open=0.5), prior if lease.nth < 5 else None)

    return go


def grow(folder, seed, act=lambda _known: None):
    """One session: its tree, and the nodes of its journal."""
    journal = Journal.open(folder / "journal")
    try:
        record, mailbox = Record(journal, lambda _: None), Mailbox(folder)
        root = Attempt(None, State("root"), Evaluation(0.2))
        tree = Search(root, root.state, 0.2, max_depth=5)
        record.node(root, None, 0)
        budget = Budget(evaluations=STATES)
        helm = Helm(mailbox, record, budget, Flag(), tree, lambda _index, _nth: None)

        def tell(lease, outcome, nodes):
            record.node(outcome.child.item, lease.node.index, nodes[0].index if nodes else None)
            act([record.node_id(node.index) for node in tree.nodes])

        run(tree, expand(random.Random(seed)), budget, workers=WORKERS, patience=None, on_tell=tell, hold=helm.hold)
        books.check(tree, [])
        return snapshot_of(tree), [event.data["id"] for _, event in journal.events(kind="node")]
    finally:
        journal.close()


def snapshot_of(tree):
    return [{**each, "key": str(each["key"]), "hints": node.item.hints} for each, node in zip(snapshot(tree), tree.nodes, strict=True)]


def whims(folder, draw):
    """Sends orders now and then, for nodes that there are."""

    def act(known):
        if draw.random() < 0.25:
            node = draw.choice(known)
            pause = [Order("pause"), *([Order("continue")] if draw.random() < 0.5 else []), Order("continue")]
            for order in draw.choice([[Order("prune", node=node)], [Order("hint", node=node, text=f"hint {draw.random()}")], pause]):
                Mailbox(folder).send(order)

    return act


@pytest.mark.parametrize("seed", range(5))
def test_a_replay_with_other_timing_makes_the_same_tree(seed):
    with tempfile.TemporaryDirectory() as name:
        first, second = Path(name, "first"), Path(name, "second")
        first.mkdir()
        Journal.create(first / "journal", Event("begun", {})).close()

        grown, nodes = grow(first, seed, whims(first, random.Random(seed)))
        shutil.copytree(first, second)
        again, more = grow(second, seed + 100)

        assert again == grown
        assert more == nodes


@pytest.mark.parametrize("seed", range(5))
def test_a_session_that_goes_on_where_another_died_ends_with_the_tree_that_one_would_have_had(seed):
    with tempfile.TemporaryDirectory() as name:
        first, second = Path(name, "first"), Path(name, "second")
        first.mkdir()
        Journal.create(first / "journal", Event("begun", {})).close()
        whim, death, told = whims(first, random.Random(seed)), random.Random(seed).randrange(5, 40), []

        def act(known):
            """Orders until the death; then none, so that what the dead session had not seen is nothing."""
            told.append(known)
            if len(told) < death:
                whim(known)
            elif not second.exists() and len(events(first)) == len(Mailbox(first).old):
                shutil.copytree(first, second)

        grown, _ = grow(first, seed, act)
        assert second.exists()
        assert grow(second, seed + 100)[0] == grown


def events(folder):
    journal = Journal.read(folder / "journal")
    try:
        return [event for _, event in journal.events(kind="steered")]
    finally:
        journal.close()


def test_an_order_whose_node_does_not_come_again_holds_nothing_up(tmp_path):
    """As where a replay takes another way: an order for a node that is missing stands between a pause and its end."""
    lost = {"number": 2, "order": "prune", "node": 999, "at": [4, 1], "effect": ""}
    paused = [{"number": number, "order": order, "at": [4, 1], "effect": ""} for number, order in ((1, "pause"), (3, "continue"))]
    kept = [Event("steered", data) for data in (paused[0], lost, paused[1])]
    Journal.create(tmp_path / "journal", Event("begun", {}), *kept).close()

    assert len(grow(tmp_path, 1)[0]) > 5
