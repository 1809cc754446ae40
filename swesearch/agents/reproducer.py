"""The reproducer: tests written from the issue that are shown to fail on the code as it is, for the reason that was given beforehand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Template
from typing import Any, TypeVar

from sandbox.base import TestOutcome, TestRun
from swesearch.agents.clean import shortened, visible, wrapped
from swesearch.agents.history import one_line
from swesearch.agents.structured import NoAnswer, Schema, array, ask, prompt, record, string
from swesearch.base import UsageError
from swesearch.dialogue import Message, Model, Request, Text

BAD = ("failed", "error")
MISTAKES = frozenset({"ImportError", "ModuleNotFoundError", "SyntaxError", "IndentationError", "TabError"})  # never the bug
OWN = frozenset({"NameError", "UnboundLocalError"})  # a mistake of the test where it is raised in the test itself
CUT = "Timeout"  # the error of a test that was cut short
ROOM = 16_384  # tokens of a reply
OUTPUT = 4000  # characters of a run that are shown
TEST = record(
    behaviour=string("what should be, and what is instead, in one sentence"),
    error=string("name of the exception class with which it fails now"),
    message=string("a piece of the text of that failure"),
    source=string("the whole file"),
)
T = TypeVar("T")
Run = Callable[[str, bytes], TestRun]


class NoReproduction(UsageError):
    """No test could be written that fails because of the issue."""


@dataclass(frozen=True, slots=True)
class ReproductionTest:
    """A test file that fails on the root for the stated reason."""

    path: str
    source: bytes
    reason: str  # what it shows, and how it fails
    failing: tuple[str, ...]  # ids of its tests that fail


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What can serve as a check, and why other variants cannot."""

    tests: tuple[ReproductionTest, ...]
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Draft:
    path: str
    behaviour: str
    error: str
    message: str
    source: str


class Reproducer:
    """Writes one variant for each of `paths`; `run` runs one on the root and says what happened, test by test.

    A variant that cannot be used is written again once, with its real output in view.
    """

    def __init__(self, model: Model, briefing: Callable[[], Message], run: Run, paths: Sequence[str]) -> None:
        self._model = model
        self._briefing = briefing
        self._run = run
        self._paths = tuple(paths)

    def reproduce(self) -> Reproduction:
        """Tests that fail on the root for their stated reason. Raises NoReproduction, ModelUnavailable, and what `run` raises."""
        tests: dict[bytes, ReproductionTest] = {}
        dropped: list[str] = []
        for found in map(self._tried, self._drafts()):
            if isinstance(found, str):
                dropped.append(found)
            elif tests.setdefault(found.source.strip(), found) is not found:
                dropped.append(f"{found.path}: it is the same as another")
        if not tests:
            raise _none(dropped)
        return Reproduction(tuple(tests.values()), tuple(dropped))

    def _drafts(self) -> list[_Draft]:
        words = Template(prompt("reproducer_turn")).substitute(count=len(self._paths), paths="\n".join(self._paths))
        try:
            return self._ask(words, record(tests=array(TEST)), self._read)
        except NoAnswer as error:
            raise _none([str(error)]) from error

    def _read(self, value: Any) -> list[_Draft]:
        if not value["tests"]:
            raise ValueError("there must be at least one test")
        return [_draft(path, test) for path, test in zip(self._paths, value["tests"], strict=False)]

    def _tried(self, draft: _Draft) -> ReproductionTest | str:
        """The test, or why it cannot be used."""
        run, reason = self._look(draft)
        if reason:
            try:
                draft = self._again(draft, run, reason)
            except NoAnswer as error:
                return f"{draft.path}: {reason}; {error}"
            run, reason = self._look(draft)
        return f"{draft.path}: {reason}" if reason else _kept(draft, run)

    def _look(self, draft: _Draft) -> tuple[TestRun, str]:
        """What happened, and why that is no reproduction, empty where it is one. A test that does not always fail is none."""
        run = self._run(draft.path, draft.source.encode())
        if reason := why_not(run, draft.path, draft.error, draft.message):
            return run, reason
        again = self._run(draft.path, draft.source.encode())
        return run, "" if _failing(run) == _failing(again) else "it does not fail each time it is run"

    def _again(self, draft: _Draft, run: TestRun, reason: str) -> _Draft:
        words = Template(prompt("reproducer_repair")).substitute(
            path=draft.path,
            error=one_line(f"{draft.error}: {draft.message}"),
            source=wrapped("test", draft.source),
            reason=reason,
            happened=wrapped("output", visible(shortened(_output(run), OUTPUT))),
        )
        return self._ask(words, TEST, lambda value: _draft(draft.path, value))

    def _ask(self, words: str, schema: Schema, check: Callable[[Any], T]) -> T:
        messages = (self._briefing(), Message("user", (Text(words),)))
        return ask(self._model, Request("reproducer", prompt("reproducer"), messages, schema=schema, max_tokens=ROOM, shared=(0,)), check)


