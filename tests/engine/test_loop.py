from __future__ import annotations

import os
import signal
import threading
import time
from random import Random
from threading import Event

import pytest

from swesearch.engine.budget import Budget, BudgetExhausted
from swesearch.engine.loop import Outcome, Retry, run
from swesearch.engine.search import Search
from swesearch.engine.snapshot import snapshot
from swesearch.engine.strategies import STRATEGIES, options
from swesearch.engine.tree import Child, Lease
from tests.engine import books, problem


class Unavailable(Exception):
    """We could not find out."""


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_the_tree_is_the_same_whatever_the_timing_of_the_workers(strategy: str) -> None:
    def tree(seed: int) -> list:
        delays = Random(seed)

        def slow(lease: Lease[str]) -> Outcome[str]:
            time.sleep(delays.random() * 0.004)
            return problem.expand(lease)

        search = problem.search(**options(strategy, seed=1, max_depth=4))
        run(search, slow, Budget(evaluations=40), workers=4, patience=None)
        books.check(search, [])
        return snapshot(search)

    assert tree(1) == tree(2)


def test_an_expansion_that_cannot_pay_ends_the_search_and_loses_nothing() -> None:
    def expand(lease: Lease[str]) -> Outcome[str]:
        if lease.nth == 2:
            raise BudgetExhausted("dollars: 1 of 1 used")
        return Outcome(Child(lease.nth, lease.nth, 0.5), 1.0)

    search = Search("root", "root", 0.0, max_depth=1)
    budget = Budget(evaluations=10)
    assert run(search, expand, budget, workers=2) == "budget"
    assert search.in_flight == 0
    assert {node.item for node in search.nodes} >= {"root", 0, 1}
    assert budget.spent()["evaluations"] == len(search.nodes) - 1


def test_unordered_tells_come_as_the_work_is_done() -> None:
    search, told = Search("root", "root", 0.0, max_branching=2, max_depth=1), []

    def expand(lease: Lease[str]) -> Outcome[str]:
        time.sleep(0.2 if lease.nth == 0 else 0.0)
        return Outcome(Child(lease.nth, lease.nth, 0.0), 1.0)

    ending = run(search, expand, Budget(), workers=2, ordered=False, on_tell=lambda lease, *_: told.append(lease.nth))
    assert (ending, told) == ("exhausted", [1, 0])


def test_only_the_calling_thread_tells_and_the_workers_work_side_by_side() -> None:
    meeting, tellers = threading.Barrier(3), set()

    def expand(lease: Lease[str]) -> Outcome[str]:
        meeting.wait(5)  # breaks unless three are here at once
        return problem.expand(lease)

    run(
        problem.search(),
        expand,
        Budget(evaluations=9),
        workers=3,
        patience=None,
        on_tell=lambda *_: tellers.add(threading.current_thread()),
    )
    assert tellers == {threading.current_thread()}


def test_the_number_of_evaluations_is_never_passed() -> None:
    search, budget = problem.search(), Budget(evaluations=17)
    assert run(search, problem.expand, budget, workers=4, patience=None) == "budget"
    assert search.root.visits == 18
    assert budget.spent()["evaluations"] == 17


def test_the_search_ends_with_the_first_solution() -> None:
    search = problem.search()
    assert run(search, problem.expand, Budget()) == "solved"
    assert search.nodes[-1].solved


def test_patience_is_how_much_is_tried_after_the_first_solution() -> None:
    def asked(patience: int) -> int:
        search = problem.search()
        count = []
        run(search, problem.expand, Budget(), patience=patience, on_tell=lambda *_: count.append(1))
        return len(count)

    assert asked(25) == asked(0) + 25


def test_what_we_could_not_find_out_is_tried_again() -> None:
    failures = [Unavailable("no engine"), Unavailable("no engine")]

    def expand(lease: Lease[str]) -> Outcome[str]:
        if failures:
            raise failures.pop()
        return problem.expand(lease)

    assert run(problem.search(), expand, Budget(), retry=Retry((Unavailable,), times=2, seconds=0.01)) == "solved"


