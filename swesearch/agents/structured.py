"""Ask a model for JSON: validated, with one repair round that names the error.

An answer that cannot be had is `NoAnswer`, never a score: whoever asked decides what to do without it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from typing import Any, NoReturn, TypeVar

from swesearch.base import SwesearchError
from swesearch.dialogue import Message, Model, Reply, Request, Text

T = TypeVar("T")
Schema = Mapping[str, Any]

STARTS = 20  # opening braces in prose at which JSON may begin
KINDS: Mapping[str, type | tuple[type, ...]] = {
    "object": dict, "array": list, "string": str, "number": (int, float), "integer": int, "boolean": bool,
}  # fmt: skip
LOST = {"refusal": "the model refused to answer", "overflow": "the question does not fit the model's window"}
REPAIR = "That answer cannot be used: {error}. Answer again with one JSON object of the schema you were given, and nothing else."


class NoAnswer(SwesearchError):
    """A model gave no answer that can be used. Says why."""


def prompt(name: str) -> str:
    """The text of a prompt, a file beside this module."""
    return files("swesearch.agents").joinpath("prompts", f"{name}.md").read_text(encoding="utf-8")


def record(**properties: Schema) -> Schema:
    """The schema of an object with exactly these properties, as strict providers want it."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def string(description: str) -> Schema:
    """The schema of a text."""
    return {"type": "string", "description": description}


def array(items: Schema, description: str = "") -> Schema:
    """The schema of a list."""
    return {"type": "array", "items": items, "description": description}


def one_of(values: tuple[str, ...], description: str = "") -> Schema:
    """The schema of a choice."""
    return {"type": "string", "enum": list(values), "description": description}


def ask(model: Model, request: Request, check: Callable[[Any], T]) -> T:
    """What `check` makes of the model's JSON. `check` raises ValueError, in words for the model, where it cannot be used.

    Raises NoAnswer for a refusal, an overflow, silence, and what is malformed twice; and whatever the model raises.
    """
    reply = _said(model.complete(request))
    try:
        return _read(reply, request, check)
    except ValueError as error:
        complaint = Message("user", (Text(REPAIR.format(error=error)),))
    again = replace(request, messages=(*request.messages, reply.message, complaint))
    try:
        return _read(_said(model.complete(again)), request, check)
    except ValueError as error:
        raise NoAnswer(f"the model's answer was malformed twice: {error}") from error


def _said(reply: Reply) -> Reply:
    """A reply with words in it, to which more can be appended. Raises NoAnswer for any other."""
    if reply.stop in LOST:
        raise NoAnswer(LOST[reply.stop] + (f": {reply.note}" if reply.note else ""))
    if reply.message.calls:
        raise NoAnswer("the model called a tool where there is none")
    if not reply.message.text.strip():
        raise NoAnswer("the model said nothing")
    return reply


def _read(reply: Reply, request: Request, check: Callable[[Any], T]) -> T:
    """Raises ValueError for what is cut off, is no JSON, does not fit the schema or does not please `check`."""
    if reply.stop == "length":
        raise ValueError(f"it was cut off at {request.max_tokens} tokens; be brief")
    value = _parse(reply.message.text)
    if error := mismatch(value, request.schema or {}):
        raise ValueError(error)
    return check(value)


def _parse(text: str) -> Any:
    """The first JSON in `text`: models without strict output put it in a fence, or among words."""
    decoder = json.JSONDecoder(parse_constant=_no_number)
    first = None
    for start in (len(text) - len(text.lstrip()), *[match.start() for match in re.finditer(r"\{", text)][:STARTS]):
        try:
            return decoder.raw_decode(text, start)[0]
        except json.JSONDecodeError as error:
            first = first or error
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
    raise ValueError(f"it is not JSON ({first})")


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def mismatch(value: Any, schema: Schema, where: str = "the answer") -> str:
    """How `value` departs from `schema`, empty where it does not. Knows the part of JSON schema that strict providers accept."""
    kind = schema.get("type", "")
    if kind and (not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean")):
        return f"{where} must be of type {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{where} must be one of {', '.join(map(str, schema['enum']))}"
    return next(filter(None, _inside(value, schema, where)), "")


def _inside(value: Any, schema: Schema, where: str) -> Iterator[str]:
    if isinstance(value, list) and "items" in schema:
        yield from (mismatch(item, schema["items"], f"{where}[{place}]") for place, item in enumerate(value))
    elif isinstance(value, dict):
        properties = schema.get("properties", {})
        yield from (f"{where} lacks {name!r}" for name in schema.get("required", ()) if name not in value)
        if not schema.get("additionalProperties", True):
            yield from (f"{where} must not have {name[:40]!r}" for name in value if name not in properties)
        yield from (mismatch(item, properties[name], f"{where}.{name}") for name, item in value.items() if name in properties)
