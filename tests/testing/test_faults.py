from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from swesearch.testing import (
    CutStream,
    Dropped,
    ErrorInStream,
    FakeProvider,
    Fault,
    Overloaded,
    RateLimited,
    ServerError,
    SlowStream,
    TruncatedJson,
    says,
)

QUESTION: Any = {"max_tokens": 100, "messages": [{"role": "user", "content": "Why?"}]}
CLAUDE: Any = {"model": "claude-opus-5-5"} | QUESTION
LOCAL: Any = {"model": "local-model"} | QUESTION


def ask(claude: anthropic.Anthropic, provider: FakeProvider, **options: Any) -> str:
    return claude.with_options(base_url=provider.url, **options).messages.create(**CLAUDE).content[0].text


def stream(claude: anthropic.Anthropic, provider: FakeProvider) -> Iterator[str]:
    with claude.with_options(base_url=provider.url).messages.stream(**CLAUDE) as events:
        yield from events.text_stream


def ask_chat(chat: openai.OpenAI, provider: FakeProvider) -> Any:
    return chat.with_options(base_url=provider.url + "/v1").chat.completions.create(**LOCAL)


@pytest.mark.parametrize(
    ("fault", "error", "kind"),
    [
        (RateLimited(3), anthropic.RateLimitError, "rate_limit_error"),
        (Overloaded(), anthropic.InternalServerError, "overloaded_error"),
        (ServerError(), anthropic.InternalServerError, "api_error"),
    ],
)
def test_a_refusal_has_the_status_and_the_body_of_the_real_one(
    claude: anthropic.Anthropic, fault: Fault, error: type[anthropic.APIStatusError], kind: str
) -> None:
    with FakeProvider(says("ok"), faults=[fault]) as provider:
        with pytest.raises(error) as caught:
            ask(claude, provider)
        assert provider.requests[0].fault == fault
        assert provider.requests[0].turn is None
        assert ask(claude, provider) == "ok"
    assert caught.value.body["error"]["type"] == kind
    assert caught.value.body["request_id"] == caught.value.request_id


def test_a_rate_limit_says_how_long_to_wait(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("ok"), faults=[RateLimited(3)]) as provider, pytest.raises(anthropic.RateLimitError) as caught:
        ask(claude, provider)
    headers = caught.value.response.headers
    assert headers["retry-after"] == "3"
    assert headers["anthropic-ratelimit-requests-remaining"] == "0"
    assert headers["anthropic-ratelimit-requests-limit"] == "50"


@pytest.mark.parametrize("fault", [RateLimited(0.01), Overloaded(), ServerError(), Dropped(), CutStream()])
def test_the_client_gets_over_one_fault_by_itself(claude: anthropic.Anthropic, fault: Fault) -> None:
    with FakeProvider(says("ok"), faults=[fault]) as provider:
        assert ask(claude, provider, max_retries=2) == "ok"
        assert [seen.fault for seen in provider.requests] == [fault, None]


@pytest.mark.parametrize("fault", [Dropped(), CutStream()])
def test_a_lost_connection_is_a_connection_error(claude: anthropic.Anthropic, chat: openai.OpenAI, fault: Fault) -> None:
    with FakeProvider(says("ok"), faults=[fault, fault]) as provider:
        with pytest.raises(anthropic.APIConnectionError):
            ask(claude, provider)
        with pytest.raises(openai.APIConnectionError):
            ask_chat(chat, provider)


def test_a_stream_can_end_in_the_middle(claude: anthropic.Anthropic) -> None:
    heard: list[str] = []
    with FakeProvider(says("word " * 50), faults=[CutStream(events=6)]) as provider:
        pieces = stream(claude, provider)
        heard += take(pieces, 3)
        with pytest.raises(httpx2.RemoteProtocolError):  # which the SDK does not wrap
            next(pieces)
    assert "".join(heard) == ("word " * 50)[:72]


def test_a_stream_can_tell_of_an_overload(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("word " * 50), faults=[ErrorInStream(events=5)]) as provider:
        pieces = stream(claude, provider)
        assert next(pieces) == "word word word word word"
        with pytest.raises(anthropic.APIStatusError) as caught:
            take(pieces, 99)
    assert caught.value.body["error"]["type"] == "overloaded_error"


def test_a_stream_can_be_slow(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("word " * 10), faults=[SlowStream(0.02)]) as provider:
        started = time.monotonic()
        assert "".join(stream(claude, provider)) == "word " * 10
        assert time.monotonic() - started > 10 * 0.02  # seven events around three pieces of text, the end being one


def test_a_slow_reply_runs_into_the_patience_of_the_client(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("ok"), faults=[SlowStream(60.0)]) as provider, pytest.raises(anthropic.APITimeoutError):
        ask(claude, provider, timeout=0.1)


def test_json_can_end_too_early(claude: anthropic.Anthropic, chat: openai.OpenAI) -> None:
    with FakeProvider(says("ok"), faults=[TruncatedJson()] * 3) as provider:
        with pytest.raises(json.JSONDecodeError):
            ask(claude, provider)
        with pytest.raises(json.JSONDecodeError):
            take(stream(claude, provider), 99)
        with pytest.raises(json.JSONDecodeError):
            ask_chat(chat, provider)


def test_faults_can_be_found_by_the_number_of_the_call(claude: anthropic.Anthropic) -> None:
    with FakeProvider(says("ok"), faults=lambda number: None if number % 3 else ServerError()) as provider:
        claude.with_options(base_url=provider.url).models.retrieve("claude-opus-5-5")
        for number in range(1, 7):
            if number % 3:
                assert ask(claude, provider) == "ok"
            else:
                with pytest.raises(anthropic.InternalServerError):
                    ask(claude, provider)


def test_chat_servers_put_their_troubles_differently(chat: openai.OpenAI) -> None:
    with FakeProvider(says("ok"), faults=[RateLimited(2), Overloaded(), ServerError()]) as provider:
        with pytest.raises(openai.RateLimitError) as limited:
            ask_chat(chat, provider)
        with pytest.raises(openai.InternalServerError) as overloaded:
            ask_chat(chat, provider)
        with pytest.raises(openai.InternalServerError) as broken:
            ask_chat(chat, provider)
    assert (limited.value.code, limited.value.response.headers["retry-after"]) == ("rate_limit_exceeded", "2")
    assert (overloaded.value.status_code, broken.value.status_code) == (503, 500)


def test_a_chat_stream_can_end_in_the_middle_or_with_an_error(chat: openai.OpenAI) -> None:
    with FakeProvider(says("word " * 50), faults=[CutStream(4), ErrorInStream(4)]) as provider:
        remote = chat.with_options(base_url=provider.url + "/v1")
        with pytest.raises(openai.APIConnectionError):
            take(remote.chat.completions.create(**LOCAL, stream=True), 99)
        with pytest.raises(openai.APIError, match="overloaded"):
            take(remote.chat.completions.create(**LOCAL, stream=True), 99)


def take(pieces: Iterable[Any], most: int) -> list[Any]:
    return [piece for _, piece in zip(range(most), pieces, strict=False)]
