from datetime import date
from itertools import islice

from boltons.timeutils import daterange

DAY = date(2021, 5, 17)


def test_a_range_from_a_day_to_itself_is_that_day():
    assert list(islice(daterange(DAY, DAY, inclusive=True), 3)) == [DAY]


def test_a_range_forwards_stops_before_its_end():
    assert list(daterange(DAY, date(2021, 5, 19))) == [DAY, date(2021, 5, 18)]


def test_a_range_backwards_can_include_its_end():
    assert list(daterange(DAY, date(2021, 5, 16), step=-1, inclusive=True)) == [DAY, date(2021, 5, 16)]


def test_a_range_without_an_end_goes_on():
    assert len(list(islice(daterange(DAY, None), 40))) == 40
