"""Targets that read what was kept: conversations, values, journals. What was kept comes back as it was."""

from __future__ import annotations

import json
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

from hypothesis import strategies as st

from benchmarks.fuzz.code import ground
from benchmarks.fuzz.targets import ANY_TEXT, JSON, target
from sandbox.base import Environment
from swesearch import base
from swesearch.base import Event, JournalError
from swesearch.codec import decode, encode
from swesearch.dialogue import Image, Message, Reply, Request, Stop, Text, Thought, ToolCall, ToolResult, Usage
from swesearch.journal import Journal, mend
from swesearch.models.wire import canonical, read_reply, read_request, reply_json, request_json

PART = st.one_of(
    st.builds(Text, ANY_TEXT),
    st.builds(Image, st.binary(max_size=8), st.just("image/png")),
    st.builds(Thought, st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2)),
    st.builds(
        ToolCall, st.text(max_size=4), st.text(max_size=4), st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=2), ANY_TEXT
    ),
    st.builds(ToolResult, st.text(max_size=4), ANY_TEXT, st.booleans()),
)
MESSAGES = st.lists(st.builds(Message, st.sampled_from(["user", "assistant"]), st.lists(PART, max_size=3).map(tuple)), max_size=3).map(
    tuple
)
REQUESTS = st.builds(
    Request,
    st.just("planner"),
    ANY_TEXT,
    MESSAGES,
    st.just(()),
    st.none() | st.just({"type": "object"}),
    st.integers(1, 9),
    st.just((0,)),
    st.integers(0, 2),
)
REPLIES = st.builds(
    Reply,
    st.builds(Message, st.just("assistant"), st.lists(PART, max_size=3).map(tuple)),
    st.sampled_from(get_args(Stop)),
    st.builds(Usage, *[st.integers(0, 9)] * 4),
    st.text(max_size=3),
    st.floats(0, 9),
    ANY_TEXT,
)


@target(st.tuples(REQUESTS, REQUESTS, REPLIES))
def conversations(value: tuple[Request, Request, Reply]) -> None:
    """Requests and replies come back from JSON as they were, and two requests have one name only where they are equal."""
    one, other, reply = value
    assert read_request(json.loads(json.dumps(request_json(one)))) == one
    assert read_reply(json.loads(json.dumps(reply_json(reply)))) == reply
    assert (canonical(one) == canonical(other)) == (one == other)


def _few(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(values, max_size=2).map(tuple)


SHARES, BYTES = st.floats(0, 1), st.binary(max_size=9)
FACTS = st.dictionaries(st.text(min_size=1, max_size=3).filter(lambda key: key != "$"), st.integers(), max_size=2)
MEASURED = st.builds(
    base.Measurement, st.text(max_size=3), SHARES, st.booleans(), st.none() | st.booleans(), ANY_TEXT, FACTS, st.booleans()
)
EDITED = st.one_of(
    st.builds(base.Replace, ANY_TEXT, BYTES, BYTES, st.none() | st.integers()),
    st.builds(base.Create, ANY_TEXT, BYTES, st.booleans()),
    st.builds(base.Rename, ANY_TEXT, ANY_TEXT),
)
ACTIONS = st.builds(base.Action, _few(EDITED), ANY_TEXT, SHARES)
EVALUATED = st.builds(base.Evaluation, SHARES, st.booleans(), _few(MEASURED), ANY_TEXT, st.floats(0, 9))
FOLDERS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=5).map(Path)
VALUES = st.one_of(
    st.builds(base.Attempt, st.none() | ACTIONS, st.builds(base.State, st.text(max_size=4)), EVALUATED),
    st.builds(base.Task, FOLDERS, _few(st.builds(base.Check, _few(ANY_TEXT))), ANY_TEXT, _few(BYTES)),
    st.builds(Environment, st.none() | ANY_TEXT),
)


@target(st.tuples(VALUES, JSON))
def codec(value: tuple[Any, Any]) -> None:
    """What is kept comes back as it was; what was never kept is refused by a KeyError or a TypeError."""
    ours, foreign = value
    assert decode(json.loads(json.dumps(encode(ours)))) == ours
    try:
        decode(foreign)
    except (KeyError, TypeError):
        return


def _journal() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "journal.sqlite"
        with closing(Journal.create(path, Event("begun", {"n": 0}))) as journal:
            for number in range(1, 40):
                journal.append(Event("node", {"n": number, "text": "x" * (number * 37 % 700)}))
        return path.read_bytes()


WHOLE = _journal()
SPOTS = st.lists(st.tuples(st.integers(0, len(WHOLE)), st.binary(min_size=1, max_size=60)), max_size=4)


def _spoiled(spots: list[tuple[int, bytes]], cut: int | None) -> bytes:
    data = bytearray(WHOLE)
    for at, noise in spots:
        data[at : at + len(noise)] = noise
    return bytes(data[:cut])


@target(st.builds(_spoiled, SPOTS, st.none() | st.integers(0, len(WHOLE))) | st.binary(max_size=200))
def journals(value: bytes) -> None:
    """A journal with anything in it is read, or said to be damaged; mended, it is whole, and what is kept was written."""
    path = ground().folder / "journal.sqlite"
    for old in path.parent.glob("journal.sqlite*"):
        old.unlink()
    path.write_bytes(value)
    try:
        kept = mend(path)
        with closing(Journal.read(path)) as journal:
            numbers = [number for number, _ in journal.events()]
    except JournalError:
        return
    assert numbers == list(range(1, len(numbers) + 1))
    assert kept is None or kept == len(numbers)
