from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from swesearch.dialogue import Image, Text, ToolCall, ToolResult, Usage
from swesearch.testing import CARDS, Answer, Card, FakeProvider, Turn, catalogue, says

HI = {"role": "user", "content": "Hi"}
CALLING = Answer("I look.", calls=[("view", {"path": "ä" * 40}), ("view", '{"pa')], thinking="Where is it? " * 4)
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}


def calling(*ids: str) -> dict[str, Any]:
    calls = [{"id": id, "type": "function", "function": {"name": "view", "arguments": "{}"}} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": "x"}


def function(**more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "view"} | more}


def formatted(schema: dict[str, Any]) -> dict[str, Any]:
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "verdict", "schema": schema, "strict": True}}}


@pytest.fixture(scope="module")
def turns() -> list[Turn]:
    return []


@pytest.fixture(scope="module")
def provider(turns: list[Turn]) -> Iterator[FakeProvider]:
    def brain(turn: Turn) -> Answer:
        turns.append(turn)
        return CALLING if turn.tools else says("ok")(turn)

    with FakeProvider(brain, key="right", models=CARDS | catalogue([Card("small", window=1000)])) as running:
        yield running


@pytest.fixture(scope="module")
def client(chat: openai.OpenAI, provider: FakeProvider) -> openai.OpenAI:
    return chat.with_options(base_url=provider.url + "/v1", api_key="right")


def ask(client: openai.OpenAI, *messages: dict[str, Any], **more: Any) -> Any:
    return client.chat.completions.create(**{"model": "local-model", "messages": list(messages) or [HI]} | more)


def test_a_completion_holds_text_reasoning_and_calls(client: openai.OpenAI) -> None:
    choice = ask(client, tools=[function()]).choices[0]
    assert (choice.message.content, choice.message.reasoning_content) == ("I look.", CALLING.thinking)
    assert [call.function.arguments for call in choice.message.tool_calls] == [
        json.dumps({"path": "ä" * 40}, ensure_ascii=False).replace(": ", ":"),
        '{"pa',
    ]
    assert choice.finish_reason == "tool_calls"


def test_a_stream_adds_up_to_the_completion(client: openai.OpenAI) -> None:
    whole = ask(client, tools=[function()])
    chunks = list(ask(client, tools=[function()], stream=True, stream_options={"include_usage": True}))
    deltas = [chunk.choices[0].delta for chunk in chunks[:-1]]
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    written = {0: "", 1: ""}
    for call in (call for delta in deltas for call in delta.tool_calls or []):
        written[call.index] += call.function.arguments
    assert list(written.values()) == [call.function.arguments for call in whole.choices[0].message.tool_calls]
    assert chunks[-2].choices[0].finish_reason == "tool_calls"
    assert chunks[-1].usage == whole.usage


def test_without_asking_a_stream_tells_no_usage(client: openai.OpenAI) -> None:
    assert [chunk.usage for chunk in ask(client, stream=True) if chunk.usage] == []


