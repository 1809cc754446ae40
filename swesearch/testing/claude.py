"""The Claude dialect: /v1/messages, as JSON and as server-sent events."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from swesearch.dialogue import Image, Message, Part, Stop, Text, Thought, ToolCall, ToolResult

from .cache import Block, Prefill
from .cards import Card
from .claude_rules import check as check
from .claude_shapes import check_shape as check_shape
from .faults import Fault, RateLimited
from .thinking import sign
from .words import IMAGE_TOKENS, Answer, Json, Refused, Turn, blocks_of, compact, cut, estimate, invalid, merged, output_tokens

LOOKBACK: int | None = 20  # blocks before a breakpoint, itself included, where a kept prefix may end
OVERLOADED = Refused(529, "overloaded_error", "Overloaded")
STOPS: Mapping[Stop, str] = {
    "end": "end_turn",
    "calls": "tool_use",
    "length": "max_tokens",
    "refusal": "refusal",
    "overflow": "model_context_window_exceeded",
}


def turn(body: Json, number: int) -> Turn:
    """The request in neutral words. It must have passed the rules."""
    told = [message for message in body["messages"] if message["role"] == "system"]
    config = body.get("output_config") or {}
    return Turn(
        dialect="anthropic",
        model=body["model"],
        system="\n".join([_words(body.get("system") or ""), *(_words(message["content"]) for message in told)]).strip(),
        messages=merged(_message(message) for message in body["messages"] if message["role"] != "system"),
        tools=tuple(tool["name"] for tool in body.get("tools") or []),
        schema=(config.get("format") or {}).get("schema"),
        max_tokens=body.get("max_tokens"),
        effort=config.get("effort"),
        number=number,
    )


def _words(content: str | list[Json]) -> str:
    return "".join(block.get("text", "") for block in blocks_of(content))


def _message(message: Json) -> Message:
    return Message(message["role"], tuple(part for block in blocks_of(message["content"]) for part in _parts(block)))


def _parts(block: Json) -> Iterator[Part]:
    match block["type"]:
        case "text":
            yield Text(block["text"])
        case "image":
            source = block["source"]
            yield Image(base64.b64decode(source.get("data", "")), source.get("media_type", ""))
        case "tool_use":
            yield ToolCall(block["id"], block["name"], block["input"])
        case "tool_result":
            inner = blocks_of(block.get("content") or [])
            yield ToolResult(block["tool_use_id"], _words(inner), bool(block.get("is_error")))
            for part in inner:
                if part["type"] == "image":
                    yield from _parts(part)
        case _:
            yield Thought(block)


def bare(block: Json) -> Json:
    """A block without its cache marks."""
    inner = block.get("content")
    plain = {name: value for name, value in block.items() if name != "cache_control"}
    return plain | {"content": [bare(part) for part in inner]} if isinstance(inner, list) else plain


def blocks(body: Json) -> list[Block]:
    """The prompt in the order in which it is cached: tools, system, messages. Settings of the reply belong to the messages."""
    config = body.get("output_config") or {}
    settings = compact([body.get("thinking"), config.get("format"), body.get("tool_choice")])
    found = [_block(tool) for tool in body.get("tools") or []]
    found += [_block(block) for block in blocks_of(body.get("system") or [])]
    found.append(Block(settings, estimate(compact(config["format"])) if config.get("format") else 0))
    for message in body["messages"]:
        found += [_block(block, message["role"]) for block in blocks_of(message["content"])]
    return _ended(found, body.get("cache_control"))


def _block(block: Json, role: str = "") -> Block:
    plain = bare(block)
    text = compact(plain)
    images = sum(1 for part in (block, *_inner(block)) if part.get("type") == "image")
    words = compact(_without_images(plain)) if images else text
    return Block(role + text, estimate(words) + images * IMAGE_TOKENS, _ttl(block))


def _inner(block: Json) -> list[Json]:
    content = block.get("content")
    return content if isinstance(content, list) else []


def _without_images(block: Json) -> Json:
    if block.get("type") == "image":
        return {}
    return block | {"content": [_without_images(part) for part in _inner(block)]}


def _ttl(block: Json) -> str | None:
    for part in (block, *_inner(block)):
        if part.get("cache_control"):
            return str(part["cache_control"].get("ttl", "5m"))
    return None


def _ended(found: list[Block], automatic: Json | None) -> list[Block]:
    """A `cache_control` of the whole request is a breakpoint behind its last block."""
    if not automatic:
        return found
    last = found[-1]
    return [*found[:-1], Block(last.text, last.tokens, last.ttl or str(automatic.get("ttl", "5m")))]


def reply(body: Json, answer: Answer, prefill: Prefill, number: int, card: Card) -> Json:
    """The message that says `answer`."""
    return {
        "id": f"msg_{number:024d}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": [*_thought(body, answer, card), *_said(answer, number)],
        "stop_reason": STOPS[answer.why],
        "stop_sequence": None,
        "stop_details": {"type": "refusal", "category": "cyber", "explanation": None} if answer.why == "refusal" else None,
        "usage": _usage(answer, prefill),
    }


def _thought(body: Json, answer: Answer, card: Card) -> Iterable[Json]:
    asked = body.get("thinking") or {"type": "adaptive" if card.current else "disabled"}
    if answer.thinking and asked["type"] != "disabled":
        shown = "" if asked.get("display") == "omitted" else answer.thinking
        yield {"type": "thinking", "thinking": shown, "signature": sign(body, shown)}


def _said(answer: Answer, number: int) -> Iterable[Json]:
    if answer.text:
        yield {"type": "text", "text": answer.text, "citations": None}
    for index, (name, arguments) in enumerate(answer.calls):
        yield {"type": "tool_use", "id": f"toolu_{number:020d}{index:04d}", "name": name, "input": _object(arguments)}


def _object(arguments: Mapping[str, Any] | str) -> Mapping[str, Any]:
    """A reply in one piece holds an object whatever the model wrote: what cannot be read is left out."""
    if not isinstance(arguments, str):
        return arguments
    try:
        value = json.loads(arguments)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _usage(answer: Answer, prefill: Prefill) -> Json:
    usage, written = prefill.usage, prefill.written
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {f"ephemeral_{ttl}_input_tokens": written.get(ttl, 0) for ttl in ("5m", "1h")},
        "output_tokens": output_tokens(answer),
        "output_tokens_details": {"thinking_tokens": min(estimate(answer.thinking), output_tokens(answer))},
        "service_tier": "standard",
        "inference_geo": "global",
    }


def error(refused: Refused, request_id: str) -> Json:
    """The body of an HTTP error."""
    return {"type": "error", "error": {"type": refused.kind, "message": refused.message}, "request_id": request_id}


def events(_: Json, message: Json, answer: Answer) -> Iterator[bytes]:
    """`message` as server-sent events."""
    usage = message["usage"]
    begun = message | {"content": [], "stop_reason": None, "stop_details": None, "usage": usage | {"output_tokens": 1}}
    yield event({"type": "message_start", "message": begun})
    yield event({"type": "ping"})
    written = [arguments if isinstance(arguments, str) else compact(arguments) for _, arguments in answer.calls]
    for index, block in enumerate(message["content"]):
        start, deltas = _pieces(block, written)
        yield event({"type": "content_block_start", "index": index, "content_block": block | start})
        for delta in deltas:
            yield event({"type": "content_block_delta", "index": index, "delta": delta})
        yield event({"type": "content_block_stop", "index": index})
    ended = {name: message[name] for name in ("stop_reason", "stop_sequence", "stop_details")}
    totals = {name: value for name, value in usage.items() if name.endswith(("tokens", "tokens_details"))}
    yield event({"type": "message_delta", "delta": ended, "usage": totals})
    yield event({"type": "message_stop"})


def event(value: Json) -> bytes:
    """One server-sent event."""
    return f"event: {value['type']}\ndata: {compact(value)}\n\n".encode()


def _pieces(block: Json, written: list[str]) -> tuple[Json, list[Json]]:
    """What of a block is not yet there at its start, and the deltas that bring it. Takes the arguments of a call from `written`."""
    match block["type"]:
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": part} for part in cut(block["thinking"])]
            return {"thinking": "", "signature": ""}, [*deltas, {"type": "signature_delta", "signature": block["signature"]}]
        case "tool_use":
            return {"input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in ("", *cut(written.pop(0)))]
        case _:
            return {"text": ""}, [{"type": "text_delta", "text": part} for part in cut(block["text"])]


def failed(refused: Refused, request_id: str) -> bytes:
    """An error in the middle of a stream."""
    return event(error(refused, request_id))


def headers(request_id: str, fault: Fault | None) -> dict[str, str]:
    """What each response carries besides its content type."""
    found = {"request-id": request_id, "anthropic-organization-id": "00000000-0000-0000-0000-000000000000"}
    spent = isinstance(fault, RateLimited)
    for what, limit in (("requests", 50), ("tokens", 500_000), ("input-tokens", 400_000), ("output-tokens", 100_000)):
        left = 0 if spent and what == "requests" else limit - limit // 10
        found |= {f"anthropic-ratelimit-{what}-limit": str(limit), f"anthropic-ratelimit-{what}-remaining": str(left)}
        found[f"anthropic-ratelimit-{what}-reset"] = "2026-11-21T12:00:00Z"
    return found | ({"retry-after": f"{fault.retry_after:g}"} if isinstance(fault, RateLimited) else {})


def unknown(model: str) -> Refused:
    """No such model."""
    return Refused(404, "not_found_error", f"model: {model}")


def too_long(tokens: int, window: int) -> Refused:
    """The prompt does not fit."""
    return invalid(f"prompt is too long: {tokens} tokens > {window} maximum")


def info(card: Card) -> Json:
    """What is known of a model."""
    return card.info()
