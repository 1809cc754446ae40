"""A model whose answers are written down beforehand: for tests, and for benchmarks of whole searches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from threading import Lock
from typing import Any

from swesearch.base import UsageError
from swesearch.dialogue import Message, Part, Reply, Request, Text, Thought, ToolCall

Answer = Callable[[Request], Reply]


class Scripted:
    """Answers with a function of the request, or with replies in order. `requests` lists what it was asked.

    Threads may share it. A function is called outside the lock, so it must be safe to call from several threads.
    """

    def __init__(self, answer: Answer | Iterable[Reply]) -> None:
        self.requests: list[Request] = []
        self._answer = answer if callable(answer) else _in_order(answer)
        self._lock = Lock()

    def complete(self, request: Request) -> Reply:
        """The scripted reply. Raises UsageError where the script is at its end, and whatever the function raises."""
        with self._lock:
            self.requests.append(request)
        return _numbered(self._answer(request), request)


def say(text: str, **fields: Any) -> Reply:
    """A reply of words. `fields` are fields of Reply: usage, stop, note."""
    return _reply((Text(text),), **fields)


def think(text: str, then: Reply | None = None) -> Reply:
    """A reply that begins with a thought and goes on as `then` does."""
    return turn(_reply((Thought({"type": "thinking", "thinking": text, "signature": "scripted"}),)), *([then] if then else []))


def call(name: str, /, **arguments: Any) -> Reply:
    """A reply that calls a tool. `Scripted` gives the call an id that is its own in the conversation."""
    return _reply((ToolCall("", name, arguments),))


def turn(*replies: Reply) -> Reply:
    """One reply that says and calls all of what `replies` say and call, with the fields of the last."""
    parts = tuple(part for reply in replies for part in reply.message.parts)
    stop = "calls" if any(reply.stop == "calls" for reply in replies) else replies[-1].stop
    return replace(replies[-1], message=Message("assistant", parts), stop=stop)


def _reply(parts: tuple[Part, ...], **fields: Any) -> Reply:
    message = Message("assistant", parts)
    return Reply(message, **{"stop": "calls" if message.calls else "end", "model": "scripted", **fields})


def _in_order(replies: Iterable[Reply]) -> Answer:
    left, lock = iter(replies), Lock()

    def answer(request: Request) -> Reply:
        with lock:
            reply = next(left, None)
        if reply is None:
            raise UsageError(f"the script has ended, and the {request.role} asks once more")
        return reply

    return answer


def _numbered(reply: Reply, request: Request) -> Reply:
    """The same ids each time the script is run: a call's place in the conversation names it."""
    parts = tuple(
        replace(part, id=f"call_{len(request.messages)}_{place}") if isinstance(part, ToolCall) and not part.id else part
        for place, part in enumerate(reply.message.parts)
    )
    return replace(reply, message=replace(reply.message, parts=parts))
