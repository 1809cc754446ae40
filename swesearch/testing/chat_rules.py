"""What a chat completions server refuses, and in which words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .cards import Card
from .schemas import closed, complete
from .shapes import Check, anything, boolean, choice, either, integer, items, mapping, number, record, string, tagged
from .words import Json, invalid

_TYPE: dict[str, Check] = {"type": string}
_ROLE: dict[str, Check] = {"role": string}
_NAME: dict[str, Check] = {"name": string}
_TEXT = record(_TYPE | {"text": string})


def _picture(where: str, value: object) -> None:
    string(where, value)
    if not re.match(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*\Z", str(value)):
        raise invalid(f"{where}: Invalid image data")


_IMAGE = record(_TYPE | {"image_url": record({"url": _picture}, {"detail": string})})
_WORDS = either(string, items(tagged({"text": _TEXT})))
_CALL = record(_TYPE | {"id": string, "function": record({"name": string, "arguments": string})})
_SAID: dict[str, Check] = {"content": _WORDS, "tool_calls": items(_CALL), "refusal": string, "reasoning_content": string}
_SYSTEM = record(_ROLE | {"content": _WORDS}, _NAME)
_MESSAGE = tagged(
    {
        "system": _SYSTEM,
        "developer": _SYSTEM,
        "user": record(_ROLE | {"content": either(string, items(tagged({"text": _TEXT, "image_url": _IMAGE})))}, _NAME),
        "assistant": record(_ROLE, _SAID | _NAME | {"annotations": anything, "audio": anything, "function_call": anything}),
        "tool": record(_ROLE | {"content": _WORDS, "tool_call_id": string}),
    },
    "role",
)
_FUNCTION = record(_NAME, {"description": string, "parameters": mapping, "strict": boolean})
_SCHEMA = record(_TYPE | {"json_schema": record(_NAME, {"description": string, "schema": mapping, "strict": boolean})})
_OPTIONS: dict[str, Check] = {
    "max_tokens": integer,
    "max_completion_tokens": integer,
    "tools": items(record(_TYPE | {"function": _FUNCTION})),
    "tool_choice": either(choice("auto", "none", "required"), record(_TYPE | {"function": record(_NAME)})),
    "parallel_tool_calls": boolean,
    "response_format": tagged({"text": record(_TYPE), "json_object": record(_TYPE), "json_schema": _SCHEMA}),
    "reasoning_effort": string,
    "stream": boolean,
    "stream_options": record({}, {"include_usage": boolean}),
    "stop": either(string, items(string)),
    "n": integer,
    "seed": integer,
    **dict.fromkeys(("temperature", "top_p", "frequency_penalty", "presence_penalty"), number),
    **dict.fromkeys(("user", "prompt_cache_key", "safety_identifier", "service_tier", "verbosity"), string),
    **dict.fromkeys(("metadata", "logit_bias"), mapping),
    **dict.fromkeys(("store", "logprobs"), boolean),
}
_CREATE = record({"model": string, "messages": items(_MESSAGE)}, _OPTIONS)


def check_shape(body: Json, counting: bool) -> None:  # noqa: ARG001 - this dialect counts no tokens ahead
    """Raises Refused where a field is missing, unknown or of the wrong type."""
    _CREATE("", body)


def check(body: Json, headers: Mapping[str, str], card: Card) -> None:  # noqa: ARG001 - this dialect has no version
    """Raises Refused where a well-formed request breaks a rule."""
    _length(body, card)
    _promises(body)
    _conversation(body["messages"])
    if body.get("stream_options") and not body.get("stream"):
        raise invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    if (body.get("n") or 1) != 1:
        raise invalid("n: only one choice is supported")


def _length(body: Json, card: Card) -> None:
    given = [body[name] for name in ("max_tokens", "max_completion_tokens") if body.get(name) is not None]
    if len(given) > 1:
        raise invalid("Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
    if any(most < 1 for most in given):
        raise invalid("max_tokens must be at least 1")
    if any(most > card.output for most in given):
        raise invalid(f"max_tokens is too large: {given[0]}. This model supports at most {card.output} completion tokens.")


def _promises(body: Json) -> None:
    functions = [tool["function"] for tool in body.get("tools") or []]
    for function in functions:
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", function["name"]):
            raise invalid(f"Invalid function name: {function['name']!r}")
        if function.get("strict"):
            _strict(f"Invalid schema for function '{function['name']}'", function.get("parameters"))
    if body.get("tool_choice") and not functions:
        raise invalid("'tool_choice' is only allowed when 'tools' are specified.")
    wanted = (body.get("response_format") or {}).get("json_schema") or {}
    if wanted.get("strict"):
        _strict(f"Invalid schema for response_format '{wanted['name']}'", wanted.get("schema"))


def _strict(where: str, schema: object) -> None:
    closed(where, schema)
    complete(where, schema)


def _conversation(messages: list[Json]) -> None:
    """Every call has its result before anything else is said, every result its call."""
    if not messages:
        raise invalid("messages: at least one message is required")
    open_calls: list[str] = []
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            _result(index, message, open_calls)
            continue
        _none_left(open_calls)
        if message["role"] == "assistant" and not (message.get("content") or message.get("tool_calls") or message.get("refusal")):
            raise invalid(f"messages.{index}: an assistant message must have content or tool_calls")
        open_calls = [call["id"] for call in message.get("tool_calls") or []]
    _none_left(open_calls)


def _result(index: int, message: Json, open_calls: list[str]) -> None:
    if message["tool_call_id"] not in open_calls:
        raise invalid(f"messages.{index}: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
    open_calls.remove(message["tool_call_id"])


def _none_left(open_calls: list[str]) -> None:
    if open_calls:
        raise invalid(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. "
            f"The following tool_call_ids did not have response messages: {', '.join(open_calls)}"
        )
