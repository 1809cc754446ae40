"""The words of a conversation with a model, whoever provides it. Imports nothing of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a message."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of a message."""

    data: bytes
    media_type: str  # image/png, image/jpeg, image/gif or image/webp


@dataclass(frozen=True, slots=True)
class Thought:
    """What the provider signed and wants to see again, unchanged and in its place."""

    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to use a tool."""

    id: str
    name: str
    arguments: Mapping[str, Any]
    malformed: str = ""  # why the arguments could not be read


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a tool call."""

    call: str  # id of the call
    text: str
    error: bool = False


Part = Text | Image | Thought | ToolCall | ToolResult


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """Its words alone."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The tool calls in it."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


@dataclass(frozen=True, slots=True)
class Tool:
    """What a model may call. `schema` is the JSON schema of its arguments: an object, all properties required, nothing more allowed."""

    name: str
    description: str
    schema: Mapping[str, Any]


ModelRole = Literal["planner", "executor", "reproducer", "judge", "discriminator", "summariser"]


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model. A conversation only ever grows: messages that were sent once stay as they were."""

    role: ModelRole  # who asks; decides which model answers
    system: str
    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()
    schema: Mapping[str, Any] | None = None  # the reply is to be JSON of this schema
    max_tokens: int = 8192  # of the reply, thinking included
    shared: tuple[int, ...] = ()  # indices of messages up to which other requests are the same: worth caching
    sample: int = 0  # tells requests apart that are the same on purpose


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call. The three kinds of input do not overlap."""

    input: int = 0  # neither read from a cache nor written to one
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0

    @property
    def total(self) -> int:
        """All tokens."""
        return self.input + self.output + self.cache_read + self.cache_write


Stop = Literal["end", "calls", "length", "refusal", "overflow"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said. `overflow`: the conversation does not fit its window, nothing was said."""

    message: Message
    stop: Stop
    usage: Usage = Usage()
    model: str = ""
    dollars: float = 0.0
    note: str = ""  # what the provider says about a refusal or an overflow


class Model(Protocol):
    """Text in, text out."""

    def complete(self, request: Request) -> Reply:
        """Ask. Raises ModelUnavailable, UsageError (no such model), and whatever a wrapper adds."""
        ...
