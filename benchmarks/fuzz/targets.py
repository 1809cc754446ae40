"""The list of targets: each takes a value that somebody else has made, and may only fail in the way that is documented."""

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
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)  # half characters too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def target(values: st.SearchStrategy[Any], *, slow: bool = False) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Put a check on the list."""

    def add(check: Callable[[Any], None]) -> Callable[[Any], None]:
        TARGETS[check.__name__] = Target(check.__name__, values, check, slow)
        return check

    return add
