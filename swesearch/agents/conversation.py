"""A conversation with a model. It only grows: what was sent once stays as it was, for caches and signed thoughts are bound to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from swesearch.dialogue import Message, ModelRole, Part, Request, Text, Tool, ToolCall, ToolResult


class Conversation:
    """System prompt, tools, the briefing that all nodes share, and what was said since."""

    def __init__(self, role: ModelRole, system: str, tools: tuple[Tool, ...], briefing: Message, opening: Message, seed: str = "") -> None:
        """`opening` is the node's own first message; `seed` goes into the digest."""
        self._role, self._system, self._tools = role, system, tools
        self._messages: list[Message] = []
        self.digest = hashlib.sha256(_json([role, system, tools, seed]).encode()).hexdigest()
        self._add(briefing)
        self._add(opening)

    @property
    def messages(self) -> tuple[Message, ...]:
        """All messages, the briefing first."""
        return tuple(self._messages)

    @property
    def fresh(self) -> bool:
        """Whether nothing was said since it was opened."""
        return len(self._messages) == 2

    def request(self, max_tokens: int) -> Request:
        """The next question."""
        return Request(self._role, self._system, self.messages, self._tools, max_tokens=max_tokens, shared=(0,))

    def said(self, message: Message) -> None:
        """Take in what the model said."""
        self._add(message)

    def heard(self, *parts: Part) -> None:
        """Answer the model."""
        self._add(Message("user", parts))

    def _add(self, message: Message) -> None:
        """`digest` names everything so far, and is worked out from the last one: long conversations stay cheap."""
        self._messages.append(message)
        self.digest = hashlib.sha256(f"{self.digest}{_json(message)}".encode()).hexdigest()


def transcript(messages: tuple[Message, ...]) -> str:
    """A conversation in plain words, for another model to read: thoughts and pictures are left out."""
    return "\n\n".join(filter(None, (_words(message, part) for message in messages for part in message.parts)))


def _words(message: Message, part: Part) -> str:
    match part:
        case Text():
            return f"{message.role}: {part.text}"
        case ToolCall():
            return f"call {part.name}: {json.dumps(dict(part.arguments), sort_keys=True)}"
        case ToolResult():
            return f"{'error' if part.error else 'result'}: {part.text}"
        case _:
            return ""


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=_plain)


def _plain(value: Any) -> Any:
    """What JSON does not know: our frozen data by class and field, bytes by their hash."""
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value):
        return [type(value).__name__, *(getattr(value, field.name) for field in fields(value))]
    raise TypeError(f"{type(value).__name__} does not belong into a conversation")
