"""Claude, and every server that speaks /v1/messages. One HTTP call per question: waiting is the work of `limited`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import finalize

from swesearch.base import ModelUnavailable, SwesearchError
from swesearch.dialogue import Image, Message, Part, Reply, Request, Stop, Text, Thought, Tool, ToolCall, ToolResult, Usage
from swesearch.models.prices import known_models
from swesearch.models.shape import TooLong, arguments, base64_text, clean, no_headers, speaking, strict, troubles_of
from swesearch.models.trouble import Provider, checked_key, lost, refused, scrub, too_long

if TYPE_CHECKING:
    from anthropic import Anthropic, APIStatusError

KEY = "ANTHROPIC_API_KEY"
DIALECT = "/v1/messages"
UNSTREAMED = 21_333  # max_tokens above which the SDK wants a stream
BREAKPOINTS = 4  # cache_control marks that a request may carry
ADAPTIVE = re.compile(r"claude-(fable|mythos)-|claude-[a-z]+-(4-[6-9]|[5-9])(-|$)")  # models that think as they see fit
EPHEMERAL = {"type": "ephemeral"}
STOPS: Mapping[str, Stop] = {
    "end_turn": "end",
    "stop_sequence": "end",
    "tool_use": "calls",
    "max_tokens": "length",
    "pause_turn": "length",  # only server tools pause, and we have none; going on here would be a second, unreserved call
    "refusal": "refusal",
    "model_context_window_exceeded": "overflow",
}
ERROR_STATUS = {"overloaded_error": 529, "rate_limit_error": 429, "timeout_error": 504}  # of errors inside a stream


class AnthropicModel:
    """A model behind /v1/messages. `heed` is shown the headers of every response.

    Raises ModelUnavailable where there is no key, before any network; TryLater, UsageError from `complete`.
    """

    def __init__(
        self,
        name: str,
        *,
        effort: str = "",
        base_url: str | None = None,
        api_key: str | None = None,
        timeout: float = 600.0,
        heed: Callable[[Mapping[str, str]], None] = no_headers,
    ) -> None:
        self.name, self._effort = name, effort
        address = base_url or os.environ.get("ANTHROPIC_BASE_URL")
        self._client = _client(address, api_key, timeout, heed)
        finalize(self, self._client.close)  # the connections it keeps
        secret = self._client.api_key or self._client.auth_token or ""
        whom = f"the server at {scrub(address)}" if address else "Anthropic"
        self._provider = Provider(whom, KEY, name, secret, known_models("claude-"))

    def complete(self, request: Request) -> Reply:
        """Ask once. Raises TryLater, ModelUnavailable, UsageError."""
        body = self._body(request) | {"max_tokens": request.max_tokens}
        try:
            return self._streamed(body) if request.max_tokens > UNSTREAMED else self._whole(body)
        except TooLong as why:
            return Reply(Message("assistant", ()), "overflow", model=self.name, note=str(why))

    def count(self, request: Request) -> int:
        """The tokens of the request, as the provider estimates them. Raises as `complete` does."""
        with self._troubles():
            return self._client.messages.count_tokens(**self._body(request)).input_tokens

    def _body(self, request: Request) -> dict[str, Any]:
        output: dict[str, Any] = {"effort": self._effort} if self._effort else {}
        body: dict[str, Any] = {"model": self.name, **_marked(request)}
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
            if not body.get("system"):
                body["tools"][-1]["cache_control"] = EPHEMERAL
        if request.schema is not None:
            output |= {"format": {"type": "json_schema", "schema": strict(request.schema, "the reply")}}
        if output:
            body["output_config"] = output
        if ADAPTIVE.match(self.name):
            body["thinking"] = {"type": "adaptive"}
        return body

    def _whole(self, body: Mapping[str, Any]) -> Reply:
        with self._troubles():
            message = self._client.messages.create(**body)
        with speaking(DIALECT):
            return _reply(message.to_dict())

    def _streamed(self, body: Mapping[str, Any]) -> Reply:
        with self._troubles(), self._client.messages.create(**body, stream=True) as events, speaking(DIALECT):
            message = _gathered(event.to_dict() for event in events)
        if not message.get("stop_reason"):
            raise lost("the stream ended early", self._provider, sent=True)
        with speaking(DIALECT):
            return _reply(message)

    def _troubles(self) -> AbstractContextManager[None]:
        import anthropic

        return troubles_of(anthropic, self._refusal, self._provider)

    def _refusal(self, error: APIStatusError) -> SwesearchError:
        words = error.api_message or error.message
        begun = error.status_code < 400  # an error inside a stream
        status = ERROR_STATUS.get(error.type or "", 500) if begun else error.status_code
        if too_long(status, f"{error.type} {words}"):
            return TooLong(scrub(words, self._provider.secret))
        return refused(status, " ".join(filter(None, (error.error_code, words))), error.response.headers, self._provider, begun=begun)


def _client(address: str | None, api_key: str | None, timeout: float, heed: Callable[[Mapping[str, str]], None]) -> Anthropic:
    """A client with a key. A server of one's own needs none."""
    import anthropic

    key = api_key or os.environ.get(KEY)
    try:
        client = anthropic.Anthropic(
            api_key=checked_key(key, KEY) if key else None,
            base_url=address,
            max_retries=0,
            timeout=anthropic.Timeout(timeout, connect=5.0),
            http_client=anthropic.DefaultHttpxClient(event_hooks={"response": [lambda response: heed(response.headers)]}),
        )
    except (anthropic.AnthropicError, ValueError) as error:
        raise ModelUnavailable(f"no client for Claude: {scrub(str(error), key or '')}") from None
    if not (client.api_key or client.auth_token or client.credentials):
        if not address:
            raise ModelUnavailable(f"there is no key for Claude: set {KEY}")
        client.api_key = "none"
    return client


