from datetime import date, timedelta
from itertools import islice

import pytest
from boltons.timeutils import daterange

DAY = date(2020, 2, 28)


@pytest.mark.parametrize("step", [1, 7, timedelta(days=2), (0, 1, 0)])
def test_equal_ends_give_one_day_with_any_step(step):
    assert list(islice(daterange(DAY, DAY, step=step, inclusive=True), 3)) == [DAY]


def test_equal_ends_give_nothing_when_the_end_is_left_out():
    assert list(islice(daterange(DAY, DAY), 3)) == []


@pytest.mark.parametrize("days", [1, 2, 5])
def test_ranges_forwards_and_backwards_have_the_right_length(days):
    there = DAY + timedelta(days=days)
    back = DAY - timedelta(days=days)
    for inclusive in (False, True):
        assert len(list(islice(daterange(DAY, there, inclusive=inclusive), 9))) == days + inclusive
        assert len(list(islice(daterange(DAY, back, step=-1, inclusive=inclusive), 9))) == days + inclusive


def test_no_end_still_means_no_end():
    assert len(list(islice(daterange(DAY, None), 100))) == 100
