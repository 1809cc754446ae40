"""The chat completions dialect, spoken by the real SDK over real HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from swesearch.base import ModelUnavailable, UsageError
from swesearch.dialogue import Image, Message, Request, Text, Thought, ToolResult
from swesearch.models.openai import OpenAIModel
from swesearch.models.trouble import TryLater
from swesearch.testing import (
    CARDS,
    Answer,
    Card,
    CutStream,
    Dropped,
    FakeProvider,
    Fault,
    Overloaded,
    RateLimited,
    Replies,
    ServerError,
    TruncatedJson,
    says,
)

KEY = "sk-proj-a-long-secret"
LOOK = Answer(thinking="hm", calls=[("view", {"path": "a.py"}), ("view", {"path": "b.py"})])


def model(provider: FakeProvider, name: str = "local-model", **options: Any) -> OpenAIModel:
    return OpenAIModel(name, base_url=f"{provider.url}/v1", **options)


def answer(message: dict[str, Any], finish: str | None = "stop", **more: Any) -> dict[str, Any]:
    """What a server says, in the least words."""
    return {"model": "m", "choices": [{"message": {"role": "assistant", **message}, "finish_reason": finish}], **more}


def after(request: Request, reply: Message, *texts: str) -> Request:
    results = tuple(ToolResult(call.id, text, error=text == "no") for call, text in zip(reply.calls, texts, strict=True))
    return replace(request, messages=(*request.messages, reply, Message("user", (Text("and?"), *results))))


def test_a_conversation_with_tools_goes_on_and_results_come_right_behind_their_calls(ask: Request) -> None:
    with FakeProvider(Replies([LOOK, "mended"])) as provider:
        chat = model(provider)
        first = chat.complete(ask)
        last = chat.complete(after(ask, first.message, "x = 1", "no"))
        sent = provider.requests[1].body["messages"]
    assert [message["role"] for message in sent] == ["system", "user", "assistant", "tool", "tool", "user"]
    assert [message["content"] for message in sent[3:]] == ["x = 1", "error: no", "and?"]
    assert [dict(call.arguments) for call in first.message.calls] == [{"path": "a.py"}, {"path": "b.py"}]
    assert not any(isinstance(part, Thought) for part in first.message.parts)  # what it thought is its own
    assert (first.stop, last.message.text, last.stop, last.model) == ("calls", "mended", "end", "local-model")


def test_another_models_thoughts_are_not_sent(ask: Request) -> None:
    thought = Message("assistant", (Thought({"type": "thinking", "thinking": "hm", "signature": "s"}),))
    with FakeProvider(says("hm")) as provider:
        model(provider).complete(replace(ask, messages=(*ask.messages, thought, *ask.messages)))
        assert [message["role"] for message in provider.requests[0].body["messages"]] == ["system", "user", "user"]


def test_usage_tells_the_cache_from_the_rest(ask: Request) -> None:
    with FakeProvider(says("hm")) as provider:
        usages = [model(provider).complete(replace(ask, system="rules " * 2_000)).usage for _ in range(2)]
        assert usages == [seen.usage for seen in provider.requests]
    assert usages[1].cache_read > 1_000


def test_a_server_that_does_not_count_is_not_free_of_tokens(ask: Request, saying: Callable[..., str]) -> None:
    reply = OpenAIModel("m", base_url=saying(200, answer({"content": "word " * 100}))).complete(ask)
    assert reply.usage.output > 100
    assert reply.usage.input > len("why?") // 3


def test_a_picture_arrives(ask: Request) -> None:
    picture = Image(b"\x89PNG\r\n\x1a\n", "image/png")
    with FakeProvider(says("a cat")) as provider:
        model(provider).complete(replace(ask, messages=(Message("user", (Text("what is this?"), picture)),)))
        turn = provider.requests[0].turn
    assert turn is not None
    assert turn.messages[0].parts == (Text("what is this?"), picture)


def test_effort_and_strict_tools_reach_the_server(ask: Request) -> None:
    with FakeProvider(says("hm")) as provider:
        model(provider, effort="low").complete(ask)
        body = provider.requests[0].body
    assert body["reasoning_effort"] == "low"
    assert body["tools"][0]["function"]["strict"] is True
    assert body["max_tokens"] == ask.max_tokens


def test_a_reply_fits_the_schema_where_the_server_can(ask: Request) -> None:
    with FakeProvider(says("a.py")) as provider:
        reply = model(provider).complete(replace(ask, schema=ask.tools[0].schema))
        assert provider.requests[0].body["response_format"]["json_schema"]["strict"] is True
    assert reply.message.text == '{"path": "a.py"}'


def test_a_server_without_schemas_is_asked_in_words_and_not_asked_twice(ask: Request, saying: Callable[..., str]) -> None:
    bodies: list[dict[str, Any]] = []

    def older(body: dict[str, Any]) -> tuple[int, Any]:
        bodies.append(body)
        fenced = answer({"content": '```json\n{"path": "a.py"}\n```'})
        return (400, {"error": {"message": "unknown field"}}) if "response_format" in body else (200, fenced)

    chat = OpenAIModel("m", base_url=saying(0, older))
    for _ in range(2):
        assert chat.complete(replace(ask, schema=ask.tools[0].schema)).message.text == '{"path": "a.py"}'
    assert [body.get("response_format", {}).get("type") for body in bodies] == ["json_schema", "json_object", None, None]
    assert "Answer with one JSON object" in bodies[3]["messages"][0]["content"]


def test_what_every_format_is_rejected_for_is_told(ask: Request, saying: Callable[..., str]) -> None:
    chat = OpenAIModel("m", base_url=saying(400, {"error": {"message": "effort: no such level"}}))
    with pytest.raises(UsageError, match="400: effort: no such level"):
        chat.complete(replace(ask, schema=ask.tools[0].schema))


@pytest.mark.parametrize(
    ("arguments", "why"), [('{"path": "a', "not JSON"), ("[1]", "not a JSON object"), ("", ""), ('{"path": "a"} or so', "not JSON")]
)
def test_garbled_arguments_are_told_and_the_conversation_goes_on(ask: Request, arguments: str, why: str) -> None:
    with FakeProvider(Replies([Answer(calls=[("view", arguments)]), "sorry"])) as provider:
        chat = model(provider)
        garbled = chat.complete(ask)
        (call,) = garbled.message.calls
        assert why in call.malformed
        assert bool(why) == bool(call.malformed)
        assert chat.complete(after(ask, garbled.message, "so")).message.text == "sorry"


@pytest.mark.parametrize("stop", ["end", "length", "refusal"])
def test_why_a_reply_ended_is_told(ask: Request, stop: Any) -> None:
    with FakeProvider(lambda _: Answer("hm", stop=stop)) as provider:
        assert model(provider).complete(ask).stop == stop


def test_a_call_is_a_call_whatever_the_server_calls_its_end(ask: Request, saying: Callable[..., str]) -> None:
    call = {"type": "function", "function": {"name": "view", "arguments": '{"path": "a.py"}'}}
    reply = OpenAIModel("m", base_url=saying(200, answer({"content": None, "tool_calls": [call, call]}))).complete(ask)
    assert reply.stop == "calls"
    assert [call.id for call in reply.message.calls] == ["call_0", "call_1"]


def test_a_refusal_is_told_in_its_words(ask: Request, saying: Callable[..., str]) -> None:
    reply = OpenAIModel("m", base_url=saying(200, answer({"content": None, "refusal": "I would rather not"}))).complete(ask)
    assert (reply.stop, reply.note, reply.message.parts) == ("refusal", "I would rather not", ())


def test_a_prompt_that_is_too_long_is_an_overflow(ask: Request) -> None:
    with FakeProvider(says("hm"), models={**CARDS, "local-model": Card("local-model", window=1_000)}) as provider:
        reply = model(provider).complete(replace(ask, system="x" * 10_000))
    assert (reply.stop, reply.message.parts) == ("overflow", ())
    assert "context" in reply.note


@pytest.mark.parametrize(
    "words",
    [
        "the request exceeds the available context size, try increasing it",
        "This model's maximum context length is 4096 tokens.",
        "prompt is too long: 9 tokens > 8 maximum",
    ],
)
def test_every_servers_word_for_overflow_is_understood(ask: Request, saying: Callable[..., str], words: str) -> None:
    assert OpenAIModel("m", base_url=saying(400, {"error": {"message": words}})).complete(ask).stop == "overflow"


@pytest.mark.parametrize(
    ("fault", "wait", "busy", "billed"),
    [
        (RateLimited(2.5), 2.5, True, False),
        (Overloaded(), None, True, False),
        (ServerError(), None, False, False),
        (Dropped(), None, False, True),
        (CutStream(), None, False, True),
        (TruncatedJson(), None, False, True),
    ],
)
def test_trouble_that_passes_says_how(ask: Request, fault: Fault, wait: float | None, busy: bool, billed: bool) -> None:
    with FakeProvider(says("hm"), faults=[fault]) as provider:
        with pytest.raises(TryLater) as raised:
            model(provider).complete(ask)
        assert (raised.value.after, raised.value.busy, raised.value.billed) == (wait, busy, billed)
        assert len(provider.requests) == 1
        assert model(provider).complete(ask).message.text == "hm"


def test_a_used_up_quota_is_not_waited_for(ask: Request, saying: Callable[..., str]) -> None:
    error = {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}
    with pytest.raises(ModelUnavailable, match="see to its billing") as raised:
        OpenAIModel("m", base_url=saying(429, error)).complete(ask)
    assert not isinstance(raised.value, TryLater)


def test_an_unknown_model_is_named_and_a_wrong_address_is_hinted_at(ask: Request) -> None:
    with FakeProvider(says("hm")) as provider:
        with pytest.raises(UsageError, match="has no model qwen"):
            model(provider, "qwen").complete(ask)
        with pytest.raises(UsageError, match="want a base URL that ends with /v1"):
            OpenAIModel("local-model", base_url=provider.url).complete(ask)


def test_a_wrong_key_says_what_to_set_and_does_not_show_it(ask: Request) -> None:
    with FakeProvider(says("hm"), key="another") as provider, pytest.raises(ModelUnavailable, match="set OPENAI_API_KEY") as raised:
        model(provider, api_key=KEY).complete(ask)
    assert KEY not in str(raised.value)


def test_no_key_is_told_before_any_network_but_a_local_server_needs_none(ask: Request) -> None:
    with pytest.raises(ModelUnavailable, match=r"^there is no key for OpenAI: set OPENAI_API_KEY"):
        OpenAIModel("gpt")
    with FakeProvider(says("hm")) as provider:
        model(provider).complete(ask)
        assert provider.requests[0].key == "none"


def test_a_server_of_another_kind_is_told(ask: Request, saying: Callable[..., str]) -> None:
    with pytest.raises(UsageError, match="does not speak /chat/completions"):
        OpenAIModel("m", base_url=saying(200, {"ok": True})).complete(ask)