def _tool(tool: Tool) -> dict[str, Any]:
    return {
        "name": tool.name,
        "description": clean(tool.description),
        "input_schema": strict(tool.schema, tool.name),
        "strict": True,
    }


def _marked(request: Request) -> dict[str, Any]:
    """System and messages, with a mark where the cache is to keep what came before: after the system prompt (which
    comes after the tools), after the last shared messages, and at the end, where the next request goes on."""
    contents = [_content(message) for message in request.messages]
    last = len(contents) - 1
    shared = sorted({index for index in request.shared if 0 <= index < last})
    for index in [*shared[2 - BREAKPOINTS :], last]:
        if contents[index]:
            contents[index][-1]["cache_control"] = EPHEMERAL
    turns = [{"role": message.role, "content": content} for message, content in zip(request.messages, contents, strict=True) if content]
    system = [{"type": "text", "text": clean(request.system), "cache_control": EPHEMERAL}] if request.system.strip() else []
    return {"messages": turns, **({"system": system} if system else {})}


def _content(message: Message) -> list[dict[str, Any]]:
    """The blocks of a message, as the API wants them: results first, no empty text, no thought at the end of what was said."""
    parts = [part for part in message.parts if not (isinstance(part, Text) and not part.text.strip())]
    while parts and isinstance(parts[-1], Thought):
        parts.pop()  # nothing came of it: the reply was cut off, or empty
    return [_block(part) for part in sorted(parts, key=lambda part: message.role == "user" and not isinstance(part, ToolResult))]


def _block(part: Part) -> dict[str, Any]:
    match part:
        case Text(text):
            return {"type": "text", "text": clean(text)}
        case Image(data, media_type):
            return {"type": "image", "source": {"type": "base64", "media_type": media_type, "data": base64_text(data)}}
        case Thought(raw):
            return dict(raw)
        case ToolCall(id=ident, name=name, arguments=given):
            return {"type": "tool_use", "id": ident, "name": name, "input": dict(given)}
        case ToolResult(call, text, error):
            return {"type": "tool_result", "tool_use_id": call, "content": clean(text), **({"is_error": True} if error else {})}


def _gathered(events: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The message that a stream tells. Tool input stays text, so that what is cut off can be told from what is whole."""
    message: dict[str, Any] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                message = event["message"] | {"content": []}
            case "content_block_start":
                block = event["content_block"]
                message["content"].append(block | {"input": ""} if block["type"] == "tool_use" else block)
            case "content_block_delta":
                _grow(message["content"][event["index"]], event["delta"])
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= {name: count for name, count in event["usage"].items() if count is not None}
    return message


def _grow(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "input_json_delta":
            block["input"] += delta["partial_json"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]


def _reply(message: Mapping[str, Any]) -> Reply:
    parts = [_part(block) for block in message["content"]]
    stop = STOPS.get(message["stop_reason"] or "", "calls" if any(isinstance(part, ToolCall) for part in parts) else "end")
    if stop == "length" and parts and isinstance(parts[-1], ToolCall):
        parts[-1] = replace(parts[-1], malformed="the call was cut off at the most tokens a reply may have")
    return Reply(Message("assistant", tuple(parts)), stop, _usage(message["usage"]), message["model"], note=_note(message))


def _part(block: dict[str, Any]) -> Part:
    match block["type"]:
        case "text":
            return Text(block["text"])
        case "tool_use":
            given = block["input"]
            read, malformed = (given, "") if isinstance(given, dict) else arguments(given)
            return ToolCall(block["id"], block["name"], read, malformed)
        case _:
            return Thought(block)  # thinking, and whatever else is to be sent back as it came


def _usage(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        usage["input_tokens"],
        usage["output_tokens"],
        usage.get("cache_read_input_tokens") or 0,
        usage.get("cache_creation_input_tokens") or 0,
    )


def _note(message: Mapping[str, Any]) -> str:
    details = message.get("stop_details") or {}
    return scrub(": ".join(str(details[key]) for key in ("category", "explanation") if details.get(key)))
