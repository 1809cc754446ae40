"""Requests and replies as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from swesearch.dialogue import Image, Message, Reply, Request, Text, Thought, Tool, ToolCall, ToolResult, Usage
from swesearch.models.wire import canonical, read_reply, read_request, reply_json, request_json

JSON = st.dictionaries(
    st.text(max_size=5), st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)
)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=20)  # half surrogate pairs too: bytes of repositories
PARTS = st.one_of(
    st.builds(Text, TEXTS),
    st.builds(Image, st.binary(max_size=20), st.sampled_from(["image/png", "image/gif"])),
    st.builds(Thought, JSON),
    st.builds(ToolCall, TEXTS, TEXTS, JSON, TEXTS),
    st.builds(ToolResult, TEXTS, TEXTS, st.booleans()),
)
MESSAGES = st.builds(Message, st.sampled_from(["user", "assistant"]), st.lists(PARTS, max_size=4).map(tuple))
TOOLS = st.builds(Tool, TEXTS, TEXTS, JSON)
REQUESTS = st.builds(
    Request,
    st.sampled_from(["planner", "judge"]),
    TEXTS,
    st.lists(MESSAGES, max_size=4).map(tuple),
    st.lists(TOOLS, max_size=2).map(tuple),
    st.none() | JSON,
    st.integers(1, 10_000),
    st.lists(st.integers(0, 9), max_size=3).map(tuple),
    st.integers(0, 9),
)
REPLIES = st.builds(
    Reply,
    MESSAGES,
    st.sampled_from(["end", "calls"]),
    st.builds(Usage, *[st.integers(0, 10**7)] * 4),
    TEXTS,
    st.floats(0, 100),
    TEXTS,
)


@settings(max_examples=30)
@given(REQUESTS)
def test_a_request_comes_back_as_it_was(request: Request) -> None:
    assert read_request(json.loads(json.dumps(request_json(request)))) == request


@settings(max_examples=30)
@given(REPLIES)
def test_a_reply_comes_back_as_it_was(reply: Reply) -> None:
    assert read_reply(json.loads(json.dumps(reply_json(reply)))) == reply


@settings(max_examples=30)
@given(REQUESTS, REQUESTS)
def test_requests_have_the_same_text_only_if_they_are_the_same(one: Request, other: Request) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


def test_each_field_of_a_request_is_in_its_text(ask: Request) -> None:
    others = {
        "role": "judge",
        "system": "",
        "messages": (),
        "tools": (),
        "schema": {},
        "max_tokens": 1,
        "shared": (0,),
        "sample": 1,
    }
    assert set(others) == set(Request.__dataclass_fields__)
    assert len({canonical(ask), *(canonical(replace(ask, **{name: value})) for name, value in others.items())}) == 1 + len(others)


def test_the_order_of_keys_does_not_matter(ask: Request) -> None:
    turned = replace(ask, schema={"b": 1, "a": {"d": 2, "c": 3}})
    assert canonical(turned) == canonical(replace(ask, schema={"a": {"c": 3, "d": 2}, "b": 1}))
