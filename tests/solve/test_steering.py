"""Orders from outside, in real searches: what they do, that they count once, and that a resumed run does the same again."""

import shutil
import threading
import time

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


def test_stop_ends_a_search_that_can_be_resumed(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", search_workers=1)

    solution, events = search(begun, 4, sent(begun, Order("stop")))

    assert solution.best is None
    assert ended(events) == "interrupted"
    assert [order["effect"] for order in orders(begun)] == ["stopping: what is under way is finished first"]
    assert len(nodes(begun)) < 8


def test_added_budget_is_kept_before_it_counts_and_a_resumed_run_honours_it_once(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", budget_evaluations=4, search_workers=1)

    search(begun, 3, sent(begun, Order("add", more={"evaluations": 3}), Order("add", more={"dollars": 2.0})))

    assert [order["effect"] for order in orders(begun)] == ["3 evaluations more", "$2 more"]
    assert len(nodes(begun)) == 1 + 7
    again = runs.open_run(tmp_path / "home", begun.id)
    assert (again.settings.budget.evaluations, again.settings.budget.dollars) == (7, 3.0)
    search(again)
    assert len(nodes(begun)) == 1 + 7


def test_while_a_search_is_paused_nothing_is_begun_and_the_clock_stands_still(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", budget_evaluations=6, search_workers=2)
    seen = []

    def pause():
        Mailbox(begun.folder).send(Order("pause"))
        threading.Thread(target=wake, daemon=True).start()

    def wake():
        time.sleep(0.8)
        seen.append(len(nodes(begun)))
        time.sleep(0.4)
        seen.append(len(nodes(begun)))
        Mailbox(begun.folder).send(Order("continue"))

    started = time.monotonic()
    _, events = search(begun, 3, pause)
    took = time.monotonic() - started

    assert seen[0] == seen[1] < 7
    assert len(nodes(begun)) == 7
    stopped = next(event.data for event in events if event.kind == "stopped")
    assert stopped["seconds"] < took - 0.8


def test_a_pruned_branch_is_left_alone_and_the_run_resumes_with_the_same_tree(repo, tmp_path):
    """The first state that is no dead end is pruned; a later session prunes it at the same place."""
    folder = repo(HOPELESS)
    whole, halved = (begin(folder, tmp_path / name, search_workers=2, budget_evaluations=12) for name in "ab")
    stop = threading.Event()

    def prune(run):
        first = next(event.data["id"] for event in run.events("node") if event.data["id"] and not event.data["closed"])
        Mailbox(run.folder).send(Order("prune", node=first))

    search(whole, 6, lambda: prune(whole))
    search(halved, 6, lambda: (prune(halved), threading.Timer(0.2, stop.set).start()), stop)
    count = len(nodes(halved))
    search(runs.open_run(tmp_path / "b", halved.id))

    pruned = orders(whole)[0]["node"]
    assert count < 13
    assert nodes(halved) == nodes(whole)
    assert [order["at"] for order in orders(halved)] == [order["at"] for order in orders(whole)]
    assert not [id for id, parent, *_ in nodes(whole)[8:] if parent == pruned]


def test_a_hint_brings_what_it_speaks_of_forward_at_once_and_is_kept_with_the_node(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", budget_evaluations=8, search_workers=1)

    _, events = search(begun, 3, sent(begun, Order("hint", node=0, text="the bug is in core.py:10, in `mean`")))

    whys = [event.data["why"] for event in events if event.kind == "node"]
    assert "line 10" not in "".join(whys[:4])
    assert orders(begun)[0]["effect"].startswith("heard")
    assert orders(begun)[0]["text"] == "the bug is in core.py:10, in `mean`"


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


def test_a_running_search_answers(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", search_workers=1, budget_evaluations=8)
    said = []

    def ask():
        asker = threading.Thread(target=lambda: said.append((running(begun), steer(begun, Order("stop")))))
        asker.start()
        askers.append(asker)

    askers = []
    search(begun, 3, ask)
    askers[0].join()

    assert said == [(True, "stopping: what is under way is finished first")]
