"""The Ochiai formula."""

from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swesearch.code.spectrum import ochiai

TESTS = st.lists(st.frozensets(st.integers(0, 9)), max_size=5)


def test_what_only_failing_tests_execute_is_certain() -> None:
    assert ochiai([{1, 2}, {1}], [{2, 3}]) == {1: 1.0, 2: pytest.approx(1 / sqrt(2 * 2))}


def test_what_no_failing_test_executes_is_not_suspected() -> None:
    assert 3 not in ochiai([{1}], [{3}])


@given(TESTS, TESTS)
def test_a_further_passing_test_never_makes_its_lines_more_suspicious(failing: list[frozenset[int]], passing: list[frozenset[int]]) -> None:
    less, more = ochiai(failing, passing), ochiai(failing, [*passing, frozenset(range(10))])
    assert less.keys() == more.keys()
    assert all(0 < more[line] < less[line] <= 1 for line in less)
