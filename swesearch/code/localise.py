"""Where is the bug? Suspicious lines, and what the failing tests know about them.

    P = sharpened(TRACE * traceback + (1 - TRACE) * spectrum), with a share for headers and constants

    spectrum(place)  ~ ochiai^2 * outflow * typical * words
    traceback(place) ~ weight by the traceback * sqrt(ochiai) * words

Both parts are normalised. Where no frame of the repository is in the traceback (a failed assertion) the spectrum has all the mass.
Research note: on real projects a fix's line may rank first and yet its fix come 3,166th when mass is spread flat; so mass falls with rank.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.base import Kind, TestOutcome
from swesearch.code import clues, literals
from swesearch.code.parse import Function
from swesearch.code.scene import Place, Scene
from swesearch.code.spectrum import ochiai

TRACE = 0.75  # mass of the traceback, where it has frames in the repository
LIKE = 3.0  # what sharing all rare words with the failure is worth
SPOKEN = 1.5  # what naming an identifier of the error message is worth
STUCK = 3.0  # what being in a loop is worth where a test did not end
AROUND = 0.06  # share of a function's mass for its header and for the module's and class's constants it uses
STEEP = 0.6  # weights are divided by rank ** STEEP
MOST = 300  # places kept
TEST_PATH = re.compile(r"(^|/)(tests?|testing)/|(^|/)(tests?_[^/]*|[^/]*_tests?|tests?|conftest)\.py$")


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


def is_test_path(path: str) -> bool:
    """Whether a path looks like test code, by the names people use."""
    return bool(TEST_PATH.search(path))


def localise(
    failing: Sequence[TestOutcome],
    passing: Sequence[TestOutcome],
    issue: str = "",
    is_test: Callable[[str], bool] = is_test_path,
    sources: Callable[[str], bytes] = lambda _: b"",
) -> Localisation:
    """Rank places by what failing and passing tests did. `sources` gives the bytes of a work-tree file, b"" where there is none."""
    scene = Scene(failing, passing, is_test, sources)
    said = tuple(dict.fromkeys(name for test in failing for name in literals.names(test)))
    return Localisation(
        lines=_ranked(_weights(scene, issue, said)),
        literals=literals.literals(scene),
        errors=tuple(dict.fromkeys((test.error, test.message) for test in failing)),
        names=said,
    )


def _weights(scene: Scene, issue: str, said: Sequence[str]) -> dict[Place, float]:
    """The mass of each place, failing tests counting alike."""
    spectrum = ochiai(scene.suspects, [scene.executed(test) for test in scene.passing])
    total: dict[Place, float] = defaultdict(float)
    for test, executed in zip(scene.failing, scene.suspects, strict=True):
        query = clues.query(scene, test, issue)
        like = clues.likeness(scene, executed, query)
        words = {p: (1 + LIKE * like[p]) * (SPOKEN if clues.spoken(scene, p, said) else 1.0) for p in executed}
        traced = {p: w * spectrum.get(p, 1.0) ** 0.5 * words.get(p, 1.0) for p, w in clues.traceback(scene, test, executed).items()}
        share = TRACE if traced else 0.0
        for weights, mass in ((traced, share), (_covered(scene, test, executed, spectrum, words), 1 - share)):
            for place, weight in _normal(weights).items():
                total[place] += mass * weight
    return _with_surroundings(scene, total)


def _covered(
    scene: Scene, test: TestOutcome, executed: Collection[Place], spectrum: Mapping[Place, float], words: Mapping[Place, float]
) -> dict[Place, float]:
    """The spectrum's part: sharpened by calls from the failing statement, by what flows out of them, and by words."""
    near = clues.relevance(scene, test, executed)
    flow = clues.outflow(scene, near, executed)
    stuck = {p: STUCK if not test.error and clues.looping(scene, p) else 1.0 for p in executed}
    return {p: spectrum[p] ** 2 * flow[p] * words[p] * clues.typical(scene, p) * stuck[p] for p in executed}


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