def test_what_stays_unknown_stops_the_run_with_the_tree_intact_and_uncharged() -> None:
    search, budget, broken = problem.search(), Budget(evaluations=99), Event()

    def expand(lease: Lease[str]) -> Outcome[str]:
        if broken.is_set():
            raise Unavailable("the engine died")
        return problem.expand(lease)

    def on_tell(*_: object) -> None:
        if search.root.visits > 10:
            broken.set()

    with pytest.raises(Unavailable, match="the engine died"):
        run(search, expand, budget, workers=3, retry=Retry((Unavailable,), 1, 0.01), on_tell=on_tell)
    books.check(search, [])
    assert budget.spent()["evaluations"] == search.root.visits - 1
    assert run(search, problem.expand, budget) == "solved"


def test_an_error_in_the_expansion_is_raised_where_the_search_was_called() -> None:
    search = problem.search()

    def expand(lease: Lease[str]) -> Outcome[str]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run(search, expand, Budget(), workers=2)
    books.check(search, [])


def test_stop_ends_the_search_in_time_although_an_evaluation_hangs() -> None:
    search, stop, hang = problem.search(), Event(), Event()

    def expand(lease: Lease[str]) -> Outcome[str]:
        if lease.nth == 1 and not lease.trail:
            stop.set()
            hang.wait(20)
        return problem.expand(lease)

    began = time.monotonic()
    assert run(search, expand, Budget(), workers=2, stop=stop, grace=0.2) == "stopped"
    assert time.monotonic() - began < 5
    hang.set()
    books.check(search, [])


def test_what_is_nearly_done_when_stopped_is_still_told() -> None:
    search, stop = problem.search(), Event()

    def expand(lease: Lease[str]) -> Outcome[str]:
        stop.set()
        time.sleep(0.3)
        return problem.expand(lease)

    assert run(search, expand, Budget(), workers=2, stop=stop, grace=5) == "stopped"
    assert search.root.visits == 3


def test_a_run_out_of_time_does_not_wait_for_what_hangs() -> None:
    search, hang = problem.search(), Event()

    def expand(lease: Lease[str]) -> Outcome[str]:
        hang.wait(20)
        return problem.expand(lease)

    began = time.monotonic()
    assert run(search, expand, Budget(seconds=0.2), grace=0.1) == "budget"
    assert time.monotonic() - began < 5
    hang.set()
    books.check(search, [])


def test_control_c_leaves_a_consistent_tree_that_can_go_on() -> None:
    search = problem.search()

    def expand(lease: Lease[str]) -> Outcome[str]:
        if lease.nth == 1 and not lease.trail:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.2)
        return problem.expand(lease)

    with pytest.raises(KeyboardInterrupt):
        run(search, expand, Budget(), workers=2)
    books.check(search, [])
    assert search.root.visits >= 3
    assert run(search, problem.expand, Budget()) == "solved"


def test_a_lease_that_gives_several_children_costs_as_many_evaluations() -> None:
    def expand(lease: Lease[str]) -> Outcome[str]:
        first, second = (Child((*lease.path, nth), (*lease.path, nth), 0.0) for nth in range(2))
        return Outcome(first, None, (second,))

    search, budget = Search("root", "root", 0.0, max_depth=9), Budget(evaluations=7)
    assert run(search, expand, budget, batch=2) == "budget"
    assert budget.spent()["evaluations"] == 6


def test_a_search_can_be_paused_and_goes_on_where_it_was() -> None:
    search = problem.search(**options("mcts"))
    budget = Budget(evaluations=30)
    assert run(search, problem.expand, budget, patience=None, until=lambda: budget.share() >= 0.5) == "paused"
    half = len(search.nodes)
    assert run(search, problem.expand, budget, patience=None) == "budget"
    assert len(search.nodes) > half
    assert budget.share() == 1.0


def test_while_it_is_held_nothing_new_is_begun_and_then_it_goes_on_where_it_was() -> None:
    search = problem.search(max_depth=4)
    held: list[int] = []

    def hold() -> bool:
        if len(search.nodes) == 5 and len(held) < 3:
            held.append(search.leased)
            return True
        return False

    run(search, problem.expand, Budget(evaluations=20), patience=None, hold=hold)

    plain = problem.search(max_depth=4)
    run(plain, problem.expand, Budget(evaluations=20), patience=None)
    assert len(set(held)) == 1
    assert snapshot(search) == snapshot(plain)


def test_a_held_search_can_be_stopped() -> None:
    stop = Event()
    threading.Timer(0.1, stop.set).start()
    assert run(problem.search(), problem.expand, Budget(), stop=stop, hold=lambda: True) == "stopped"
