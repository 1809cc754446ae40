from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from swesearch.testing import CARDS, Card, FakeProvider, catalogue, says

HI = {"role": "user", "content": "Hi"}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
MARK = {"cache_control": {"type": "ephemeral"}}
OPEN = {"type": "object", "properties": {"n": {"type": "integer"}}}
BOUNDED = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 1}}, "additionalProperties": False}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words} | more


def asking(block: dict[str, Any], times: int = 1) -> dict[str, Any]:
    return {"role": "user", "content": [block] * times}


def tool(name: str = "view", **more: Any) -> dict[str, Any]:
    return {"name": name, "input_schema": {"type": "object", "additionalProperties": False}} | more


def call(id: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [{"type": "tool_use", "id": id, "name": "view", "input": {}}]}


def results(*ids: str, first: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {"role": "user", "content": [*first, *({"type": "tool_result", "tool_use_id": id, "content": "x"} for id in ids)]}


def formatted(schema: dict[str, Any]) -> dict[str, Any]:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


@pytest.fixture(scope="module")
def provider() -> Iterator[FakeProvider]:
    models = CARDS | catalogue([Card("claude-small-1", window=1000, output=500)])
    with FakeProvider(says("ok"), key="sk-right", models=models, largest=100_000) as running:
        yield running


@pytest.fixture(scope="module")
def client(claude: anthropic.Anthropic, provider: FakeProvider) -> anthropic.Anthropic:
    return claude.with_options(base_url=provider.url, api_key="sk-right", max_retries=2)


def send(client: anthropic.Anthropic, body: dict[str, Any], **headers: str | anthropic.Omit) -> anthropic.types.Message:
    asked = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [HI]} | body
    return client.post("/v1/messages", cast_to=anthropic.types.Message, body=asked, options={"headers": headers})


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ({"tempo": 1}, "tempo: Extra inputs are not permitted"),
        ({"temperature": 0.5}, "temperature: Extra inputs are not permitted"),
        ({"model": "claude-haiku-4-5", "top_k": 5}, "top_k: Extra inputs are not permitted"),
        ({"tools": [tool(colour="red")]}, "tools.0.colour: Extra inputs are not permitted"),
        ({"messages": [{"role": "user", "content": [text("a", bold=True)]}]}, "messages.0.content.0.text.bold: Extra inputs"),
        ({"messages": [{"role": "robot", "content": "a"}]}, "messages.0.role: Input should be 'user' or 'assistant'"),
        ({"messages": [{"role": "user", "content": [{"type": "smell"}]}]}, "messages.0.content.0: Input tag 'smell'"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content: Input should be a valid list"),
        ({"max_tokens": "many"}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"max_tokens": 200_000}, "max_tokens: 200000 > 128000, which is the maximum allowed number of output tokens"),
        ({"tools": [tool()], "tool_choice": {"type": "any"}}, "tool_choice: type 'any' is not supported for this model"),
        ({"tools": [tool()], "tool_choice": {"type": "tool", "name": "view"}}, "tool_choice: type 'tool' is not supported"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice: may only be specified while providing `tools`"),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, '"thinking.type.enabled" is not supported for this model'),
        ({"thinking": {"type": "disabled"}}, '"thinking.type.disabled" is not supported for this model'),
        ({"output_config": {"effort": "huge"}}, "output_config.effort: Input should be 'low' or"),
        ({"messages": [HI, {"role": "assistant", "content": "The answer is"}]}, "does not support assistant message prefill"),
        ({"messages": [{"role": "assistant", "content": "Hi"}]}, 'first message must use the "user" role'),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [{"role": "user", "content": []}]}, "messages.0: user messages must have non-empty content"),
        ({"messages": [{"role": "user", "content": [text("")]}]}, "text content blocks must be non-empty"),
        ({"messages": [{"role": "user", "content": " \n"}]}, "text content blocks must contain non-whitespace text"),
        ({"system": [text("")]}, "system: text content blocks must be non-empty"),
        ({"tools": [tool(), tool()]}, "tools: Tool names must be unique."),
        ({"tools": [tool("two words")]}, "tools.0.custom.name: String should match pattern"),
        ({"tools": [tool(strict=True, input_schema=OPEN)]}, "tools.0.custom: For 'object' type, 'additionalProperties' must be"),
        ({"tools": [tool(strict=True, input_schema=BOUNDED)]}, "For 'integer' type, properties minimum are not supported"),
        (formatted(OPEN), "output_config.format.schema: For 'object' type, 'additionalProperties' must be explicitly set to false"),
        (formatted({"type": "array", "items": OPEN}), "output_config.format.schema: For 'object' type"),
        ({"messages": [HI, call("t1"), HI]}, "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1."),
        ({"messages": [HI, call("t1"), results("t1", first=(text("so"),))]}, "`tool_use` ids were found without `tool_result`"),
        ({"messages": [results("t9")]}, "messages.0.content.0: unexpected `tool_use_id` found in `tool_result` blocks: t9."),
        ({"messages": [HI, call("t1"), results("t1"), call("t1"), results("t1")]}, "`tool_use` ids must be unique"),
        ({"messages": [HI, call("t1"), results("t1", "t1")]}, "Found multiple `tool_result` blocks with id: t1"),
        ({"messages": [call("t1") | {"role": "user"}]}, "`tool_use` blocks can only be in `assistant` messages"),
        ({"messages": [asking(text("a", **MARK), times=5)]}, "A maximum of 4 blocks with cache_control may be provided. Found 5."),
        ({"system": [text("a", **MARK)] * 2, "tools": [tool(**MARK)], "messages": [asking(text("a", **MARK))]} | MARK, "Found 5."),
        ({"system": [text("a", **MARK)], "messages": [asking(text("a", **HOUR))]}, "ttl='1h' cache_control block must not come after"),
        ({"model": "claude-small-1", "messages": [asking(text("x" * 8000))]}, "prompt is too long: 2007 tokens > 1000 maximum"),
    ],
)  # fmt: skip
def test_a_request_that_breaks_a_rule_is_refused(client: anthropic.Anthropic, body: dict[str, Any], complaint: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        send(client, body)
    body = caught.value.body
    assert complaint in body["error"]["message"]
    assert body == {"type": "error", "error": {"type": "invalid_request_error", "message": body["error"]["message"]}} | {
        "request_id": caught.value.request_id
    }


@pytest.mark.parametrize("missing", ["max_tokens", "messages", "model"])
def test_a_missing_field_is_named(client: anthropic.Anthropic, missing: str) -> None:
    asked = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [HI]}
    del asked[missing]
    with pytest.raises(anthropic.BadRequestError, match=f"{missing}: Field required"):
        client.post("/v1/messages", cast_to=object, body=asked)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [HI, HI, {"role": "assistant", "content": "a"}, HI]},
        {"messages": [HI, call("t1"), results("t1"), HI]},
        {"messages": [{"role": "user", "content": [text("a", **MARK)] * 4}]},
        {"tools": [tool(strict=True), {"type": "bash_20250124", "name": "bash"}], "tool_choice": {"type": "auto"}},
        {"thinking": {"type": "adaptive", "display": "omitted"}, "system": "Be brief", "metadata": {"user_id": "u"}},
        {"model": "claude-haiku-4-5", "thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000},
        {"model": "claude-haiku-4-5", "tools": [tool()], "tool_choice": {"type": "tool", "name": "view"}},
        {"model": "claude-haiku-4-5", "messages": [HI, {"role": "assistant", "content": "The answer is"}]},
        {"messages": [HI, {"role": "system", "content": "The time is now."}, HI]},
    ],
)
def test_a_request_within_the_rules_is_answered(client: anthropic.Anthropic, body: dict[str, Any]) -> None:
    assert send(client, body).content[0].text == "ok"