def test_a_brain_sees_the_request_in_neutral_words(client: openai.OpenAI, turns: list[Turn]) -> None:
    content = [{"type": "text", "text": "Look"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,cG5n"}}]
    messages = [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": content},
        calling("c1", "c2"),
        result("c1"),
        result("c2"),
    ]
    ask(client, *messages, tools=[function()], max_tokens=50, **formatted(SCHEMA))
    turn = turns[-1]
    assert (turn.dialect, turn.system, turn.tools, turn.schema, turn.max_tokens) == ("openai", "Be brief", ("view",), SCHEMA, 50)
    assert [message.role for message in turn.messages] == ["user", "assistant", "user"]
    assert turn.messages[0].parts == (Text("Look"), Image(b"png", "image/png"))
    assert turn.messages[1].parts == (ToolCall("c1", "view", {}), ToolCall("c2", "view", {}))
    assert turn.messages[2].parts == (ToolResult("c1", "x"), ToolResult("c2", "x"))


def test_a_schema_is_answered_with_json_that_fits(client: openai.OpenAI) -> None:
    assert json.loads(ask(client, **formatted(SCHEMA)).choices[0].message.content) == {"n": 0}


def test_a_refusal_has_a_field_of_its_own(chat: openai.OpenAI) -> None:
    with FakeProvider(lambda _: Answer("No.", stop="refusal")) as provider:
        message = ask(chat.with_options(base_url=provider.url + "/v1")).choices[0].message
    assert (message.content, message.refusal) == (None, "No.")


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"thinking": {}}, "thinking: Extra inputs are not permitted"),
        ({"messages": []}, "at least one message is required"),
        ({"messages": [{"role": "robot", "content": "a"}]}, "messages.0: Input tag 'robot'"),
        ({"messages": [HI, {"role": "assistant", "content": None}, HI]}, "messages.1: an assistant message must have content"),
        ({"messages": [HI, calling("c1", "c2"), result("c1"), HI]}, "did not have response messages: c2"),
        ({"messages": [HI, calling("c1")]}, "did not have response messages: c1"),
        ({"messages": [HI, result("c1")]}, "messages with role 'tool' must be a response to a preceding message with 'tool_calls'"),
        ({"max_tokens": 5, "max_completion_tokens": 5}, "at the same time is not supported"),
        ({"max_tokens": 0}, "max_tokens must be at least 1"),
        ({"max_tokens": 99_999}, "max_tokens is too large: 99999"),
        ({"n": 2}, "only one choice is supported"),
        ({"tool_choice": "auto"}, "'tool_choice' is only allowed when 'tools' are specified."),
        ({"stream_options": {"include_usage": True}}, "only allowed when 'stream' is enabled"),
        ({"tools": [function(name="two words")]}, "Invalid function name"),
        ({"tools": [function(strict=True, parameters={"type": "object"})]}, "'additionalProperties' must be explicitly set to false"),
        (formatted(SCHEMA | {"required": []}), "include every key in properties. Missing 'n'"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///x"}}]}]}, "Invalid image data"),
        ({"model": "small", "messages": [{"role": "user", "content": "x" * 8000}]}, "maximum context length is 1000 tokens"),
    ],
)  # fmt: skip
def test_a_request_that_breaks_a_rule_is_refused(client: openai.OpenAI, body: dict[str, Any], complaint: str) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", cast_to=object, body={"model": "local-model", "messages": [HI]} | body)
    assert complaint in caught.value.message
    assert caught.value.type == "invalid_request_error"


def test_what_is_wrong_has_a_code_where_the_real_one_has_one(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        ask(client, model="no-model")
    with pytest.raises(openai.AuthenticationError) as stranger:
        ask(client.with_options(api_key="wrong"))
    with pytest.raises(openai.BadRequestError) as long:
        ask(client, {"role": "user", "content": "x" * 8000}, model="small")
    assert [caught.value.code for caught in (unknown, stranger, long)] == ["model_not_found", "invalid_api_key", "context_length_exceeded"]


def test_a_model_can_be_looked_up(client: openai.OpenAI) -> None:
    assert client.models.retrieve("small").max_model_len == 1000  # type: ignore[attr-defined]


def test_prefixes_are_cached_by_themselves(client: openai.OpenAI, provider: FakeProvider) -> None:
    long = {"role": "user", "content": "z" * 4000}
    first = ask(client, long).usage
    second = ask(client, long, {"role": "assistant", "content": "ok"}, HI).usage
    assert first.prompt_tokens_details.cached_tokens == 0
    assert second.prompt_tokens_details.cached_tokens == first.prompt_tokens
    fresh = second.prompt_tokens - first.prompt_tokens
    assert provider.requests[-1].usage == Usage(input=fresh, output=second.completion_tokens, cache_read=first.prompt_tokens)
