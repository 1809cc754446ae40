from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from swesearch.testing import Answer, FakeProvider

MODEL = "claude-opus-5-5"
TOOL = {"name": "view", "input_schema": {"type": "object"}}
HI = {"role": "user", "content": "Why does it fail?"}
Messages = list[dict[str, Any]]


@pytest.fixture
def client(claude: anthropic.Anthropic) -> Iterator[anthropic.Anthropic]:
    def brain(turn: Any) -> Answer:
        return Answer(calls=[("view", {})], thinking=f"thought {turn.number}")

    with FakeProvider(brain) as provider:
        yield claude.with_options(base_url=provider.url)


def ask(client: anthropic.Anthropic, messages: Messages, **more: Any) -> anthropic.types.Message:
    return client.messages.create(**{"model": MODEL, "max_tokens": 99, "messages": messages, "tools": [TOOL], "system": "Be brief"} | more)


def went_on(client: anthropic.Anthropic, messages: Messages, **more: Any) -> Messages:
    """The conversation with one more answer, and the result of the call in it."""
    answer = ask(client, messages, **more)
    results = [{"type": "tool_result", "tool_use_id": block.id, "content": "x"} for block in answer.content if block.type == "tool_use"]
    said = {"role": "assistant", "content": [block.to_dict() for block in answer.content]}
    return [*messages, said, {"role": "user", "content": results}]


@pytest.fixture
def conversation(client: anthropic.Anthropic) -> Messages:
    return went_on(client, went_on(client, [HI]))


def test_a_conversation_that_only_grows_goes_on(client: anthropic.Anthropic, conversation: Messages) -> None:
    assert ask(client, conversation).content[0].thinking == "thought 3"
    assert ask(client, [*conversation, {"role": "user", "content": "Another way, please"}]).content


def test_cache_marks_may_move(client: anthropic.Anthropic, conversation: Messages) -> None:
    system = [{"type": "text", "text": "Be brief", "cache_control": {"type": "ephemeral"}}]
    assert ask(client, [{"role": "user", "content": [{"type": "text", "text": HI["content"]}]}, *conversation[1:]], system=system).content


def test_an_edited_message_unbinds_the_thoughts_after_it(client: anthropic.Anthropic, conversation: Messages) -> None:
    edited = [{"role": "user", "content": "Why does it hang?"}, *conversation[1:]]
    with pytest.raises(anthropic.BadRequestError, match=r"messages.1.content.0: .* The block is bound to a different conversation"):
        ask(client, edited)


@pytest.mark.parametrize("changed", [{"system": "Be long"}, {"tools": [TOOL | {"description": "Show a file."}]}])
def test_another_system_or_tool_unbinds_every_thought(client: anthropic.Anthropic, conversation: Messages, changed: Any) -> None:
    with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
        ask(client, conversation, **changed)


def test_a_thought_left_out_unbinds_the_next_one(client: anthropic.Anthropic, conversation: Messages) -> None:
    shortened = conversation[1] | {"content": conversation[1]["content"][1:]}
    with pytest.raises(anthropic.BadRequestError, match=r"messages.3.content.0: .* bound to a different conversation"):
        ask(client, [HI, shortened, *conversation[2:]])


def test_earlier_turns_cannot_be_dropped(client: anthropic.Anthropic, conversation: Messages) -> None:
    with pytest.raises(anthropic.BadRequestError, match="bound to a different conversation"):
        ask(client, [HI, *conversation[3:]])


def test_a_thought_cannot_be_reworded(client: anthropic.Anthropic, conversation: Messages) -> None:
    conversation[1]["content"][0]["thinking"] = "another thought"
    with pytest.raises(anthropic.BadRequestError, match="`thinking` blocks cannot be modified"):
        ask(client, conversation)


def test_a_thought_without_words_cannot_be_said_again(client: anthropic.Anthropic, conversation: Messages) -> None:
    only = conversation[1] | {"content": conversation[1]["content"][:1]}
    with pytest.raises(anthropic.BadRequestError, match=r"messages.1: The final block in an assistant message cannot be `thinking`"):
        ask(client, [HI, only, HI])


@pytest.mark.parametrize("signature", ["c2lnbmVk", "not base64", ""])
def test_a_made_up_signature_is_refused(client: anthropic.Anthropic, conversation: Messages, signature: str) -> None:
    conversation[1]["content"][0]["signature"] = signature
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature` in `thinking` block"):
        ask(client, conversation)


def test_the_thoughts_of_another_model_are_ignored(client: anthropic.Anthropic, conversation: Messages) -> None:
    assert ask(client, conversation, model="claude-sonnet-5-5").content


def test_an_old_model_does_not_mind_an_edited_past(client: anthropic.Anthropic) -> None:
    old = {"model": "claude-haiku-4-5", "thinking": {"type": "adaptive"}}
    longer = went_on(client, [HI], **old)
    assert longer[1]["content"][0]["type"] == "thinking"
    assert ask(client, [{"role": "user", "content": "Why does it hang?"}, *longer[1:]], **old).content


def test_a_thought_kept_to_itself_is_signed_all_the_same(client: anthropic.Anthropic) -> None:
    omitted = {"thinking": {"type": "adaptive", "display": "omitted"}}
    longer = went_on(client, [HI], **omitted)
    assert longer[1]["content"][0]["thinking"] == ""
    assert ask(client, longer, **omitted).content


def test_a_model_that_was_not_asked_to_think_does_not_show_thoughts(client: anthropic.Anthropic) -> None:
    assert [block.type for block in ask(client, [HI], model="claude-haiku-4-5").content] == ["tool_use"]
    asked = ask(client, [HI], model="claude-haiku-4-5", thinking={"type": "adaptive"})
    assert [block.type for block in asked.content] == ["thinking", "tool_use"]


def test_a_streamed_thought_is_as_good(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model=MODEL, max_tokens=99, messages=[HI]) as stream:  # type: ignore[list-item]
        answer = stream.get_final_message()
    said = {"role": "assistant", "content": [block.to_dict() for block in answer.content]}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": answer.content[1].id, "content": "x"}]}
    assert client.messages.create(model=MODEL, max_tokens=99, messages=[HI, said, result]).content  # type: ignore[list-item]
