"""The order in which failing tests are run."""

from sandbox.base import TestOutcome
from swesearch.value.checks import CUT, _cheap_first


def failing(**seconds):
    errors = {name: CUT if name.startswith("hangs") else "AssertionError" for name in seconds}
    return {name: TestOutcome(name, "failed", seconds[name], errors[name]) for name in seconds}


def test_quick_tests_keep_their_order_and_slow_and_hanging_ones_come_after_them():
    assert list(_cheap_first(failing(hangs=0.4, slow=0.6, b=0.002, a=0.003, c=0.02))) == ["b", "a", "c", "slow", "hangs"]


def test_where_all_are_slow_nothing_is_moved():
    assert list(_cheap_first(failing(b=0.9, a=0.5, c=1.2))) == ["b", "a", "c"]
