from __future__ import annotations

import base64
import json
import threading
from typing import Any

import anthropic
import pytest

from swesearch.dialogue import Image, Text, ToolCall, ToolResult, Usage
from swesearch.testing import Answer, FakeProvider, Replies, Turn, as_json, example, says

MODEL = "claude-opus-5-5"
QUESTION = [{"role": "user", "content": "Why does it fail?"}]
VIEW = {"name": "view", "description": "Show a file.", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}}
CALLING = Answer("I look.", calls=[("view", {"path": "ä" * 40}), ("view", {})], thinking="What do I know? " * 5)


def ask(claude: anthropic.Anthropic, provider: FakeProvider, **more: Any) -> anthropic.types.Message:
    return claude.with_options(base_url=provider.url).messages.create(**{"model": MODEL, "max_tokens": 100, "messages": QUESTION} | more)


def ask_streaming(claude: anthropic.Anthropic, provider: FakeProvider, **more: Any) -> anthropic.types.Message:
    asked = {"model": MODEL, "max_tokens": 100, "messages": QUESTION} | more
    with claude.with_options(base_url=provider.url).messages.stream(**asked) as stream:
        return stream.get_final_message()


def test_an_answer_arrives_as_thinking_text_and_calls(claude: anthropic.Anthropic) -> None:
    with FakeProvider(lambda _: CALLING) as provider:
        message = ask(claude, provider)
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert message.content[2].input == {"path": "ä" * 40}
    assert message.stop_reason == "tool_use"
    assert message.usage.output_tokens_details.thinking_tokens == 20


def test_a_stream_adds_up_to_what_one_piece_says(claude: anthropic.Anthropic) -> None:
    with FakeProvider(lambda _: CALLING) as provider:
        whole, streamed = ask(claude, provider).to_dict(), ask_streaming(claude, provider).to_dict()
    for message in (whole, streamed):
        del message["id"]
        for block in message["content"]:
            block.pop("id", None)
            block.pop("parsed_output", None)
    assert whole == streamed


def test_a_stream_comes_in_the_order_of_the_real_one(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("a")) as provider:
        events = claude.with_options(base_url=provider.url).messages.create(model=MODEL, max_tokens=9, messages=QUESTION, stream=True)
        kinds = [event.type for event in events]
    assert kinds == ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"]


def test_garbled_arguments_reach_a_streaming_client_as_they_are(claude: anthropic.Anthropic) -> None:
    garbled = Answer(calls=[("view", '{"path": "a.py", "li')], stop="length")
    with FakeProvider(lambda _: garbled) as provider:
        streamed, whole = ask_streaming(claude, provider), ask(claude, provider)
    assert (streamed.content[0].input, streamed.stop_reason) == ({"path": "a.py"}, "max_tokens")
    assert whole.content[0].input == {}


@pytest.mark.parametrize(
    ("stop", "reason"),
    [(None, "end_turn"), ("length", "max_tokens"), ("refusal", "refusal"), ("overflow", "model_context_window_exceeded")],
)
def test_a_brain_can_choose_how_it_ends(claude: anthropic.Anthropic, stop: Any, reason: str) -> None:
    with FakeProvider(lambda _: Answer("so", stop=stop)) as provider:
        message = ask(claude, provider)
    assert message.stop_reason == reason
    assert (message.stop_details is not None) == (reason == "refusal")


def test_a_brain_sees_the_request_in_neutral_words(claude: anthropic.Anthropic) -> None:
    picture = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(b"png").decode()}
    called = {"type": "tool_use", "id": "t1", "name": "view", "input": {"path": "a.py"}}
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "x = 1", "is_error": True}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Look"}, {"type": "image", "source": picture}]},
        {"role": "assistant", "content": [called]},
        {"role": "user", "content": [result]},
        {"role": "user", "content": "Go on"},
    ]
    turns: list[Turn] = []

    def brain(turn: Turn) -> Answer:
        turns.append(turn)
        return Answer("ok")

    with FakeProvider(brain) as provider:
        ask(claude, provider, messages=messages, system="Be brief", tools=[VIEW], output_config={"effort": "low"})
    (turn,) = turns
    assert (turn.dialect, turn.system, turn.tools, turn.effort, turn.max_tokens) == ("anthropic", "Be brief", ("view",), "low", 100)
    assert [message.role for message in turn.messages] == ["user", "assistant", "user"]
    assert turn.messages[0].parts == (Text("Look"), Image(b"png", "image/png"))
    assert turn.messages[1].parts == (ToolCall("t1", "view", {"path": "a.py"}),)
    assert turn.messages[2].parts == (ToolResult("t1", "x = 1", error=True), Text("Go on"))


