"""Where is the bug? Suspicious lines, and what the failing tests know about them.

    P = sharpened(TRACE * traceback + (1 - TRACE) * spectrum), with a share for headers and constants

    spectrum(place)  ~ ochiai^2 * outflow * typical * words
    traceback(place) ~ weight by the traceback * sqrt(ochiai) * words

Words, names and strings that a place shares with the failure are its `words`. Both parts are normalised. Where no frame of the
repository is in the traceback (a failed assertion) the spectrum has all the mass.
Research note: on real projects a fix's line may rank first and yet its fix come 3,166th when mass is spread flat; so mass falls with rank.
"""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Literal

from sandbox.base import Kind, TestOutcome, TestRun
from swesearch.base import State
from swesearch.code import clues, literals
from swesearch.code.issue import Mentions, mentions
from swesearch.code.outline import outline
from swesearch.code.parse import Function, header, line_at
from swesearch.code.scene import Place, Scene
from swesearch.code.spectrum import ochiai

TRACE = 0.7  # mass of the traceback, where it has frames in the repository
LIKE = 3.0  # what sharing all rare words with the failure is worth
SPOKEN = 1.5  # what naming an identifier of the error message is worth
TELLING = 8.0  # what having a string is worth that only one side of a failed comparison has
STUCK = 3.0  # what being in a loop is worth where a test did not end
AROUND = 0.06  # share of a function's mass for its header and for the module's and class's constants it uses
STEEP = 0.6  # weights are divided by rank ** STEEP
MOST = 300  # places kept
FOCUS = 40  # places whose types are looked at


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How likely it is that the fix changes the statement or clause that begins on this line: a 1-based line of a repository file."""

    path: str
    line: int
    score: float


@dataclass(frozen=True, slots=True)
class Localisation:
    """What the failing tests say about the place of the bug and about the words of its fix."""

    lines: tuple[Suspicion, ...] = ()  # falling score; the scores sum to 1
    types: Mapping[str, Mapping[str, tuple[Kind, ...]]] = field(default_factory=dict)  # "path:line" -> expression -> kinds
    literals: tuple[str, ...] = ()  # Python source of literals the failing assertions compare with, expected values first
    errors: tuple[tuple[str, str], ...] = ()  # (exception class, message) of each failing test
    names: tuple[str, ...] = ()  # identifiers the messages mention: a missing attribute, name or keyword


@dataclass(frozen=True, slots=True)
class Trace:
    """Tests to run under a tracer. `tests` are ids of failing tests, and files for the tests in them that pass; `focus` gives by path
    the lines whose types are wanted."""

    kind: Literal["lines", "types"]
    tests: tuple[str, ...]
    focus: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def localise(
    failing: Sequence[TestOutcome],
    passing: Sequence[TestOutcome],
    issue: str,
    is_test: Callable[[str], bool],
    sources: Callable[[str], bytes],
    imported: Mapping[str, Sequence[int]] = MappingProxyType({}),
) -> Localisation:
    """Rank places by what failing and passing tests did.

    `sources` gives the bytes of a work-tree file, b"" where there is none; `imported` are lines that ran on import, by path.
    """
    scene = Scene(failing, passing, is_test, sources, imported)
    said = tuple(dict.fromkeys(name for test in failing for name in literals.names(test)))
    return Localisation(
        lines=_ranked(_weights(scene, mentions(issue), said)),
        literals=literals.literals(scene),
        errors=tuple(dict.fromkeys((test.error, test.message) for test in failing)),
        names=said,
    )


def _weights(scene: Scene, issue: Mentions, said: Sequence[str]) -> dict[Place, float]:
    """The mass of each place, failing tests counting alike."""
    spectrum = ochiai(scene.suspects, [scene.executed(test) for test in scene.passing])
    total: dict[Place, float] = defaultdict(float)
    for test, executed in zip(scene.failing, scene.suspects, strict=True):
        words = _words(scene, test, executed, issue, said)
        traced = {p: w * spectrum.get(p, 1.0) ** 0.5 * words.get(p, 1.0) for p, w in clues.traceback(scene, test, executed).items()}
        share = _share(scene, test) if traced else 0.0
        for weights, mass in ((traced, share), (_covered(scene, test, executed, spectrum, words), 1 - share)):
            for place, weight in _normal(weights).items():
                total[place] += mass * weight
    return _with_surroundings(scene, total)


def _share(scene: Scene, test: TestOutcome) -> float:
    """The traceback's mass: less where an assertion of the test itself failed, below frames of the repository that called back."""
    asserted = test.error == "AssertionError" and scene.is_test(test.frames[-1].path)
    return TRACE / 3 if asserted else TRACE


def _words(scene: Scene, test: TestOutcome, places: Collection[Place], issue: Mentions, said: Sequence[str]) -> dict[Place, float]:
    """How much likelier places are for the words they share with the test, its message and the issue."""
    like = clues.likeness(scene, places, clues.query(scene, test, issue.names))
    texts = literals.compared(test.message)
    return {
        p: (1 + LIKE * like[p]) * (SPOKEN if clues.spoken(scene, p, said) else 1.0) * (TELLING if clues.telling(scene, p, texts) else 1.0)
        * _mentioned(scene, p, issue)
        for p in places
    }  # fmt: skip


