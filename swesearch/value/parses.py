"""The first gate: a candidate must still be code."""

from __future__ import annotations

from swesearch.base import Attempt, Measurement, State
from swesearch.code.parse import errors
from swesearch.store import Store


class Parses:
    """1 where no changed Python file has a syntax error that its root version had not, else a gate at 0."""

    name = "parses"

    def __init__(self, store: Store, root: State, weight: float = 0.0) -> None:
        self.weight = weight
        self._store = store
        self._root = root

    def measure(self, state: State, parent: Attempt | None) -> Measurement:  # noqa: ARG002 - the seam's shape
        """Parse what changed against the root."""
        for path, before, after in self._store.texts(self._root, state):
            if path.endswith(".py") and after is not None and (found := errors(after)) and not (before and errors(before)):
                line = after[: found[0].start].count(b"\n") + 1
                return Measurement(self.name, 0.0, blocked=True, feedback=f"{path}:{line}: syntax error")
        return Measurement(self.name, 1.0)