def test_an_old_model_takes_a_temperature_under_an_old_version_only(client: anthropic.Anthropic) -> None:
    old = {"anthropic-version": "2023-06-01"}
    assert send(client, {"model": "claude-haiku-4-5", "temperature": 0.8}, **old).content[0].text == "ok"
    with pytest.raises(anthropic.BadRequestError, match="`temperature` is deprecated for this model"):
        send(client, {"temperature": 0.8}, **old)


def test_an_unknown_model_is_not_found(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        send(client, {"model": "claude-opus-99"})
    assert caught.value.body["error"] == {"type": "not_found_error", "message": "model: claude-opus-99"}
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("claude-opus-99")


def test_only_the_right_key_is_let_in(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.AuthenticationError) as caught:
        send(client.with_options(api_key="sk-wrong"), {})
    assert caught.value.body["error"]["type"] == "authentication_error"
    assert send(client, {}, authorization=anthropic.Omit(), **{"x-api-key": "sk-right"}).content[0].text == "ok"


def test_without_a_key_nobody_is_let_in(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("ok")) as provider:
        client = claude.with_options(base_url=provider.url)
        assert send(client, {}).content[0].text == "ok"
        with pytest.raises(anthropic.AuthenticationError):
            send(client, {}, authorization=anthropic.Omit())


def test_a_body_that_is_too_large_is_refused_and_not_retried(client: anthropic.Anthropic, provider: FakeProvider) -> None:
    before = len(provider.requests)
    with pytest.raises(anthropic.APIStatusError) as caught:
        send(client, {"system": "x" * 200_000})
    assert (caught.value.status_code, caught.value.body["error"]["type"]) == (413, "request_too_large")
    assert len(provider.requests) == before + 1


def test_counting_takes_no_limit_on_the_reply(client: anthropic.Anthropic) -> None:
    asked = {"model": "claude-opus-5-5", "max_tokens": 100, "messages": [HI]}
    with pytest.raises(anthropic.BadRequestError, match="max_tokens: Extra inputs are not permitted"):
        client.post("/v1/messages/count_tokens", cast_to=object, body=asked)


def test_a_path_that_is_not_there_is_not_found(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="Not found"):
        client.post("/v1/complete", cast_to=object, body={})