def test_a_schema_reaches_the_brain_and_its_json_comes_back(claude: anthropic.Anthropic) -> None:
    schema = {"type": "object", "properties": {"score": {"type": "integer"}}, "required": ["score"], "additionalProperties": False}
    with FakeProvider(lambda turn: as_json(example(turn.schema or {}))) as provider:
        message = ask(claude, provider, output_config={"format": {"type": "json_schema", "schema": schema}})
    assert json.loads(message.content[0].text) == {"score": 0}


def test_tokens_can_be_counted_ahead_and_agree_with_the_bill(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("a")) as provider:
        counted = claude.with_options(base_url=provider.url).messages.count_tokens(model=MODEL, messages=QUESTION, tools=[VIEW])
        message = ask(claude, provider, tools=[VIEW])
        assert counted.input_tokens == message.usage.input_tokens > 0
        assert provider.requests[0].turn is None


def test_no_tokens_only_warm_the_cache(claude: anthropic.Anthropic) -> None:
    with FakeProvider(Replies([])) as provider:
        message = ask(claude, provider, max_tokens=0)
    assert (message.content, message.usage.output_tokens, message.stop_reason) == ([], 0, "max_tokens")


def test_a_model_tells_what_it_can_do(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("a")) as provider:
        info = claude.with_options(base_url=provider.url).models.retrieve(MODEL)
    assert (info.max_input_tokens, info.max_tokens, info.line) == (1_000_000, 128_000, "opus")
    assert not info.capabilities.thinking.types.disabled.supported
    assert info.capabilities.effort.xhigh.supported


def test_the_log_tells_which_key_came_and_what_it_cost(claude: anthropic.Anthropic) -> None:
    with FakeProvider(lambda _: Answer("a", output_tokens=7)) as provider:
        message = ask(claude, provider)
        ask(claude.with_options(api_key="sk-two"), provider)
        first, second = provider.requests
        assert (first.key, second.key) == ("sk-one", "sk-two")
        assert (first.path, first.status, first.body["model"]) == ("/v1/messages", 200, MODEL)
        assert first.headers["anthropic-version"] == "2026-10-21"
        assert first.usage == Usage(input=message.usage.input_tokens, output=7)
        assert provider.usage == Usage(input=2 * first.usage.input, output=14)


def test_a_response_carries_its_id_and_the_rate_limits(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("a")) as provider:
        raw = claude.with_options(base_url=provider.url).messages.with_raw_response.create(model=MODEL, max_tokens=9, messages=QUESTION)
    assert raw.headers["request-id"] == "req_000000000000000000000001"
    assert raw.headers["anthropic-ratelimit-input-tokens-remaining"] == "360000"


def test_what_a_brain_raises_is_told_to_the_client_and_at_the_end(claude: anthropic.Anthropic) -> None:
    def until_it_fails() -> None:
        with FakeProvider(Replies(["one"])) as provider:
            ask(claude, provider)
            with pytest.raises(anthropic.InternalServerError, match="the brain failed"):
                ask(claude.with_options(max_retries=5), provider)

    with pytest.raises(AssertionError, match="no reply is left for request 2"):
        until_it_fails()


def test_many_threads_are_served_at_once(claude: anthropic.Anthropic) -> None:
    meeting = threading.Barrier(8, timeout=5)

    def brain(turn: Turn) -> Answer:
        meeting.wait()
        return Answer(str(turn.number))

    with FakeProvider(brain) as provider:
        threads = [threading.Thread(target=ask, args=(claude, provider)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen.turn.number for seen in provider.requests if seen.turn) == list(range(1, 9))
