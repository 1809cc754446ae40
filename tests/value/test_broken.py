"""Which tests are broken: also where their names are others in each run."""

from sandbox.base import TestOutcome, TestRun
from swesearch.value.tests import broken_tests


def run(**outcomes):
    return TestRun("complete", tuple(TestOutcome(name.replace("__", "[") + "]" * ("__" in name), how) for name, how in outcomes.items()))


def test_what_fails_or_is_gone_is_broken_and_what_is_skipped_is_not():
    assert broken_tests(["a", "b", "c", "d"], run(a="passed", b="failed", c="skipped")) == ["b", "d"]


def test_a_test_named_after_the_hour_is_the_same_an_hour_later():
    assert broken_tests(["a[9]", "a[1]"], run(a__10="passed", a__1="passed")) == []


def test_one_that_has_come_stands_for_one_that_is_gone():
    assert broken_tests(["a[9]", "a[8]", "b[9]"], run(a__10="passed", b__10="failed")) == ["a[8]", "b[9]"]


def test_one_that_fails_under_its_own_name_is_broken_whatever_has_come():
    assert broken_tests(["a[9]"], run(a__9="failed", a__10="passed")) == ["a[9]"]
