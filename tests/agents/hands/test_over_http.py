"""The executor's conversations, as providers that are as strict as the real ones take them."""

from __future__ import annotations

import pytest

from swesearch.models.anthropic import AnthropicModel
from swesearch.models.openai import OpenAIModel
from swesearch.testing import Answer, FakeProvider, Replies, Turn

LOOK = ("view", {"path": "calc.py", "start": 0, "end": 0})
MEND = ("replace", {"path": "calc.py", "before": "a - b", "after": "a + b"})
WORK = (
    Answer(thinking="a silent start"),
    Answer(thinking="look first", calls=[LOOK, ("symbols", {"name": "add", "page": 1})]),
    Answer("found", thinking="it subtracts", calls=[MEND, ("check", {})]),
    Answer(calls=[("finish", {"summary": "add adds"})]),
)


@pytest.fixture(scope="module", autouse=True)
def _sdks() -> None:
    """Importing them takes longer than any test here."""
    import anthropic
    import openai

    assert anthropic
    assert openai


def models(provider: FakeProvider):
    return (
        AnthropicModel("claude-opus-5-5", base_url=provider.url, api_key="key"),
        OpenAIModel("local-model", base_url=f"{provider.url}/v1", api_key="key"),
    )


@pytest.mark.parametrize("mode", ["full", "report"])
@pytest.mark.parametrize("dialect", [0, 1])
def test_a_bug_is_mended_in_every_dialect(place, mode, dialect):
    with FakeProvider(Replies(WORK)) as provider:
        action = place.carry_out(models(provider)[dialect], mode=mode)
        assert [seen.status for seen in provider.requests] == [200] * 4
    assert "a + b" in place.text(action, "calc.py")


def test_a_summary_begins_a_conversation_that_is_accepted(place):
    left = Replies(WORK)

    def brain(turn: Turn) -> Answer:
        return left(turn) if turn.tools else Answer("add subtracts in calc.py:2")

    with FakeProvider(brain) as provider:
        action = place.carry_out(models(provider)[0], mode="summary", window=2_000)
        assert {seen.status for seen in provider.requests} == {200}
        assert len(provider.requests) > 4
    assert "a + b" in place.text(action, "calc.py")
