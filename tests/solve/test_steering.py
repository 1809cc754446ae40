"""Orders from outside, in real searches: what they do, that they count once, and that a resumed run does the same again."""

import shutil
import threading

import pytest

from swesearch import runs, solve
from swesearch.base import UsageError
from swesearch.steer import MAILBOX, Mailbox, Order, orders, running, steer
from tests.solve.project import HOPELESS
from tests.solve.test_search import begin, nodes


class Watch:
    """An observer that does something after so many nodes."""

    def __init__(self, at, act):
        self.at, self.act, self.events = at, act, []

    def __call__(self, event):
        self.events.append(event)
        if event.kind == "node" and sum(each.kind == "node" for each in self.events) == self.at:
            self.act()


def sent(begun, *wanted):
    """Put orders into the mailbox, as another process does."""
    return lambda: [Mailbox(begun.folder).send(order) for order in wanted]


def search(begun, at=3, act=lambda: None, stop=None):
    watch = Watch(at, act)
    return solve.search(begun, watch, stop or threading.Event()), watch.events


def ended(events):
    return next(event.data["why"] for event in events if event.kind == "stopped")


@pytest.fixture
def ended_run(stopped, tmp_path):
    """A run of one's own that has stopped."""
    shutil.copytree(stopped.folder, tmp_path / "home" / "runs" / stopped.id)
    return runs.open_run(tmp_path / "home", stopped.id)


def test_added_budget_counts_and_a_run_that_is_opened_again_has_it(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", budget_evaluations=4, search_workers=1)

    search(begun, 3, sent(begun, Order("add", more={"evaluations": 3}), Order("add", more={"dollars": 2.0})))

    assert [order["effect"] for order in orders(begun)] == ["3 evaluations more", "$2 more"]
    assert len(nodes(begun)) == 1 + 7
    limits = runs.open_run(tmp_path / "home", begun.id).settings.budget
    assert (limits.evaluations, limits.dollars) == (7, 3.0)


def test_a_pruned_branch_is_left_alone(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", search_workers=2, budget_evaluations=12)

    def prune():
        first = next(event.data["id"] for event in begun.events("node") if event.data["id"] and not event.data["closed"])
        Mailbox(begun.folder).send(Order("prune", node=first))

    search(begun, 6, prune)

    pruned = orders(begun)[0]
    assert pruned["effect"].startswith("pruned")
    assert not [id for id, parent, *_ in nodes(begun)[8:] if parent == pruned["node"]]


def test_orders_to_a_run_that_is_not_going_on_count_when_it_is_resumed_or_are_refused(ended_run, tmp_path):
    assert not running(ended_run)
    for order in (Order("pause"), Order("continue"), Order("stop"), Order("add", more={"evaluations": 3})):
        with pytest.raises(UsageError, match=f"not going on now: `swesearch resume {ended_run.id}"):
            steer(ended_run, order)
    assert "kept" in steer(ended_run, Order("hint", node=0, text="mean is right"))
    sent(ended_run, Order("stop"), Order("pause"))()  # as a session that has just ended leaves them

    _, events = search(ended_run)

    assert ended(events) == "budget"
    assert [(order["order"], order["effect"][:16]) for order in orders(ended_run)] == [
        ("stop", "it came too late"), ("pause", "it came too late"), ("hint", "heard: the next "),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (("prune", 99), "has no node n99: its nodes are n0 to n"),
        (("prune", 0), "is the code as it was"),
        (("hint", 1, "x"), "is a dead end"),
    ],
)
def test_orders_for_nodes_that_cannot_take_them_are_refused_with_the_reason(stopped, order, words):
    with pytest.raises(UsageError, match=words):
        steer(stopped, Order(*order))
    assert not (stopped.folder / MAILBOX).exists()


def test_a_finished_run_takes_no_orders(finished):
    with pytest.raises(UsageError, match=f"is finished: `swesearch fork {finished.id} NODE`"):
        steer(finished, Order("hint", node=0, text="no"))


def test_a_running_search_answers_heeds_and_stops(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", search_workers=1, budget_evaluations=30)
    said, askers = [], []

    def ask():
        wanted = Order("hint", node=0, text="the bug is in core.py:10, in `mean`"), Order("stop")
        askers.append(threading.Thread(target=lambda: said.extend((running(begun), steer(begun, order)) for order in wanted)))
        askers[0].start()

    solution, events = search(begun, 3, ask)
    askers[0].join()

    assert said == [(True, "heard: the next attempt here is made with it"), (True, "stopping: what is under way is finished first")]
    assert solution.best is None
    assert ended(events) == "interrupted"
    assert [order["text"] for order in orders(begun) if order["order"] == "hint"] == ["the bug is in core.py:10, in `mean`"]
