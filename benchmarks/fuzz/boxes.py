"""Targets that read what comes out of a box, and what is to run in one."""

from __future__ import annotations

import hmac
import json
from hashlib import blake2b
from typing import Any

from hypothesis import strategies as st

from benchmarks.fuzz.targets import ANY_TEXT, JSON, target
from sandbox.base import Command, Files, Limits, Result, SandboxError, SandboxUnavailable
from sandbox.box import Box
from sandbox.commands import job_of, words_of
from sandbox.verdict import KINDS, Secrets, read, test_run

KEY = b"0123456789abcdef"
SECRETS = Secrets(KEY, "test_passes", "test_fails")


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


def sealed(frames: list[Any]) -> bytes:
    """Frames with the right seal: what code that stole the key could write."""
    rows = []
    for number, frame in enumerate(frames):
        text = json.dumps(frame).encode()
        seal = blake2b(b"%d %s" % (number, text), key=KEY, digest_size=12).hexdigest().encode()
        rows.append(b"%d %s %s\n" % (number, seal, text))
    return b"".join(rows)


@target(st.lists(FRAMES | JSON, max_size=8).map(sealed) | st.binary(max_size=200))
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
