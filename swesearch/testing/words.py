"""What a brain sees and says, whichever dialect the request came in."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from swesearch.dialogue import Message, Stop

Json = dict[str, Any]
Dialect = Literal["anthropic", "openai"]
IMAGE_TOKENS = 1600


@dataclass(frozen=True, slots=True)
class Turn:
    """A request that passed every check."""

    dialect: Dialect
    model: str
    system: str
    messages: tuple[Message, ...]
    tools: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None  # the answer is to be JSON of this schema
    max_tokens: int | None = None
    effort: str | None = None
    number: int = 0  # which model call of this server it is, from 1

    @property
    def text(self) -> str:
        """The words of its last message."""
        return self.messages[-1].text


@dataclass(frozen=True, slots=True)
class Answer:
    """What the model is to say. Arguments given as a string are sent as they are: that is how a model garbles them."""

    text: str = ""
    calls: Sequence[tuple[str, Mapping[str, Any] | str]] = ()
    thinking: str = ""
    stop: Stop | None = None  # None: `calls` where there are any, else `end`
    output_tokens: int | None = None  # None: estimated

    @property
    def why(self) -> Stop:
        """Why it ends."""
        return self.stop or ("calls" if self.calls else "end")


Brain = Callable[[Turn], Answer]


class Refused(Exception):
    """The request is answered with an HTTP error."""

    def __init__(self, status: int, kind: str, message: str, code: str | None = None):
        super().__init__(message)
        self.status, self.kind, self.message, self.code = status, kind, message, code


def invalid(message: str) -> Refused:
    """A request that breaks a rule."""
    return Refused(400, "invalid_request_error", message)


def compact(value: object) -> str:
    """JSON with no space in it."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def merged(messages: Iterable[Message]) -> tuple[Message, ...]:
    """Messages of one role that follow each other as one: both dialects then look the same."""
    groups = itertools.groupby(messages, key=lambda message: message.role)
    return tuple(Message(role, tuple(part for message in group for part in message.parts)) for role, group in groups)


def blocks_of(content: str | list[Json]) -> list[Json]:
    """Content as blocks, in which it may be given in short as a string."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def cut(text: str, size: int = 24) -> list[str]:
    """A text in pieces, as it comes in a stream."""
    return [text[start : start + size] for start in range(0, len(text), size)]


def estimate(text: str) -> int:
    """Tokens of a text: a quarter of its bytes."""
    return -(-len(text.encode()) // 4)


def output_tokens(answer: Answer) -> int:
    """Tokens that `answer` costs."""
    if answer.output_tokens is not None:
        return answer.output_tokens
    calls = "".join(name + (arguments if isinstance(arguments, str) else compact(arguments)) for name, arguments in answer.calls)
    return max(1, estimate(answer.thinking + answer.text + calls))
