"""Targets that read what people, settings files and models say."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, get_args

from hypothesis import strategies as st

from benchmarks.fuzz.code import ground
from benchmarks.fuzz.targets import ANY_TEXT, JSON, target
from swesearch.agents.clean import cleaned, printed, shortened, visible, wrapped
from swesearch.agents.structured import NoAnswer, array, ask, one_of, record, string
from swesearch.base import UsageError
from swesearch.cli.options import parse_budget, parse_checks
from swesearch.code.issue import mentions
from swesearch.dialogue import Message, Reply, Request, Stop, Text
from swesearch.models import anthropic, openai
from swesearch.models.shape import arguments, speaking
from swesearch.models.wire import read_reply, reply_json
from swesearch.settings import KEYS, PRESETS, Settings, load

HIDING = st.sampled_from(
    ["<!--", "-->", "`", "```", "~~~", "\n", "\x1b[31m", "\x1b]0;x\x07", "\x9b1m", "\u202e", "\ufe0f", "\r\n", "a", "\ud800"]
)
HIDDEN = st.lists(HIDING | ANY_TEXT, max_size=12).map("".join)


@target(HIDDEN)
def cleaners(value: str) -> None:
    """What is clean stays as it is, and nothing that is cleaned can close the marks around it."""
    once = cleaned(value).text
    assert cleaned(once).text == once, f"cleaning twice differs: {once!r}"
    assert visible(visible(value)) == visible(value)
    visible(value).encode()
    printed(value.encode("utf-8", "surrogatepass")).encode()
    marks = wrapped("issue", value)
    assert marks.count(marks.splitlines()[-1]) == 1
    assert len(shortened(value, 20)) <= max(20, 80)


@target(
    HIDDEN
    | st.lists(st.sampled_from(['File "a.py", line 3', "`f(x)`", "a/b.py", "\\x.py", 'File "', ", line 99999999999"]) | ANY_TEXT).map(
        " ".join
    )
)
def issues(value: str) -> None:
    """Whatever an issue says, it only changes weights."""
    found = mentions(value)
    assert found.weight("a/b.py", "f", 3) >= 1


@target(st.lists(ANY_TEXT | st.sampled_from(["200", "10m", "$1", "5k-tokens", "1e9s", "$.5", "99999999999999999999h", "٣"]), max_size=3))
def budgets_and_checks(value: list[str]) -> None:
    """What was typed is read, or named as wrong in one line."""
    for parse in (parse_budget, parse_checks):
        try:
            parse(value)
        except UsageError:
            continue


def _toml(values: Mapping[str, Any]) -> str:
    """JSON of scalars and lists is TOML; None is not."""
    return "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items() if value is not None)


SCALARS = (
    st.booleans()
    | st.integers()
    | st.text(st.characters(codec="utf-8"), max_size=8)
    | st.lists(st.text(st.characters(codec="ascii"), max_size=4), max_size=2)
)
KEYED = st.dictionaries(
    st.sampled_from([*KEYS, "search", "nothing.here", "search.stratgy"]),
    SCALARS | st.sampled_from(["mcts", "inf", "nan", "1e999", "-1"]),
    max_size=4,
)


@target(st.tuples(KEYED.map(_toml) | ANY_TEXT, KEYED, st.sampled_from([*PRESETS, "nothing"]), st.lists(ANY_TEXT, max_size=2)))
def settings(value: tuple[str, dict[str, Any], str, list[str]]) -> None:
    """Settings from any file, environment and command line are read, or named as wrong; what was read can be kept and read back."""
    text, flags, preset, given = value
    file = ground().folder / "config.toml"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    environ = {f"SWESEARCH_{key.replace('.', '_').upper()}": str(flag) for key, flag in flags.items()}
    typed = [f"{key}={flag}" for key, flag in flags.items()]
    none: Mapping[str, Any] = {}
    ways: tuple[tuple[Mapping[str, str], list[str], Mapping[str, Any]], ...] = (
        ({"SWESEARCH_CONFIG": str(file)}, [], none),
        ({}, typed, none),
        (environ, [], none),
        ({}, given, flags),
    )
    for variables, options, named in ways:
        try:
            read_in = load(None, {"SWESEARCH_CONFIG": "/dev/null", **variables}, preset, options, named)
        except UsageError:
            continue
        assert Settings.from_dict(json.loads(json.dumps(read_in.to_dict()))) == read_in


BLOCK = st.dictionaries(
    st.sampled_from(["type", "text", "id", "name", "input", "thinking"]), st.sampled_from(["text", "tool_use", "thinking"]) | JSON
)
BLOCKS = st.lists(BLOCK, max_size=3)
CHOICE = st.fixed_dictionaries({"message": JSON, "finish_reason": st.none() | st.just("stop")})
PLAUSIBLE_BODY = st.fixed_dictionaries(
    {
        "content": BLOCKS,
        "stop_reason": st.none() | st.sampled_from(["end_turn", "max_tokens", "refusal"]),
        "model": st.text(max_size=3),
        "usage": st.fixed_dictionaries({"input_tokens": st.integers(0, 9), "output_tokens": st.integers(0, 9)}),
        "choices": st.lists(CHOICE, max_size=1),
    }
)
BODY_KEYS = st.sampled_from(["content", "stop_reason", "usage", "model", "stop_details", "choices", "id"])
BODIES = PLAUSIBLE_BODY | st.dictionaries(BODY_KEYS, BLOCKS | JSON)


ASKED = Request("planner", "", ())


@target(st.tuples(BODIES, ANY_TEXT))
def model_replies(value: tuple[dict[str, Any], str]) -> None:
    """A server that answers with any JSON is one that does not speak the dialect, or its reply is read and can be kept."""
    body, text = value
    readers: tuple[Callable[[Any], Reply], ...] = (anthropic._reply, lambda said: openai._reply(said, ASKED))
    for reader in readers:
        try:
            with speaking("any dialect"):
                reply = reader(body)
        except UsageError:
            continue
        assert read_reply(json.loads(json.dumps(reply_json(reply)))) == reply
    found, wrong = arguments(text)
    assert isinstance(found, dict)
    assert wrong == "" or found == {}


SCHEMA = record(hypotheses=array(record(cause=string("why"), kind=one_of(("a", "b")))), sure={"type": "boolean"}, prior={"type": "number"})


class Says:
    """A model that says the same each time."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def complete(self, _request: Request) -> Reply:
        """The same."""
        return self._reply


@target(
    st.tuples(
        st.sampled_from(get_args(Stop)),
        JSON.map(json.dumps) | ANY_TEXT | st.sampled_from(["{" * 50, "[" * 100_000, '{"a":' * 30_000, "NaN", "1" * 5000]),
        ANY_TEXT,
    )
)
def structured_answers(value: tuple[Stop, str, str]) -> None:
    """A model's words are JSON that fits the schema, or no answer."""
    stop, text, before = value
    reply = Reply(Message("assistant", (Text(before + text),)), stop)
    try:
        found = ask(Says(reply), Request("planner", "", (), schema=SCHEMA), lambda answer: answer)
    except NoAnswer as error:
        str(error).encode("utf-8", "backslashreplace")
        return
    assert set(found) == {"hypotheses", "sure", "prior"}
