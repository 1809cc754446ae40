from __future__ import annotations

import time
from threading import Barrier, Thread

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swesearch.engine.budget import Budget, BudgetExhausted


def test_what_does_not_fit_is_refused_with_the_reason() -> None:
    budget = Budget(dollars=1.0)
    budget.reserve(dollars=0.75)
    with pytest.raises(BudgetExhausted, match=r"dollars: 0\.75 of 1 used"):
        budget.reserve(dollars=0.5)


def test_settling_gives_back_what_was_not_used() -> None:
    budget = Budget(tokens=100)
    budget.reserve(tokens=100).settle(tokens=30)
    assert budget.left()["tokens"] == 70
    assert budget.spent()["tokens"] == 30


def test_a_reservation_counts_once_however_often_it_is_settled() -> None:
    budget = Budget(evaluations=3)
    with budget.reserve(evaluations=1) as reservation:
        reservation.settle(evaluations=1)
        reservation.settle(evaluations=1)
    assert budget.spent()["evaluations"] == 1


def test_an_error_before_settling_uses_nothing() -> None:
    budget = Budget(evaluations=1)
    with pytest.raises(KeyError), budget.reserve(evaluations=1):
        raise KeyError
    assert budget.left()["evaluations"] == 1


def test_seconds_pass_by_themselves_and_end_the_budget() -> None:
    now = [100.0]
    budget = Budget(seconds=10, clock=lambda: now[0])
    assert budget.exhausted() == ""
    now[0] = 111.0
    assert budget.exhausted() == "seconds: 11 of 10 used"
    with pytest.raises(BudgetExhausted, match="seconds"):
        budget.reserve(evaluations=1)


def test_a_resumed_budget_goes_on_from_what_was_spent_and_can_be_raised() -> None:
    first = Budget(evaluations=5, seconds=60, clock=lambda: 0.0)
    first.reserve(evaluations=5).settle(evaluations=5)
    second = Budget(evaluations=5, seconds=60, clock=lambda: 1000.0, spent=first.spent() | {"seconds": 20})
    assert second.exhausted() == "evaluations: 5 of 5 used"
    second.add(evaluations=2)
    assert second.exhausted() == ""
    assert second.left() == {"evaluations": 2, "seconds": 40, "tokens": None, "dollars": None}


def test_many_small_sums_of_money_fit_exactly() -> None:
    budget = Budget(dollars=1.0)
    for _ in range(10):
        budget.reserve(dollars=0.1).settle(dollars=0.1)
    assert budget.left()["dollars"] == pytest.approx(0)
    with pytest.raises(BudgetExhausted):
        budget.reserve(dollars=0.1)


@pytest.mark.parametrize("amount", [{"apples": 1}, {"tokens": -1}])
def test_an_amount_that_makes_no_sense_is_refused(amount: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        Budget().reserve(**amount)


def test_parallel_threads_never_exceed_the_budget_together() -> None:
    budget, start, used = Budget(evaluations=50, dollars=10.0), Barrier(8), []

    def spend() -> None:
        start.wait()
        for _ in range(40):
            try:
                with budget.reserve(evaluations=1, dollars=0.5) as reservation:
                    time.sleep(0.0001)
                    used.append(0.25)
                    reservation.settle(evaluations=1, dollars=0.25)
            except BudgetExhausted:
                continue

    threads = [Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < sum(used) == budget.spent()["dollars"] <= 10.0
    assert len(used) == budget.spent()["evaluations"] <= 50


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1))))
def test_spent_and_reserved_together_never_pass_the_limit(amounts: list[tuple[float, float]]) -> None:
    budget = Budget(dollars=5.0)
    for worst, share in amounts:
        try:
            reservation = budget.reserve(dollars=worst)
        except BudgetExhausted:
            continue
        reservation.settle(dollars=worst * share)
        assert budget.spent()["dollars"] <= 5.0 + 1e-6


def test_the_time_of_a_pause_does_not_count() -> None:
    now = [0.0]
    budget = Budget(seconds=10, clock=lambda: now[0])
    now[0] = 4
    budget.hold()
    now[0] = 100
    assert budget.left()["seconds"] == 6
    budget.hold()
    budget.go_on()
    budget.go_on()
    now[0] = 103
    assert budget.spent()["seconds"] == 7
