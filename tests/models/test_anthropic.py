"""The Claude dialect, spoken by the real SDK over real HTTP."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from swesearch.base import ModelUnavailable, UsageError
from swesearch.dialogue import Image, Message, Request, Text, Thought, ToolCall, ToolResult
from swesearch.models.anthropic import AnthropicModel
from swesearch.models.trouble import TryLater
from swesearch.testing import (
    CARDS,
    Answer,
    Card,
    CutStream,
    Dropped,
    ErrorInStream,
    FakeProvider,
    Fault,
    Overloaded,
    RateLimited,
    Replies,
    ServerError,
    SlowStream,
    TruncatedJson,
    says,
)

KEY = "sk-ant-api03-a-long-secret"
LOOK = Answer(thinking="hm", calls=[("view", {"path": "a.py"}), ("view", {"path": "b.py"})])
WHOLE, STREAMED = 1_000, 30_000  # max_tokens


def model(provider: FakeProvider, name: str = "claude-opus-5-5", **options: Any) -> AnthropicModel:
    return AnthropicModel(name, base_url=provider.url, api_key=KEY, **options)


def after(request: Request, reply: Message, *texts: str) -> Request:
    """The conversation with the reply and what came of its calls."""
    results = tuple(ToolResult(call.id, text) for call, text in zip(reply.calls, texts, strict=True))
    return replace(request, messages=(*request.messages, reply, Message("user", results or (Text("go on"),))))


@pytest.mark.parametrize("most", [WHOLE, STREAMED])
def test_a_conversation_with_tools_and_signed_thoughts_goes_on(ask: Request, most: int) -> None:
    with FakeProvider(Replies([LOOK, "mended"])) as provider:
        claude = model(provider)
        first = claude.complete(replace(ask, max_tokens=most))
        last = claude.complete(after(ask, first.message, "x = 1", "y = 2"))
        sent = provider.requests[1].body["messages"][1]["content"]
    thought, *calls = first.message.parts
    assert isinstance(thought, Thought)
    assert sent[0] == thought.raw  # unchanged and in its place; the provider checks its signature too
    assert [call.arguments for call in calls if isinstance(call, ToolCall)] == [{"path": "a.py"}, {"path": "b.py"}]
    assert (first.stop, first.model, last.message.text, last.stop) == ("calls", "claude-opus-5-5", "mended", "end")


def test_a_large_reply_is_streamed_and_a_small_one_is_not(ask: Request) -> None:
    with FakeProvider(says("hm")) as provider:
        for most in (WHOLE, STREAMED):
            model(provider).complete(replace(ask, max_tokens=most))
        assert [bool(seen.body.get("stream")) for seen in provider.requests] == [False, True]


@pytest.mark.parametrize("most", [WHOLE, STREAMED])
def test_usage_tells_the_cache_from_the_rest(ask: Request, most: int) -> None:
    long = replace(ask, system="rules " * 2_000, max_tokens=most)
    with FakeProvider(says("hm")) as provider:
        usages = [model(provider).complete(long).usage for _ in range(2)]
        assert usages == [seen.usage for seen in provider.requests]
    assert usages[0].cache_write == usages[1].cache_read > 2_000
    assert usages[0].cache_read == 0 < usages[1].output


def test_a_growing_conversation_is_read_from_the_cache(ask: Request) -> None:
    request = replace(ask, system="rules " * 3_000)
    with FakeProvider(lambda turn: Answer(f"step {turn.number} " * 100)) as provider:
        for _ in range(10):
            request = after(request, model(provider).complete(request).message)
        assert provider.cached > 0.85


def marks(body: dict[str, Any]) -> list[str]:
    """Where the cache marks are."""
    found = [f"tool {number}" for number, tool in enumerate(body.get("tools", [])) if "cache_control" in tool]
    found += ["system" for block in body.get("system", []) if "cache_control" in block]
    for number, message in enumerate(body["messages"]):
        found += [f"message {number}.{place}" for place, block in enumerate(message["content"]) if "cache_control" in block]
    return found


def test_marks_are_at_the_system_the_last_shared_messages_and_the_end(ask: Request) -> None:
    request = replace(ask, messages=(Message("user", (Text("a"), Text("b"))), *ask.messages * 4), shared=(0, 1, 2, 99))
    with FakeProvider(says("hm")) as provider:
        model(provider).complete(request)
        model(provider).complete(replace(request, shared=(0,), system=""))
        bodies = [seen.body for seen in provider.requests]
    assert marks(bodies[0]) == ["system", "message 1.0", "message 2.0", "message 4.0"]
    assert marks(bodies[1]) == ["tool 0", "message 0.1", "message 4.0"]


@pytest.mark.parametrize("stop", ["end", "length"])
def test_a_thought_that_nothing_came_of_is_not_sent(ask: Request, stop: Any) -> None:
    with FakeProvider(Replies([Answer(thinking="hm", stop=stop), "so"])) as provider:
        claude = model(provider)
        request = after(ask, claude.complete(ask).message)
        assert claude.complete(replace(request, shared=(1,))).message.text == "so"
        assert marks(provider.requests[1].body) == ["system", "message 1.0"]


def test_schema_effort_and_strict_tools_reach_the_provider_and_nothing_is_forced(ask: Request) -> None:
    with FakeProvider(says("a.py")) as provider:
        reply = model(provider, effort="high").complete(replace(ask, schema=ask.tools[0].schema))
        body = provider.requests[0].body
    assert reply.message.text == '{"path": "a.py"}'
    assert body["output_config"] == {"effort": "high", "format": {"type": "json_schema", "schema": ask.tools[0].schema}}
    assert body["tools"][0]["strict"] is True
    assert not {"tool_choice", "temperature"} & body.keys()


@pytest.mark.parametrize(
    ("name", "thinks"),
    [
        ("claude-fable-5-2", True),
        ("claude-sonnet-4-6", True),
        ("claude-opus-4-8", True),
        ("claude-haiku-4-5", False),
        ("local-model", False),
    ],
)
def test_models_think_as_they_see_fit_where_they_can(ask: Request, name: str, thinks: bool) -> None:
    with FakeProvider(says("hm")) as provider:
        model(provider, name).complete(ask)
        assert provider.requests[0].body.get("thinking") == ({"type": "adaptive"} if thinks else None)


def test_a_picture_arrives(ask: Request) -> None:
    picture = Image(b"\x89PNG\r\n\x1a\n", "image/png")
    with FakeProvider(says("a cat")) as provider:
        model(provider).complete(replace(ask, messages=(Message("user", (Text("what is this?"), picture)),)))
        turn = provider.requests[0].turn
    assert turn is not None
    assert picture in turn.messages[0].parts


def test_results_go_first_and_what_the_api_refuses_is_left_out(ask: Request) -> None:
    call = Message("assistant", (Text(" \n"), ToolCall("c1", "view", {})))
    answer = Message("user", (Text("look"), ToolResult("c1", "", error=True), Text("")))
    with FakeProvider(says("hm")) as provider:
        model(provider).complete(replace(ask, messages=(*ask.messages, call, answer)))
        sent = [[block["type"] for block in message["content"]] for message in provider.requests[0].body["messages"]]
    assert sent == [["text"], ["tool_use"], ["tool_result", "text"]]


def test_half_a_surrogate_pair_does_not_stop_a_request(ask: Request) -> None:
    with FakeProvider(says("hm")) as provider:
        model(provider).complete(replace(ask, messages=(Message("user", (Text("a\udc80b"),)),)))
        assert provider.requests[0].body["messages"][0]["content"][0]["text"] == "a\ufffdb"


@pytest.mark.parametrize("most", [WHOLE, STREAMED])
@pytest.mark.parametrize("stop", ["end", "length", "overflow", "refusal"])
def test_why_a_reply_ended_is_told(ask: Request, stop: Any, most: int) -> None:
    with FakeProvider(lambda _: Answer("hm", stop=stop)) as provider:
        reply = model(provider).complete(replace(ask, max_tokens=most))
    assert reply.stop == stop
    assert reply.note == ("cyber" if stop == "refusal" else "")


def test_a_prompt_that_is_too_long_is_an_overflow(ask: Request) -> None:
    cards = {**CARDS, "claude-opus-5-5": Card("claude-opus-5-5", window=1_000)}
    with FakeProvider(says("hm"), models=cards, largest=20_000) as provider:
        replies = [model(provider).complete(replace(ask, system="x" * size)) for size in (10_000, 30_000)]
    assert [(reply.stop, reply.message.parts) for reply in replies] == [("overflow", ()), ("overflow", ())]
    assert "prompt is too long" in replies[0].note


def test_garbled_arguments_are_told_and_the_conversation_goes_on(ask: Request) -> None:
    with FakeProvider(Replies([Answer(thinking="hm", calls=[("view", '{"path": "a')]), "sorry"])) as provider:
        claude = model(provider)
        garbled = claude.complete(replace(ask, max_tokens=STREAMED))
        (call,) = garbled.message.calls
        assert call.malformed.startswith("the arguments are not JSON")
        assert claude.complete(after(ask, garbled.message, call.malformed)).message.text == "sorry"


@pytest.mark.parametrize("most", [WHOLE, STREAMED])
def test_a_call_that_was_cut_off_is_malformed_even_if_it_can_be_read(ask: Request, most: int) -> None:
    with FakeProvider(lambda _: replace(LOOK, stop="length")) as provider:
        reply = model(provider).complete(replace(ask, max_tokens=most))
    assert [bool(call.malformed) for call in reply.message.calls] == [False, True]


def test_an_answer_of_nothing_is_an_empty_message_and_can_be_asked_about(ask: Request) -> None:
    with FakeProvider(Replies(["", "here"])) as provider:
        empty = model(provider).complete(ask)
        assert (empty.message.parts, empty.stop) == ((), "end")
        assert model(provider).complete(after(ask, empty.message)).message.text == "here"


@pytest.mark.parametrize("most", [WHOLE, STREAMED])
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
def test_trouble_that_passes_says_how(ask: Request, fault: Fault, wait: float | None, busy: bool, billed: bool, most: int) -> None:
    with FakeProvider(says("hm"), faults=[fault]) as provider:
        with pytest.raises(TryLater) as raised:
            model(provider).complete(replace(ask, max_tokens=most))
        assert (raised.value.after, raised.value.busy, raised.value.billed) == (wait, busy, billed)
        assert len(provider.requests) == 1  # the SDK does not try again by itself
        assert model(provider).complete(replace(ask, max_tokens=most)).message.text == "hm"


def test_an_error_inside_a_stream_may_have_been_billed(ask: Request) -> None:
    with FakeProvider(says("hm"), faults=[ErrorInStream()]) as provider, pytest.raises(TryLater, match="529: Overloaded") as raised:
        model(provider).complete(replace(ask, max_tokens=STREAMED))
    assert (raised.value.busy, raised.value.billed) == (True, True)


def test_an_answer_that_takes_too_long_is_given_up_and_may_have_been_billed(ask: Request) -> None:
    with FakeProvider(says("hm"), faults=[SlowStream(1.0)]) as provider, pytest.raises(TryLater) as raised:
        model(provider, timeout=0.1).complete(ask)
    assert raised.value.billed


def test_where_nobody_listens_nothing_was_billed(ask: Request) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unheard.getsockname()[1]}"
        with pytest.raises(TryLater, match=f"the server at {address} does not answer: .*refused") as raised:
            AnthropicModel("local", base_url=address).complete(ask)
    assert not raised.value.billed


def test_an_unknown_model_is_named_with_those_like_it(ask: Request) -> None:
    with FakeProvider(says("hm")) as provider, pytest.raises(UsageError, match=r"no model claude-opus-55 \(did you mean claude-opus-5-5"):
        model(provider, "claude-opus-55").complete(ask)


def test_a_wrong_key_says_what_to_set_and_does_not_show_it(ask: Request) -> None:
    with FakeProvider(says("hm"), key="another") as provider, pytest.raises(ModelUnavailable, match="set ANTHROPIC_API_KEY") as raised:
        model(provider).complete(ask)
    assert KEY not in str(raised.value)
    assert not isinstance(raised.value, TryLater)


def test_no_key_is_told_before_any_network() -> None:
    with pytest.raises(ModelUnavailable, match=r"^there is no key for Claude: set ANTHROPIC_API_KEY$"):
        AnthropicModel("claude-opus-5-5")


@pytest.mark.parametrize("key", ["sk-ant-one\nsk-ant-two", "“sk-ant-quoted”", "two words"])
def test_a_key_that_no_header_could_carry_is_told_and_not_shown(key: str) -> None:
    with pytest.raises(ModelUnavailable, match="ANTHROPIC_API_KEY holds is not a key") as raised:
        AnthropicModel("claude-opus-5-5", api_key=key)
    assert key not in str(raised.value)


def test_a_server_that_repeats_the_key_does_not_make_us_repeat_it(ask: Request, saying: Callable[..., str]) -> None:
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "no such thing for {key} sk-other-secret-key"}}
    with pytest.raises(UsageError, match=r"400: no such thing for Bearer \[secret\] \[secret\]$"):
        AnthropicModel("local", base_url=saying(400, error), api_key="plainsecret").complete(ask)


@pytest.mark.parametrize(
    ("body", "kind"), [("<html>hi</html>", "text/html"), ('{"ok": true}', "application/json"), ("[]", "application/json")]
)
def test_a_server_of_another_kind_is_told(ask: Request, saying: Callable[..., str], body: str, kind: str) -> None:
    claude = AnthropicModel("local", base_url=saying(200, body, content_type=kind))
    with pytest.raises(UsageError, match="does not speak /v1/messages: is the base URL right"):
        claude.complete(ask)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (402, {"type": "billing_error", "message": "pay"}),
        (400, {"type": "invalid_request_error", "message": "Your credit balance is too low"}),
        (429, {"type": "rate_limit_error", "message": "over", "details": {"error_code": "enforced_spend_limit_reached"}}),
    ],
)
def test_no_money_is_not_waited_for(ask: Request, saying: Callable[..., str], status: int, error: dict[str, Any]) -> None:
    with pytest.raises(ModelUnavailable, match="see to its billing") as raised:
        AnthropicModel("local", base_url=saying(status, {"type": "error", "error": error})).complete(ask)
    assert not isinstance(raised.value, TryLater)


def test_a_pause_ends_the_reply(ask: Request, saying: Callable[..., str]) -> None:
    said = {
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "wait"}],
        "stop_reason": "pause_turn",
    }
    usage = {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": None}
    reply = AnthropicModel("local", base_url=saying(200, {**said, "usage": usage})).complete(ask)
    assert (reply.stop, reply.message.text, reply.usage.total) == ("length", "wait", 3)


def test_a_schema_that_cannot_be_strict_is_refused_before_any_call(ask: Request) -> None:
    loose = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "object", "properties": {"type": {}}}}}}
    with pytest.raises(UsageError, match="the schema of the reply must require all properties"):
        AnthropicModel("local", base_url="http://127.0.0.1:9").complete(replace(ask, schema=loose))


def test_tokens_are_counted_without_an_answer(ask: Request) -> None:
    with FakeProvider(says("hm")) as provider:
        counted = model(provider).count(ask)
        usage = model(provider).complete(ask).usage
    assert counted == usage.total - usage.output


def test_headers_of_every_response_are_shown(ask: Request) -> None:
    seen: list[str] = []
    with FakeProvider(says("hm"), faults=[Overloaded()]) as provider:
        claude = model(provider, heed=lambda headers: seen.append(headers["anthropic-ratelimit-requests-remaining"]))
        with pytest.raises(TryLater):
            claude.complete(ask)
        claude.complete(ask)
    assert len(seen) == 2


def test_no_sdk_is_imported_before_a_model_is_made() -> None:
    script = (
        "import sys; from swesearch.models import anthropic, openai, connect, scripted; "
        "print([name for name in sys.modules if name.split('.')[0] in ('anthropic', 'openai', 'httpx2', 'pydantic')])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
