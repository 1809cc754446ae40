"""Targets that read: what boxes, models, issues, settings files and damaged disks hold."""

from __future__ import annotations

import hmac
import json
import tempfile
from collections.abc import Callable, Mapping
from contextlib import closing
from hashlib import blake2b
from pathlib import Path
from typing import Any, get_args

from hypothesis import strategies as st

from benchmarks.fuzz_code import JSON, ground
from benchmarks.fuzz_targets import target
from sandbox.base import Command, Environment, Files, Limits, Result, SandboxError, SandboxUnavailable
from sandbox.box import Box
from sandbox.commands import job_of, words_of
from sandbox.verdict import KINDS, Secrets, read, test_run
from swesearch import base
from swesearch.agents.clean import cleaned, printed, shortened, visible, wrapped
from swesearch.agents.structured import NoAnswer, array, ask, one_of, record, string
from swesearch.base import Event, JournalError, UsageError
from swesearch.cli.options import parse_budget, parse_checks
from swesearch.code.issue import mentions
from swesearch.codec import decode, encode
from swesearch.dialogue import Image, Message, Reply, Request, Stop, Text, Thought, ToolCall, ToolResult, Usage
from swesearch.journal import Journal, mend
from swesearch.models import anthropic, openai
from swesearch.models.shape import arguments, speaking
from swesearch.models.wire import canonical, read_reply, read_request, reply_json, request_json
from swesearch.settings import KEYS, PRESETS, Settings, load

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
HIDING = st.sampled_from(
    ["<!--", "-->", "`", "```", "~~~", "\n", "\x1b[31m", "\x1b]0;x\x07", "\x9b1m", "\u202e", "\ufe0f", "\r\n", "a", "\ud800"]
)
HIDDEN = st.lists(HIDING | ANY_TEXT, max_size=12).map("".join)
KEY = b"0123456789abcdef"
SECRETS = Secrets(KEY, "test_passes", "test_fails")


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


FIELDS = (
    "id",
    "ids",
    "outcome",
    "seconds",
    "error",
    "message",
    "frames",
    "name",
    "lines",
    "path",
    "modules",
    "own",
    "why",
    "status",
    "tests",
)
MORE = ("stopped", "wants", "number", "attributes", "at", "text", "sample")
IDS = st.sampled_from(["test_passes", "test_fails", "t.py::a", "t.py::b"])
OUTCOMES = st.sampled_from(["passed", "failed", "skipped", "nonsense"])
PLAUSIBLE = IDS | OUTCOMES | st.integers(-1, 5) | st.floats() | st.lists(IDS, max_size=3) | st.booleans() | JSON
FRAMES = st.tuples(
    st.sampled_from(KINDS) | st.text(max_size=5), st.dictionaries(st.sampled_from([*FIELDS, *MORE]), PLAUSIBLE, max_size=7) | JSON
)


def _sealed(frames: list[Any]) -> bytes:
    """Frames with the right seal: what code that stole the key could write."""
    rows = []
    for number, frame in enumerate(frames):
        text = json.dumps(frame).encode()
        seal = blake2b(b"%d %s" % (number, text), key=KEY, digest_size=12).hexdigest().encode()
        rows.append(b"%d %s %s\n" % (number, seal, text))
    return b"".join(rows)


@target(st.lists(FRAMES | JSON, max_size=8).map(_sealed) | st.binary(max_size=200))
def test_reports(value: bytes) -> None:
    """Whatever comes out of a box, a verdict is reached; without the canaries it is never complete."""
    for status, code in (("done", 0), ("done", 1), ("timeout", None), ("memory", None)):
        result = Result(status, code, report=value)  # type: ignore[arg-type]
        report = read(value, KEY)
        run = test_run(result, report, SECRETS, (), ())
        if run.status == "complete":
            assert report.collected
            assert report.finish is not None
            assert {SECRETS.passes, SECRETS.fails} >= set(report.canaries)
    assert hmac.compare_digest(KEY, SECRETS.key)


class Bytes:
    """A link whose other end says these bytes, whatever it is asked."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def send(self, _data: bytes) -> None:
        """Not listened to."""

    def receive(self, count: int, _deadline: float) -> bytes:
        """The next bytes."""
        if count > len(self._data):
            raise SandboxUnavailable("the box died")
        found, self._data = self._data[:count], self._data[count:]
        return found

    def kill(self) -> None:
        """Nothing to end."""


def _frame(header: Any, raw: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(4, "big") + text + raw


READY = _frame({"ready": True, "n": 0})
ANSWERS = st.dictionaries(
    st.sampled_from(["n", "error", "missing", "refused", "sizes", "exit_code", "status", "seconds", "cpu", "calm", "truncated"]),
    st.sampled_from(["done", "timeout", "memory"]) | st.lists(st.integers(-5, 5), max_size=4) | st.integers(-3, 9) | JSON,
)


@target(
    st.lists(st.tuples(ANSWERS | JSON, st.binary(max_size=8)).map(lambda pair: _frame(*pair)), max_size=3).map(b"".join)
    | st.binary(max_size=80),
)
def box_protocol(value: bytes) -> None:
    """An agent that was taken over can say what it likes: the host gets a result, or a box that failed."""
    box = Box(Bytes(READY + value), {})
    try:
        result = box.run(Files("x", lambda: b""), Command(("true",)), Limits())
    except SandboxError:
        return
    assert result.status in ("done", "timeout", "memory")


@target(
    st.lists(
        ANY_TEXT | st.sampled_from(["pytest", "python", "-m", "unittest", "env", "A=b", "-q", "t.py::x", "--", "-k", "tox"]), max_size=6
    )
)
def commands(value: list[str]) -> None:
    """Any words of a check are read as a test command, or left as they are."""
    job_of(value, lambda path: path.startswith("t"))
    words_of(value)


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
    for layers in (
        ({"SWESEARCH_CONFIG": str(file)}, [], {}),
        ({}, [f"{k}={v}" for k, v in flags.items()], {}),
        (environ, [], {}),
        ({}, given, flags),
    ):
        try:
            read_in = load(None, {"SWESEARCH_CONFIG": "/dev/null", **layers[0]}, preset, layers[1], layers[2])
        except UsageError:
            continue
        assert Settings.from_dict(json.loads(json.dumps(read_in.to_dict()))) == read_in


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


@target(st.tuples(BODIES, ANY_TEXT))
def model_replies(value: tuple[dict[str, Any], str]) -> None:
    """A server that answers with any JSON is one that does not speak the dialect, or its reply is read and can be kept."""
    body, text = value
    readers: tuple[Callable[[Any], Reply], ...] = (anthropic._reply, openai._reply)
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
