from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from swesearch.testing import FakeProvider, says

MODEL = "claude-sonnet-5-5"
LONG = "x" * 4000  # a thousand tokens
HOUR = {"type": "ephemeral", "ttl": "1h"}
MINUTES = {"type": "ephemeral"}


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(says("ok")) as running:
        yield running


@pytest.fixture
def client(claude: anthropic.Anthropic, provider: FakeProvider) -> anthropic.Anthropic:
    return claude.with_options(base_url=provider.url)


def said(text: str, mark: dict[str, str] | None = None, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": [{"type": "text", "text": text} | ({"cache_control": mark} if mark else {})]}


def ask(client: anthropic.Anthropic, *messages: dict[str, Any], **more: Any) -> anthropic.types.Usage:
    return client.messages.create(**{"model": MODEL, "max_tokens": 9, "messages": list(messages)} | more).usage


def kinds(usage: anthropic.types.Usage) -> tuple[int | None, int | None, int]:
    return usage.cache_read_input_tokens, usage.cache_creation_input_tokens, usage.input_tokens


def test_the_first_request_writes_and_the_second_reads(client: anthropic.Anthropic) -> None:
    first, second = (ask(client, said(LONG, MINUTES)) for _ in range(2))
    (read, written, rest) = kinds(first)
    assert (read, rest) == (0, 0)
    assert written is not None
    assert written > 1000
    assert kinds(second) == (written, 0, 0)


def test_without_a_breakpoint_nothing_is_cached(client: anthropic.Anthropic) -> None:
    assert [kinds(ask(client, said(LONG)))[:2] for _ in range(2)] == [(0, 0)] * 2


def test_a_short_prefix_is_not_cached(client: anthropic.Anthropic) -> None:
    assert [kinds(ask(client, said("x" * 2000, MINUTES)))[:2] for _ in range(2)] == [(0, 0)] * 2


def test_a_growing_conversation_pays_only_for_what_is_new(client: anthropic.Anthropic, provider: FakeProvider) -> None:
    conversation: list[dict[str, Any]] = []
    total = 0
    for turn in range(12):
        usage = ask(client, *conversation, said(f"{turn} {LONG}"), cache_control=MINUTES)
        assert usage.cache_read_input_tokens == total
        assert usage.input_tokens == 0
        total += usage.cache_creation_input_tokens or 0
        conversation += [said(f"{turn} {LONG}"), said("ok", role="assistant")]
    assert provider.cached == pytest.approx(11 / 13, abs=0.01)


def test_siblings_share_the_prefix_of_their_parent(client: anthropic.Anthropic) -> None:
    system = [{"type": "text", "text": LONG, "cache_control": MINUTES}]
    first = ask(client, said("one"), system=system)
    second = ask(client, said("two"), system=system)
    assert first.cache_creation_input_tokens == second.cache_read_input_tokens
    assert second.cache_creation_input_tokens == 0
    assert second.input_tokens == first.input_tokens > 0


def test_moving_the_breakpoint_on_loses_nothing(client: anthropic.Anthropic) -> None:
    written = ask(client, said(LONG, MINUTES)).cache_creation_input_tokens
    after = ask(client, said(LONG), said("so", role="assistant"), said("go on", MINUTES))
    assert after.cache_read_input_tokens == written


@pytest.mark.parametrize(("between", "hit"), [(18, True), (19, True), (20, False)])
def test_the_cache_is_searched_twenty_blocks_back(client: anthropic.Anthropic, between: int, hit: bool) -> None:
    written = ask(client, said(LONG, MINUTES)).cache_creation_input_tokens
    blocks = [{"type": "text", "text": str(number)} for number in range(between)]
    blocks[-1]["cache_control"] = MINUTES  # type: ignore[assignment]
    after = ask(client, said(LONG), {"role": "user", "content": blocks})
    assert after.cache_read_input_tokens == (written if hit else 0)


def test_another_model_another_tool_or_other_words_are_another_prefix(client: anthropic.Anthropic) -> None:
    ask(client, said(LONG, MINUTES))
    tools = [{"name": "view", "input_schema": {"type": "object"}}]
    assert ask(client, said(LONG, MINUTES), model="claude-opus-5-5").cache_read_input_tokens == 0
    assert ask(client, said(LONG, MINUTES), tools=tools).cache_read_input_tokens == 0
    assert ask(client, said("y" + LONG, MINUTES)).cache_read_input_tokens == 0


def test_a_change_of_thinking_loses_the_messages_but_not_the_system(client: anthropic.Anthropic) -> None:
    system = [{"type": "text", "text": LONG, "cache_control": MINUTES}]
    first = ask(client, said(LONG, MINUTES), system=system)
    second = ask(client, said(LONG, MINUTES), system=system, thinking={"type": "adaptive"})
    assert 0 < (second.cache_read_input_tokens or 0) < (first.cache_creation_input_tokens or 0)


@pytest.mark.parametrize(("mark", "seconds"), [(MINUTES, 300), (HOUR, 3600)])
def test_a_prefix_is_kept_for_its_time_and_each_read_renews_it(
    client: anthropic.Anthropic, provider: FakeProvider, mark: dict[str, str], seconds: float
) -> None:
    ask(client, said(LONG, mark))
    for _ in range(3):
        provider.advance(seconds - 1)
        assert ask(client, said(LONG, mark)).cache_read_input_tokens
    provider.advance(seconds)
    assert not ask(client, said(LONG, mark)).cache_read_input_tokens


def test_writes_are_told_apart_by_how_long_they_last(client: anthropic.Anthropic) -> None:
    usage = ask(client, said(LONG + LONG, HOUR), said(LONG, MINUTES))
    assert usage.cache_creation is not None
    hour, minutes = usage.cache_creation.ephemeral_1h_input_tokens, usage.cache_creation.ephemeral_5m_input_tokens
    assert hour + minutes == usage.cache_creation_input_tokens
    assert (hour // 1000, minutes // 1000) == (2, 1)
