"""Requests and replies as JSON: what is kept of a conversation, and what names a request."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, get_args

from swesearch.dialogue import Image, Message, Part, Reply, Request, Text, Thought, Tool, ToolCall, ToolResult, Usage
from swesearch.models.shape import base64_text

Json = dict[str, Any]
ASKED = 4000  # characters kept of what was said to a model
KINDS: Mapping[str, type[Part]] = {kind.__name__: kind for kind in get_args(Part)}


def canonical(request: Request) -> bytes:
    """The one form of a request: equal requests have equal bytes, others have not.

    JSON of everything but the texts of messages, with their lengths; then these as they are: escaping them costs most of the time.
    """
    texts = [_bytes(part.text) for message in request.messages for part in message.parts if isinstance(part, Text | ToolResult)]
    bare = request_json(replace(request, messages=tuple(map(_textless, request.messages))))
    rest = json.dumps([[len(text) for text in texts], bare], sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return b"\n".join((_bytes(rest), *texts))


def request_json(request: Request) -> Json:
    """A request as plain JSON types."""
    return {
        "role": request.role,
        "system": request.system,
        "messages": [message_json(message) for message in request.messages],
        "tools": [{"name": tool.name, "description": tool.description, "schema": tool.schema} for tool in request.tools],
        "schema": request.schema,
        "max_tokens": request.max_tokens,
        "shared": list(request.shared),
        "sample": request.sample,
    }


def read_request(value: Mapping[str, Any]) -> Request:
    """The request that `request_json` was given. Raises KeyError, TypeError where it is none."""
    return Request(
        **{
            **value,
            "messages": tuple(map(read_message, value["messages"])),
            "tools": tuple(Tool(**tool) for tool in value["tools"]),
            "shared": tuple(value["shared"]),
        }
    )


def reply_json(reply: Reply) -> Json:
    """A reply as plain JSON types."""
    return {
        "message": message_json(reply.message),
        "stop": reply.stop,
        "usage": asdict(reply.usage),
        "model": reply.model,
        "dollars": reply.dollars,
        "note": reply.note,
    }


def read_reply(value: Mapping[str, Any]) -> Reply:
    """The reply that `reply_json` was given. Raises KeyError, TypeError where it is none."""
    fields = {name: field for name, field in value.items() if name != "asked"}
    return Reply(**{**fields, "message": read_message(value["message"]), "usage": Usage(**value["usage"])})


def asked(request: Request) -> Json:
    """Who asked, and the last thing that was said to the model: kept beside a reply for whoever looks at the run."""
    parts = request.messages[-1].parts if request.messages else ()
    return {"role": request.role, "text": "\n".join(part.text for part in parts if isinstance(part, Text | ToolResult))[-ASKED:]}


def message_json(message: Message) -> Json:
    """A message as plain JSON types."""
    return {"role": message.role, "parts": [_part_json(part) for part in message.parts]}


def read_message(value: Mapping[str, Any]) -> Message:
    """The message that `message_json` was given. Raises KeyError, TypeError where it is none."""
    return Message(value["role"], tuple(map(_read_part, value["parts"])))


def _part_json(part: Part) -> Json:
    match part:
        case Text(text):
            fields: Json = {"text": text}
        case Image(data, media_type):
            fields = {"data": base64_text(data), "media_type": media_type}
        case Thought(raw):
            fields = {"raw": raw}
        case ToolCall(ident, name, arguments, malformed):
            fields = {"id": ident, "name": name, "arguments": arguments, "malformed": malformed}
        case ToolResult(call, text, error):
            fields = {"call": call, "text": text, "error": error}
    return {"kind": type(part).__name__, **fields}


def _read_part(value: Mapping[str, Any]) -> Part:
    fields = {name: field for name, field in value.items() if name != "kind"}
    if value["kind"] == "Image":
        fields["data"] = b64decode(fields["data"])
    return KINDS[value["kind"]](**fields)


def _textless(message: Message) -> Message:
    return Message(message.role, tuple(replace(part, text="") if isinstance(part, Text | ToolResult) else part for part in message.parts))


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
