"""What was used last stays in memory, up to a bound."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """Values by id; those used longest ago make way once all together weigh more than `most`. Safe to share between threads."""

    def __init__(self, most: int, weigh: Callable[[Value], int] = lambda _: 1) -> None:
        self._most, self._weigh = most, weigh
        self._held = 0
        self._values: OrderedDict[str, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: str) -> Value | None:
        """The value, or None where it is not held."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: str, value: Value) -> Value:
        """Hold a value, and return it."""
        with self._lock:
            if key not in self._values:
                self._values[key] = value
                self._held += self._weigh(value)
            while self._held > self._most:
                self._held -= self._weigh(self._values.popitem(last=False)[1])
        return value