def why_not(run: TestRun, path: str, error: str, message: str) -> str:
    """Why a run of the test file `path` is no reproduction that fails with `error` and `message`; empty where it is one."""
    if run.status == "broken":
        return f"it cannot be collected: {_seen(run.detail)}"
    if run.status not in ("complete", "timeout"):
        return f"the run came to nothing ({run.status}): {_seen(run.detail)}"
    bad = [outcome for outcome in run.outcomes if outcome.outcome in BAD]
    if not bad:
        return "it passes on the code as it is" if run.passed else "no test of it was run to its end"
    return next(filter(None, (_other_reason(outcome, path, error, message) for outcome in bad)), "")


def _other_reason(outcome: TestOutcome, path: str, error: str, message: str) -> str:
    """Why a failing test does not fail as it was to; empty where it does."""
    seen = _seen(f"{outcome.error}: {outcome.message}")
    if outcome.outcome == "error":
        return f"{outcome.id} fails before or after its own code runs: {seen}"
    inside = bool(outcome.frames) and outcome.frames[-1].path == path
    if outcome.error in MISTAKES or (outcome.error in OWN and inside):
        return f"{outcome.id} is mistaken itself: {seen}"
    wanted = "" if error == CUT else _plain(message)
    if outcome.error != error.rpartition(".")[2] or wanted not in _plain(outcome.message):
        return f"{outcome.id} fails for another reason than the stated one: {seen}"
    return ""


def _seen(text: str) -> str:
    """What a run said, fit for one line of ours."""
    return one_line(visible(text))


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _failing(run: TestRun) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((outcome.id, outcome.error) for outcome in run.outcomes if outcome.outcome in BAD))


def _kept(draft: _Draft, run: TestRun) -> ReproductionTest:
    reason = one_line(f"{draft.behaviour} ({draft.error}: {draft.message})")
    return ReproductionTest(draft.path, draft.source.encode(), reason, tuple(name for name, _ in _failing(run)))


def _output(run: TestRun) -> str:
    """A run in words: each failing test with its error and where it was raised."""
    lines = [f"{run.status} {run.detail}".strip()]
    for outcome in run.outcomes:
        lines.append(f"{outcome.id}: {outcome.outcome} {outcome.error} {outcome.message}".strip())
        lines += [f"  in {frame.path}:{frame.line} {frame.function}" for frame in outcome.frames]
    return "\n".join(lines)


def _draft(path: str, value: Mapping[str, Any]) -> _Draft:
    """Raises ValueError for an empty test, for one that names no failure, and for text that no file can hold."""
    behaviour, error, message, source = (value[name] for name in ("behaviour", "error", "message", "source"))
    if not source.strip() or not error.strip():
        raise ValueError(f"the test for {path} must have a source, and name the error with which it fails")
    if error.strip() == "AssertionError" and not message.strip():
        raise ValueError(f"the test for {path} must say which assert fails: give a piece of its message")
    try:
        source.encode()
    except UnicodeEncodeError as problem:
        raise ValueError(f"the test for {path} has characters that are no text") from problem
    return _Draft(path, behaviour, error.strip(), message, source)


def _none(dropped: Sequence[str]) -> NoReproduction:
    why = "; ".join(dropped)
    return NoReproduction(
        f"no test could be written that fails because of the issue ({why}): give a command that does, --check 'pytest tests/test_x.py'"
    )
