"""Signed thinking: with current models a block of thought belongs to everything that was said before it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator

from .cards import Card
from .words import Json, blocks_of, invalid

_SECRET = b"swesearch.testing"


def sign(body: Json, thinking: str) -> str:
    """The signature of a thought that opens the answer to `body`."""
    said = _settings(body)
    for _, _, text in _flat(body):
        said.update(text)
    return _signature(body["model"], said, thinking)


def check(body: Json, card: Card) -> None:
    """Raises Refused where a thought was altered, or with a current model follows something else than it was thought after."""
    said = _settings(body)
    for where, block, text in _flat(body):
        if block["type"] == "thinking":
            _check(card, said, where, block)
        said.update(text)


def _check(card: Card, said: hmac.HMAC, where: str, block: Json) -> None:
    owner, thought, _ = _read(block["signature"], where)
    if thought != _digest(block["thinking"]):
        raise invalid(f"{where}: `thinking` blocks cannot be modified. These blocks must remain as they were in the original response.")
    if card.current and owner == card.id and block["signature"] != _signature(card.id, said, block["thinking"]):
        raise invalid(f"{where}: Invalid `signature` in `thinking` block. The block is bound to a different conversation.")


def _signature(model: str, said: hmac.HMAC, thinking: str) -> str:
    whole = said.copy()
    whole.update(thinking.encode())
    return base64.b64encode(json.dumps([model, _digest(thinking), whole.hexdigest()]).encode()).decode()


def _read(signature: str, where: str) -> tuple[str, str, str]:
    try:
        owner, thought, mac = json.loads(base64.b64decode(signature, validate=True))
    except (ValueError, TypeError) as error:
        raise invalid(f"{where}: Invalid `signature` in `thinking` block") from error
    return owner, thought, mac


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _settings(body: Json) -> hmac.HMAC:
    return hmac.new(_SECRET, _plain([body["model"], blocks_of(body.get("system") or []), body.get("tools") or []]), hashlib.sha256)


def _flat(body: Json) -> Iterator[tuple[str, Json, bytes]]:
    """Each block of the messages: where it is, itself, and what of it is signed."""
    for number, message in enumerate(body["messages"]):
        for index, block in enumerate(blocks_of(message["content"])):
            yield f"messages.{number}.content.{index}", block, _plain([message["role"], block])


def _plain(value: object) -> bytes:
    """Without cache marks, which may move, without fields that are null, and in a fixed order."""
    return json.dumps(_unmarked(value), sort_keys=True).encode()


def _unmarked(value: object) -> object:
    if isinstance(value, dict):
        return {name: _unmarked(part) for name, part in value.items() if name != "cache_control" and part is not None}
    return [_unmarked(part) for part in value] if isinstance(value, list) else value
