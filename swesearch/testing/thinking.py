"""Signed thinking: a block of thought belongs to one model and to everything that was said before it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

from .words import Json, invalid

_SECRET = b"swesearch.testing"


def sign(body: Json, upto: int, thinking: str) -> str:
    """The signature of a thought that opens the answer to the first `upto` messages of `body`."""
    return _signature(body["model"], _settings(body) + "".join(text for _, _, text in _flat(body, upto)), thinking)


def check(body: Json) -> None:
    """Raises Refused where a thought was altered, or follows something else than it was thought after."""
    said = _settings(body)
    for where, block, text in _flat(body, len(body["messages"])):
        if block.get("type") == "thinking":
            _check(body["model"], said, where, block)
        said += text


def _check(model: str, said: str, where: str, block: Json) -> None:
    owner, thought, _ = _read(block["signature"], where)
    if thought != _digest(block["thinking"]):
        raise invalid(f"{where}: `thinking` blocks in the conversation cannot be modified: they must remain as they were in the response")
    if owner == model and not hmac.compare_digest(block["signature"], _signature(model, said, block["thinking"])):
        raise invalid(f"{where}: `thinking` block is bound to a different conversation: system, tools or an earlier message has changed")


def _signature(model: str, said: str, thinking: str) -> str:
    mac = hmac.new(_SECRET, f"{model}\0{said}\0{thinking}".encode(), hashlib.sha256).hexdigest()
    return base64.b64encode(json.dumps([model, _digest(thinking), mac]).encode()).decode()


def _read(signature: str, where: str) -> tuple[str, str, str]:
    try:
        owner, thought, mac = json.loads(base64.b64decode(signature, validate=True))
    except (ValueError, TypeError) as error:
        raise invalid(f"{where}: Invalid `signature` in `thinking` block") from error
    return owner, thought, mac


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _settings(body: Json) -> str:
    system = body.get("system") or []
    return _plain([[{"type": "text", "text": system}] if isinstance(system, str) else system, body.get("tools") or []])


def _flat(body: Json, upto: int) -> Iterator[tuple[str, Json, str]]:
    """Each block of the first `upto` messages: where it is, itself, and what of it is signed."""
    for number, message in enumerate(body["messages"][:upto]):
        content = message["content"]
        for index, block in enumerate([{"type": "text", "text": content}] if isinstance(content, str) else content):
            yield f"messages.{number}.content.{index}", block, _plain([message["role"], block])


def _plain(value: object) -> str:
    """Without cache marks, which may move, without fields that are null, and in a fixed order."""
    return json.dumps(_unmarked(value), sort_keys=True)


def _unmarked(value: object) -> object:
    if isinstance(value, dict):
        return {name: _unmarked(part) for name, part in value.items() if name != "cache_control" and part is not None}
    return [_unmarked(part) for part in value] if isinstance(value, list) else value