def _mentioned(scene: Scene, place: Place, issue: Mentions) -> float:
    function = scene.outline(place[0]).within[place[1]]
    return issue.weight(place[0], function.name if function else "", place[1])


def _covered(
    scene: Scene, test: TestOutcome, executed: Collection[Place], spectrum: Mapping[Place, float], words: Mapping[Place, float]
) -> dict[Place, float]:
    """The spectrum's part: sharpened by calls from the failing statement, by what flows out of them, and by words."""
    flow = clues.outflow(scene, clues.relevance(scene, test), executed)
    stuck = STUCK if "timeout" in test.error.lower() else 1.0
    return {
        p: spectrum[p] ** 2 * flow[p] * words[p] * clues.typical(scene, p) * (stuck if clues.looping(scene, p) else 1.0) for p in executed
    }


def _with_surroundings(scene: Scene, weights: Mapping[Place, float]) -> dict[Place, float]:
    """Give a share of each function's mass to what ran on import: its header (defaults, decorators), and constants it uses."""
    mass: dict[tuple[str, Function], float] = defaultdict(float)
    for (path, place), weight in weights.items():
        if function := scene.outline(path).within[place]:
            mass[path, function] += weight
    total = defaultdict(float, {place: weight * (1 - AROUND) for place, weight in weights.items()})
    for (path, function), weight in mass.items():
        header, constants = clues.surroundings(scene, path, function)
        total[header] += AROUND * weight / 2
        for constant in constants:
            total[constant] += AROUND * weight / 2 / len(constants)
    return dict(total)


def _normal(weights: Mapping[Place, float]) -> dict[Place, float]:
    total = sum(weights.values())
    return {place: weight / total for place, weight in weights.items()} if total else {}


def _ranked(weights: Mapping[Place, float]) -> tuple[Suspicion, ...]:
    """Falling, steeper than the weights say, summing to 1."""
    best = sorted(weights, key=lambda p: (-weights[p], p))[:MOST]
    sharp = _normal({place: weights[place] / rank**STEEP for rank, place in enumerate(best, 1)})
    return tuple(Suspicion(path, line, score) for (path, line), score in sharp.items())


class Localiser:
    """Localises states by running tests under a tracer. Remembers what it found; safe to call from several threads.

    `run` runs a trace on a state (bounded in time by its owner; what was seen before a time limit counts), `read` gives a file's
    bytes, b"" where there is none, and `failing` are the ids of the tests that fail on the root.
    """

    def __init__(
        self,
        run: Callable[[State, Trace], TestRun],
        read: Callable[[State, str], bytes],
        failing: Sequence[str],
        issue: str,
        is_test: Callable[[str], bool],
    ) -> None:
        self._run, self._read, self._failing, self._issue, self._is_test = run, read, tuple(failing), issue, is_test
        self._known: dict[State, Localisation] = {}
        self._lock = threading.Lock()

    def __call__(self, state: State) -> Localisation:
        """Where the bug of a state is. Raises SandboxUnavailable where we could not find out."""
        with self._lock:
            known = self._known.get(state)
        if known is None:
            known = self._localise(state)
            with self._lock:
                self._known[state] = known
        return known

    def _localise(self, state: State) -> Localisation:
        """Lines of the failing tests and of the others in their files, then types where it matters."""
        files = tuple(dict.fromkeys(test.split("::")[0] for test in self._failing))
        own = self._run(state, Trace("lines", (*self._failing, *files)))
        failing = [test for test in _failures(own) if test.id in self._failing] or _failures(own)
        cut = own.status != "complete" and failing and not any(test.outcome == "passed" for test in own.outcomes)
        beside = self._run(state, Trace("lines", files)) if cut else TestRun("empty")  # it did not come to the others
        ran = {test.id: test for test in (*beside.outcomes, *own.outcomes) if test.outcome == "passed"}
        source = partial(self._read, state)
        found = localise(failing, list(ran.values()), self._issue, self._is_test, source, _imported(own))
        ids = tuple(test.id for test in failing if test.id)
        if not ids or not found.lines:
            return found
        return replace(found, types=self._run(state, Trace("types", ids, focus(found.lines[:FOCUS], source))).types)


def _failures(run: TestRun) -> list[TestOutcome]:
    """The failing tests of a run; where it came to none, the error that kept it from them."""
    failed = [test for test in run.outcomes if test.outcome in {"failed", "error"}]
    if failed or not run.frames:
        return failed
    error = re.search(r"\b(\w+(?:Error|Exception|Warning)|Exception)\b:? ?(.*)", run.detail, re.DOTALL)
    return [TestOutcome("", "error", error=error[1] if error else "", message=error[2] if error else run.detail, frames=run.frames)]


def _imported(run: TestRun) -> Mapping[str, Sequence[int]]:
    """What ran while tests were collected: the runner reports it under no test's name."""
    return next((test.lines for test in run.outcomes if not test.id), {})


def focus(suspicions: Iterable[Suspicion], sources: Callable[[str], bytes]) -> dict[str, tuple[int, ...]]:
    """All lines of the suspicious places, headers only where they are compound, by path."""
    lines: dict[str, set[int]] = defaultdict(set)
    for suspicion in suspicions:
        source = sources(suspicion.path)
        node = outline(source).nodes[suspicion.line]
        lines[suspicion.path].update(range(suspicion.line, line_at(source, header(node).end) + 1))
    return {path: tuple(sorted(numbers)) for path, numbers in lines.items()}
