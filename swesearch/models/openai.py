"""Every server that speaks chat completions: OpenAI, vLLM, Ollama, llama.cpp, DeepSeek. One question is one answered call."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from weakref import finalize

from swesearch.base import SwesearchError, UsageError
from swesearch.dialogue import Image, Message, Part, Reply, Request, Stop, Text, Tool, ToolCall, ToolResult, Usage
from swesearch.models.shape import TooLong, arguments, base64_text, clean, no_headers, only_key, speaking, strict, troubles_of
from swesearch.models.trouble import Provider, refused, scrub, too_long

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

KEY = "OPENAI_API_KEY"
DIALECT = "/chat/completions"
FORMATS = ("json_schema", "json_object", "")  # how a reply is asked to be JSON; each server knows some
STOPS: Mapping[str, Stop] = {
    "stop": "end",
    "tool_calls": "calls",
    "function_call": "calls",
    "length": "length",
    "content_filter": "refusal",
}


class OpenAIModel:
    """A model behind /chat/completions. `heed` is shown the headers of every response.

    Raises UsageError where the extra `openai` is not installed, ModelUnavailable where there is no key, before any network.
    """

    def __init__(
        self,
        name: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        effort: str = "",
        timeout: float = 600.0,
        heed: Callable[[Mapping[str, str]], None] = no_headers,
    ) -> None:
        self.name, self._effort = name, effort
        address = base_url or os.environ.get("OPENAI_BASE_URL")
        key = only_key(api_key, KEY, "OpenAI", own_server=bool(address))
        self._client = _client(address, key, timeout, heed)
        finalize(self, self._client.close)  # the connections it keeps
        self._limit = "max_tokens" if address else "max_completion_tokens"  # other servers know the older name
        self._provider = Provider(f"the server at {scrub(address)}" if address else "OpenAI", KEY, name, key)
        self._formats: Sequence[str] = FORMATS  # those that the server was not yet seen to reject

    def complete(self, request: Request) -> Reply:
        """Ask, where need be once more in a way that this server knows. Raises TryLater, ModelUnavailable, UsageError."""
        try:
            return self._once(request, "") if request.schema is None else self._as_json(request)
        except TooLong as why:
            return Reply(Message("assistant", ()), "overflow", model=self.name, note=str(why))

    def _as_json(self, request: Request) -> Reply:
        """The first format that the server does not reject. A rejected call costs nothing."""
        for rank, form in enumerate(formats := self._formats):
            try:
                reply = self._once(request, form)
            except _Rejected:
                if form == formats[-1]:
                    raise
            else:
                self._formats = formats[rank:]
                return reply
        raise AssertionError("the last format returns or raises")

    def _once(self, request: Request, form: str) -> Reply:
        with self._troubles():
            answer = self._client.chat.completions.create(**self._body(request, form))
        with speaking(DIALECT):
            return _reply(answer.to_dict(), request)

    def _body(self, request: Request, form: str) -> dict[str, Any]:
        body: dict[str, Any] = {"model": self.name, self._limit: request.max_tokens, "messages": _messages(request, form)}
        if request.tools:
            body["tools"] = [_tool(tool) for tool in request.tools]
        if request.schema is not None and form:
            body["response_format"] = _format(strict(request.schema, "the reply"), form)
        if self._effort:
            body["reasoning_effort"] = self._effort
        return body

    def _troubles(self) -> AbstractContextManager[None]:
        import openai

        return troubles_of(openai, self._refusal, self._provider)

    def _refusal(self, error: APIStatusError) -> SwesearchError:
        said = str(error.body.get("message", "")) if isinstance(error.body, dict) else ""
        words = " ".join(filter(None, (error.code, said or error.message)))
        if too_long(error.status_code, words):
            return TooLong(scrub(words, self._provider.secret))
        if error.status_code == 404 and "/v1" not in self._client.base_url.path:
            words += " (most servers want a base URL that ends with /v1)"
        known = refused(error.status_code, words, error.response.headers, self._provider)
        return _Rejected(*known.args) if error.status_code in (400, 422) and isinstance(known, UsageError) else known


class _Rejected(UsageError):
    """The server does not take the request as it is put."""


def _client(base_url: str | None, key: str, timeout: float, heed: Callable[[Mapping[str, str]], None]) -> OpenAI:
    try:
        import openai
    except ImportError:
        raise UsageError("models named openai:... need the openai package: pip install 'swesearch[openai]'") from None
    return openai.OpenAI(
        api_key=key,
        base_url=base_url,
        max_retries=0,
        timeout=openai.Timeout(timeout, connect=5.0),
        http_client=openai.DefaultHttpxClient(event_hooks={"response": [lambda response: heed(response.headers)]}),
    )


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": clean(tool.description), "parameters": strict(tool.schema, tool.name), "strict": True}
    return {"type": "function", "function": function}


def _format(schema: Mapping[str, Any], form: str) -> dict[str, Any]:
    return {"type": form, "json_schema": {"name": "reply", "schema": schema, "strict": True}} if form == "json_schema" else {"type": form}


def _messages(request: Request, form: str) -> list[dict[str, Any]]:
    system = request.system
    if request.schema is not None and form != "json_schema":
        system += f"\n\nAnswer with one JSON object of this schema and nothing else:\n{json.dumps(request.schema)}"
    head = [{"role": "system", "content": clean(system)}] if system.strip() else []
    return head + [turn for message in request.messages for turn in (_said if message.role == "assistant" else _asked)(message)]


def _said(message: Message) -> Iterator[dict[str, Any]]:
    """What the model said. Its thoughts are its own."""
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(dict(call.arguments))}}
        for call in message.calls
    ]
    if message.text or calls:
        yield {"role": "assistant", "content": clean(message.text), **({"tool_calls": calls} if calls else {})}


def _asked(message: Message) -> Iterator[dict[str, Any]]:
    """What we said: results of calls first, each a message of its own; then words and pictures."""
    for part in message.parts:
        if isinstance(part, ToolResult):
            yield {"role": "tool", "tool_call_id": part.call, "content": clean(f"error: {part.text}" if part.error else part.text)}
    if any(isinstance(part, Image) for part in message.parts):
        yield {"role": "user", "content": [_piece(part) for part in message.parts if isinstance(part, Text | Image)]}
    elif message.text:
        yield {"role": "user", "content": clean(message.text)}


def _piece(part: Text | Image) -> dict[str, Any]:
    if isinstance(part, Text):
        return {"type": "text", "text": clean(part.text)}
    return {"type": "image_url", "image_url": {"url": f"data:{part.media_type};base64,{base64_text(part.data)}"}}


def _reply(answer: Mapping[str, Any], request: Request) -> Reply:
    choice = answer["choices"][0]
    said = choice["message"]
    calls = [_call(call, place) for place, call in enumerate(said.get("tool_calls") or ())]
    text = said.get("content") or ""
    parts: list[Part] = [Text(_unfenced(text) if request.schema is not None else text)] if text else []
    refusal = said.get("refusal") or ""
    stop = "refusal" if refusal else STOPS.get(choice.get("finish_reason") or "stop", "end")
    return Reply(
        Message("assistant", (*parts, *calls)),
        "calls" if calls and stop == "end" else stop,  # many servers say "stop" to a call
        _usage(answer, request),
        answer.get("model") or "",
        note=scrub(refusal),
    )


def _call(call: Mapping[str, Any], place: int) -> ToolCall:
    function = call["function"]
    read, malformed = arguments(function.get("arguments") or "")
    return ToolCall(call.get("id") or f"call_{place}", function["name"], read, malformed)


def _unfenced(text: str) -> str:
    """JSON without the fence that models like to put around it."""
    bare = text.strip()
    return bare.partition("\n")[2].removesuffix("```").strip() if bare.startswith("```") and bare.endswith("```") else text


def _usage(answer: Mapping[str, Any], request: Request) -> Usage:
    """What the server counted. One that does not count is taken at a token for three bytes, so that budgets hold."""
    usage = answer.get("usage")
    if not usage:
        said = json.dumps(answer["choices"])
        asked = sum(len(repr(message.parts)) for message in request.messages) + len(request.system)
        return Usage(asked // 3, len(said) // 3)
    details = usage.get("prompt_tokens_details") or {}
    read, written = details.get("cached_tokens") or 0, details.get("cache_write_tokens") or 0
    return Usage(max(0, usage["prompt_tokens"] - read - written), usage["completion_tokens"], read, written)
