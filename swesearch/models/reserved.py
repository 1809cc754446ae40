"""Nothing is asked that could cost more than is left: the worst case is set aside before each call, also in parallel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from swesearch.base import SwesearchError
from swesearch.dialogue import Image, Model, Part, Reply, Request, Text, Thought, ToolCall, ToolResult
from swesearch.models.prices import Price
from swesearch.models.trouble import TryLater

FRAME_TOKENS = 50  # marks around a part of a message: its kind, the id of its call
IMAGE_TOKENS = 5_000  # the most one picture counts for
UNSEEN_TOKENS = 2_000  # what a provider adds: instructions for tools and schemas
COUNT_ERROR = 1.05  # a provider's count is an estimate


class Held(Protocol):
    """An amount set aside."""

    def settle(self, **actual: float) -> None:
        """Replace it by what was used."""
        ...


class Purse(Protocol):
    """Where amounts are set aside; `swesearch.engine.budget.Budget` is one."""

    def reserve(self, **worst: float) -> Held:
        """Set an amount aside. Raises an error of its own where it does not fit."""
        ...

    def left(self) -> Mapping[str, float | None]:
        """What can still be set aside, by unit; None for no limit."""
        ...


@runtime_checkable
class Counts(Protocol):
    """A model whose provider counts the tokens of a request without answering it."""

    def count(self, request: Request) -> int:
        """The tokens of the request."""
        ...


class Reserved:
    """A model that is only asked what the purse can pay for. The purse's own error tells that it cannot, and nothing was asked."""

    def __init__(self, model: Model, purse: Purse, price: Price) -> None:
        self._model, self._purse, self._price = model, purse, price

    def complete(self, request: Request) -> Reply:
        """Ask, and settle with what was used: nothing where nothing was answered, the worst case where nobody knows."""
        worst = self._worst(request)
        held = self._purse.reserve(**worst)
        used: Mapping[str, float] = worst
        try:
            reply = self._model.complete(request)
            used = {"tokens": reply.usage.total, "dollars": self._price.of(reply.usage)}
        except TryLater as trouble:
            used = worst if trouble.billed else {}
            raise
        except SwesearchError:
            used = {}
            raise
        finally:
            held.settle(**used)
        return reply

    def _worst(self, request: Request) -> dict[str, float]:
        worst = self._cost(bound(request), request.max_tokens)
        if self._fits(worst) or not isinstance(self._model, Counts):
            return worst
        return self._cost(int(self._model.count(request) * COUNT_ERROR), request.max_tokens)

    def _cost(self, asked: int, answered: int) -> dict[str, float]:
        return {"tokens": asked + answered, "dollars": self._price.worst(asked, answered)}

    def _fits(self, worst: Mapping[str, float]) -> bool:
        left = self._purse.left()
        return all((limit := left.get(unit)) is None or amount <= limit for unit, amount in worst.items())


def bound(request: Request) -> int:
    """A number of tokens that the request cannot exceed: no token is shorter than a byte, of text or of signed thoughts."""
    rest = json.dumps([request.schema, [[tool.name, tool.description, tool.schema] for tool in request.tools]])
    parts = sum(_bound(part) + FRAME_TOKENS for message in request.messages for part in message.parts)
    return _bytes(request.system) + len(rest) + parts + UNSEEN_TOKENS


def _bound(part: Part) -> int:
    match part:
        case Text(text) | ToolResult(text=text):
            return _bytes(text)
        case Image():
            return IMAGE_TOKENS
        case Thought(raw):
            return len(json.dumps(raw))
        case ToolCall(name=name, arguments=arguments):
            return _bytes(name) + len(json.dumps(arguments))


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
