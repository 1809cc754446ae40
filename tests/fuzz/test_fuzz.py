"""Hostile and broken input is read, or refused in the documented way. The same targets, led by coverage: python -m benchmarks.fuzz"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from benchmarks.fuzz.__main__ import every
from benchmarks.fuzz.targets import Target
from tests.fuzz.found import FOUND

EXAMPLES, SLOW_EXAMPLES = 100, 25
ALL = [pytest.param(each, id=name) for name, each in every().items()]


@pytest.mark.parametrize("one", ALL)
def test_whatever_comes_in_only_the_documented_can_happen(one: Target) -> None:
    checked = settings(
        max_examples=SLOW_EXAMPLES if one.slow else EXAMPLES, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
    )
    checked(given(one.values)(one.check))()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FOUND.items() for value in values])
def test_what_fuzzing_once_found_stays_mended(name: str, value: object) -> None:
    every()[name].check(value)
