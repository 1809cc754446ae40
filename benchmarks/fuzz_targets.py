"""What is fuzzed: each target takes a value that somebody else has made, and may only fail in the way that is documented.

One list for two ways: tests/fuzz runs it with hypothesis, benchmarks/fuzz.py with atheris, led by coverage.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True, slots=True)
class Target:
    """Values, and what must hold for each. `slow`: each value costs some processes."""

    name: str
    values: st.SearchStrategy[Any]
    check: Callable[[Any], None]
    slow: bool = False


TARGETS: dict[str, Target] = {}


def target(values: st.SearchStrategy[Any], *, slow: bool = False) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Put a check on the list."""

    def add(check: Callable[[Any], None]) -> Callable[[Any], None]:
        TARGETS[check.__name__] = Target(check.__name__, values, check, slow)
        return check

    return add
