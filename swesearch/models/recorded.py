"""What was answered once is not asked again: a run is resumed, or replayed with no network, from its memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from threading import Lock

from swesearch.base import Memory, UsageError
from swesearch.dialogue import Model, Reply, Request
from swesearch.models.wire import asked, canonical, read_reply, reply_json


class Recorded:
    """A model with a memory, keyed by all of a request and nothing else: neither the route nor the price.

    What was kept is returned as it was, usage and dollars too: whoever decides by them (a window that fills up, a cap per
    node) decides as the first time, so a replay stays on its way. Money is counted below, in the purse, which a memory
    never reaches: add up `Budget.spent()`, not replies. With no model, only what was kept can be had.
    """

    def __init__(self, model: Model | None, memory: Memory) -> None:
        self._model, self._memory = model, memory
        self._lock = Lock()
        self._busy: dict[str, tuple[Lock, int]] = {}

    def complete(self, request: Request) -> Reply:
        """Recall the answer, or ask and keep it. Threads with the same request ask once.

        Raises what the model raises; without a model, UsageError for what was never asked.
        """
        key = key_of(request)
        with self._alone(key):
            kept = self._memory.recall(key)
            if kept is not None:
                return read_reply(kept)
            if self._model is None:
                raise UsageError(f"the recording holds no answer to this question of the {request.role}: it is that of another run")
            reply = self._model.complete(request)
            self._memory.keep(key, reply_json(reply) | {"asked": asked(request)})
            return reply

    @contextmanager
    def _alone(self, key: str) -> Iterator[None]:
        """One thread per key at a time; the next finds what the first has kept, or asks if it failed."""
        with self._lock:
            lock, users = self._busy.get(key, (Lock(), 0))
            self._busy[key] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._busy.pop(key)
                if users > 1:
                    self._busy[key] = (lock, users - 1)


def key_of(request: Request) -> str:
    """What a request's answer is kept under."""
    return f"reply:{sha256(canonical(request)).hexdigest()}"
