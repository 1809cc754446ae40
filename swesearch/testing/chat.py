"""The OpenAI dialect: /v1/chat/completions, as JSON and as a stream."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from swesearch.dialogue import Image, Message, Part, Stop, Text, ToolCall, ToolResult

from .cache import Block, Prefill
from .cards import Card
from .chat_rules import check as check
from .chat_rules import check_shape as check_shape
from .faults import Fault, RateLimited
from .words import IMAGE_TOKENS, Answer, Json, Refused, Turn, blocks_of, compact, cut, estimate, merged, output_tokens

LOOKBACK: int | None = None  # prefixes are cached by themselves
OVERLOADED = Refused(503, "server_error", "The engine is currently overloaded, please try again later")
STOPS: Mapping[Stop, str] = {"end": "stop", "calls": "tool_calls", "length": "length", "refusal": "stop", "overflow": "length"}
_KINDS = {"rate_limit_error": "requests", "authentication_error": "invalid_request_error", "api_error": "server_error"}
_CREATED = 1790000000


def turn(body: Json, number: int) -> Turn:
    """The request in neutral words. It must have passed the rules."""
    told = [message for message in body["messages"] if message["role"] in ("system", "developer")]
    wanted = (body.get("response_format") or {}).get("json_schema") or {}
    return Turn(
        dialect="openai",
        model=body["model"],
        system="\n".join(_words(message["content"]) for message in told),
        messages=merged(_message(message) for message in body["messages"] if message["role"] not in ("system", "developer")),
        tools=tuple(tool["function"]["name"] for tool in body.get("tools") or []),
        schema=wanted.get("schema"),
        max_tokens=body.get("max_completion_tokens") or body.get("max_tokens"),
        effort=body.get("reasoning_effort"),
        number=number,
    )


def _words(content: str | list[Json] | None) -> str:
    return "".join(part.get("text", "") for part in blocks_of(content or []))


def _message(message: Json) -> Message:
    if message["role"] == "tool":
        return Message("user", (ToolResult(message["tool_call_id"], _words(message["content"])),))
    said = tuple(_part(part) for part in blocks_of(message.get("content") or []))
    return Message(message["role"], (*said, *(_call(call) for call in message.get("tool_calls") or [])))


def _part(part: Json) -> Part:
    if part["type"] == "text":
        return Text(part["text"])
    media, _, data = part["image_url"]["url"].removeprefix("data:").partition(";base64,")
    return Image(base64.b64decode(data), media)


def _call(call: Json) -> ToolCall:
    name, arguments = call["function"]["name"], call["function"]["arguments"]
    try:
        value = json.loads(arguments)
    except ValueError as error:
        return ToolCall(call["id"], name, {}, malformed=str(error))
    return ToolCall(call["id"], name, value) if isinstance(value, dict) else ToolCall(call["id"], name, {}, malformed="not an object")


def blocks(body: Json) -> list[Block]:
    """The prompt in the order in which it is cached: tools, the form of the reply, messages."""
    first = [body.get("tools"), body.get("response_format")]
    return [_block(part) for part in [*first, *body["messages"]] if part]


def _block(part: Json) -> Block:
    content = part.get("content") if isinstance(part, dict) else None
    images = [piece for piece in content if piece["type"] == "image_url"] if isinstance(content, list) else []
    shown = estimate(compact(part)) - sum(estimate(compact(image)) for image in images)
    return Block(compact(part), max(0, shown) + len(images) * IMAGE_TOKENS)


def reply(body: Json, answer: Answer, prefill: Prefill, number: int, card: Card) -> Json:  # noqa: ARG001 - the shape of a dialect
    """The completion that says `answer`."""
    refused = answer.why == "refusal"
    message: Json = {
        "role": "assistant",
        "content": None if refused else answer.text or None,
        "refusal": answer.text or "I cannot help with that." if refused else None,
    }
    if answer.thinking:
        message["reasoning_content"] = answer.thinking
    if answer.calls:
        message["tool_calls"] = list(_calls(answer, number))
    choice = {"index": 0, "message": message, "finish_reason": STOPS[answer.why], "logprobs": None}
    head = {"id": f"chatcmpl-{number:024d}", "object": "chat.completion", "created": _CREATED, "model": card.id}
    return head | {"choices": [choice], "usage": _usage(answer, prefill)}


def _calls(answer: Answer, number: int) -> Iterable[Json]:
    for index, (name, arguments) in enumerate(answer.calls):
        function = {"name": name, "arguments": _written(arguments)}
        yield {"id": f"call_{number:020d}{index:04d}", "type": "function", "function": function}


def _written(arguments: Mapping[str, Any] | str) -> str:
    return arguments if isinstance(arguments, str) else compact(arguments)


def _usage(answer: Answer, prefill: Prefill) -> Json:
    prompt, said = prefill.usage.total, output_tokens(answer)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": said,
        "total_tokens": prompt + said,
        "prompt_tokens_details": {"cached_tokens": prefill.usage.cache_read},
        "completion_tokens_details": {"reasoning_tokens": min(estimate(answer.thinking), said)},
    }


def events(body: Json, whole: Json, answer: Answer) -> Iterator[bytes]:  # noqa: ARG001 - the shape of a dialect
    """The completion as a stream."""
    head = {"id": whole["id"], "object": "chat.completion.chunk", "created": _CREATED, "model": whole["model"]}
    counted = bool((body.get("stream_options") or {}).get("include_usage"))
    usage = {"usage": None} if counted else {}
    for delta in _deltas(whole["choices"][0]["message"]):
        yield _data(head | usage | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    end = {"index": 0, "delta": {}, "finish_reason": whole["choices"][0]["finish_reason"]}
    yield _data(head | usage | {"choices": [end]})
    if counted:
        yield _data(head | {"choices": [], "usage": whole["usage"]})
    yield b"data: [DONE]\n\n"


def _deltas(message: Json) -> Iterator[Json]:
    yield {"role": "assistant", "content": ""}
    for name in ("reasoning_content", "refusal", "content"):
        for piece in cut(message.get(name) or ""):
            yield {name: piece}
    for index, call in enumerate(message.get("tool_calls", ())):
        yield {"tool_calls": [{"index": index} | call | {"function": call["function"] | {"arguments": ""}}]}
        for piece in cut(call["function"]["arguments"]):
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _data(value: Json) -> bytes:
    return f"data: {compact(value)}\n\n".encode()


def error(refused: Refused, request_id: str) -> Json:  # noqa: ARG001 - the shape of a dialect
    """The body of an HTTP error."""
    kind = _KINDS.get(refused.kind, refused.kind)
    code = refused.code or ("rate_limit_exceeded" if refused.status == 429 else None)
    return {"error": {"message": refused.message, "type": kind, "param": None, "code": code}}


def failed(refused: Refused, request_id: str) -> bytes:
    """An error in the middle of a stream."""
    return _data(error(refused, request_id))


def headers(request_id: str, fault: Fault | None) -> dict[str, str]:
    """What each response carries besides its content type."""
    found = {"x-request-id": request_id}
    for what, limit in (("requests", 500), ("tokens", 500_000)):
        left = 0 if isinstance(fault, RateLimited) and what == "requests" else limit - limit // 10
        found |= {f"x-ratelimit-limit-{what}": str(limit), f"x-ratelimit-remaining-{what}": str(left), f"x-ratelimit-reset-{what}": "1s"}
    return found | ({"retry-after": f"{fault.retry_after:g}"} if isinstance(fault, RateLimited) else {})


def unknown(model: str) -> Refused:
    """No such model."""
    return Refused(404, "invalid_request_error", f"The model `{model}` does not exist or you do not have access to it.", "model_not_found")


def too_long(tokens: int, window: int) -> Refused:
    """The prompt does not fit."""
    message = f"This model's maximum context length is {window} tokens. However, your messages resulted in {tokens} tokens."
    return Refused(400, "invalid_request_error", message, "context_length_exceeded")


def info(card: Card) -> Json:
    """What is known of a model."""
    return {"id": card.id, "object": "model", "created": _CREATED, "owned_by": "swesearch", "max_model_len": card.window}
