"""What points at places beyond coverage: tracebacks, the functions a failing test calls, and words that test and code share.

Each clue is a weight per place; how they are mixed is told in `localise`. The constants were chosen by looking at nine development bugs
of BugsInPy and at mutants of six of their projects, so what they give there is no estimate for other bugs. They say which of two
places is likelier; a factor of two more or less changes little.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from keyword import kwlist
from math import log

from sandbox.base import TestOutcome
from swesearch.code.literals import string_value
from swesearch.code.outline import BRANCHES, LOOPS, Outline, assigned, calls, controlling, names, own_text, results, words
from swesearch.code.parse import Function, first_line, own, text
from swesearch.code.scene import Place, Scene

Named = Mapping[str, Sequence[tuple[str, Function]]]

OUTWARD = 0.4  # a frame's weight against the next inner one
CRASH, FLOW, CONTROL, BESIDE = 1.0, 0.4, 0.4, 0.06  # in the function of a frame: its line, what feeds it, what guards it, the rest
GIVEN = 0.15  # a return of a function whose value reaches the frame's line
STEP, FAR = 0.85, 0.3  # relevance of a test's statement against that of the next one, and the least
CALL = 0.7  # a function's relevance against that of its caller
RESULT = 1.5  # what a function returns, and what flows into that, against the rest of it
UNRELATED = 0.2  # relevance of a function that no chain of names leads to
TYPICAL: Mapping[str, float] = {  # how often a kind of statement is what a fix changes, against a plain one
    **dict.fromkeys(BRANCHES - {"with_statement"}, 1.3),
    "return_statement": 1.2,
    "raise_statement": 0.3,
    "assert_statement": 0.5,
    "except_clause": 0.5,
    "with_statement": 0.5,
    **dict.fromkeys(("break_statement", "continue_statement", "delete_statement"), 0.5),
    **dict.fromkeys(("function_definition", "decorated_definition", "class_definition", "pass_statement", "global_statement"), 0.1),
    **dict.fromkeys(("import_statement", "import_from_statement", "future_import_statement", "try_statement"), 0.1),
    **dict.fromkeys(("else_clause", "finally_clause", "nonlocal_statement"), 0.02),
}
COMMON = {"test", "tests", "self", "assertion", "error", *(word.lower() for word in kwlist)}  # say nothing of the place
FILLED = re.compile(r"%[-+ #0-9.]*[a-zA-Z]|\{[^{}]*\}")  # where a string is filled in
TELLS = 3  # characters, for a string to tell where it is written
IMPORTED = 0.15  # weight of what runs on import, against a line in a function


def traceback(scene: Scene, test: TestOutcome, executed: Collection[Place]) -> dict[Place, float]:
    """Places by the traceback: its innermost line, what assigns or returns the values used there, what decided that it ran."""
    by_name = _by_name(scene, executed)
    weights: dict[Place, float] = {}
    for depth, frame in enumerate(scene.frames(test)):
        for place, weight in _around(scene, frame.path, frame.line, executed, by_name).items():
            weights[place] = max(weights.get(place, 0.0), weight * OUTWARD**depth)
    return weights


def _around(scene: Scene, path: str, line: int, executed: Collection[Place], by_name: Named) -> dict[Place, float]:
    """Weights in the function of one frame, and in those that give it values."""
    code = scene.outline(path)
    crash = code.place(line)
    node, function = code.nodes[crash], code.within[crash]
    raised = node.type in {"raise_statement", "assert_statement"}
    guards = {guard: CONTROL * (2.5 if raised else 1) * OUTWARD**i for i, guard in enumerate(controlling(code, crash))}
    used = names(code, crash).union(*(names(code, g) for g in guards if raised))
    weights = {(path, crash): CRASH * (0.3 if raised else 1.0)}
    for place in reversed(code.places(function)):
        if place != crash and (path, place) in executed:
            flows = bool(used & assigned(code, place))
            weight = max(FLOW * flows, guards.get(place, 0.0), BESIDE)
            weights[path, place] = weight * TYPICAL.get(code.nodes[place].type, 1.0)
            used = used | names(code, place) if flows else used
    for given in _returned(scene, used, executed, by_name):
        weights.setdefault(given, GIVEN)
    return weights


def _returned(scene: Scene, called: Iterable[str], executed: Collection[Place], by_name: Named) -> Iterator[Place]:
    """The returns of executed functions of these names."""
    for path, function in (found for name in called for found in by_name.get(name, ())):
        code = scene.outline(path)
        returns = (p for p in code.places(function) if code.nodes[p].type == "return_statement")
        yield from ((path, place) for place in returns if (path, place) in executed)


def relevance(scene: Scene, test: TestOutcome) -> dict[tuple[str, str], float]:
    """How closely each executed function hangs on the failing statement, by (path, name): calls are followed by name.

    Dynamic call edges would be exact; names among the executed functions are close to it and cost no tracing.
    """
    by_name = _by_name(scene, scene.executed(test))
    found: dict[tuple[str, str], float] = {}
    front = _seeds(scene, test)
    while front:
        reached = {
            (path, f): weight
            for name, weight in front.items()
            for path, f in by_name.get(name, ())
            if weight > found.get((path, f.name), 0.0)
        }
        found.update({(path, f.name): weight for (path, f), weight in reached.items()})
        front = {}
        for (path, function), weight in reached.items():
            _raise(front, _names(scene, path, function), weight * CALL)
    return found


def outflow(scene: Scene, near: Mapping[tuple[str, str], float], executed: Collection[Place]) -> dict[Place, float]:
    """Relevance by place: in a function, what it returns and what flows into that counts more than the rest."""
    weights: dict[Place, float] = {}
    for path, place in executed:
        code = scene.outline(path)
        function = code.within[place]
        weight = max(near.get((path, function.name), 0.0) if function else 0.0, UNRELATED)
        weights[path, place] = weight * (RESULT if function and place in results(code, function) else 1.0)
    return weights


def surroundings(scene: Scene, path: str, function: Function) -> tuple[Place, tuple[Place, ...]]:
    """A function's header, and what it uses that ran on import: its decorators, the module's and the class's constants."""
    code = scene.outline(path)
    used, header = _names(scene, path, function), first_line(function.node)
    constants = (p for p, around in code.within.items() if around is None and assigned(code, p) & used)
    return (path, header), tuple((path, p) for p in (*range(function.first, header), *constants) if p in code.nodes)


def _by_name(scene: Scene, executed: Iterable[Place]) -> Named:
    """The executed functions by what they are called by."""
    found: dict[str, list[tuple[str, Function]]] = defaultdict(list)
    for path, function in sorted(
        {(path, f) for path, line in executed if (f := scene.function(path, line))}, key=lambda f: (f[0], f[1].first)
    ):
        found[_alias(function.name)].append((path, function))
    return found


def _alias(name: str) -> str:
    """What a function is called by: its own name, or its class's where it makes an instance."""
    parts = name.split(".")
    return parts[-2] if parts[-1] in {"__init__", "__new__", "__call__"} and len(parts) > 1 else parts[-1]


def _seeds(scene: Scene, test: TestOutcome) -> dict[str, float]:
    """The names in the test: in its failing statements, and less the further a statement stands from them. Tests act, then assert."""
    seeds: dict[str, float] = {}
    for frame in scene.test_frames(test):
        code = scene.outline(frame.path)
        at, function = code.place(frame.line), scene.function(frame.path, frame.line)
        for distance, place in enumerate(p for p in reversed(code.places(function)) if p < at):
            _raise(seeds, calls(code, place), max(STEP ** (distance + 1), FAR))
        _raise(seeds, _names(scene, frame.path, function) if function else (), FAR)
        _raise(seeds, calls(code, at), 1.0)
    return seeds


def _raise(weights: dict[str, float], keys: Iterable[str], least: float) -> None:
    """Give keys at least this weight."""
    for key in keys:
        weights[key] = max(weights.get(key, 0.0), least)


def _names(scene: Scene, path: str, function: Function) -> frozenset[str]:
    """What a function uses and may call."""
    code = scene.outline(path)
    return frozenset().union(*(calls(code, place) for place in code.places(function)))


def query(scene: Scene, test: TestOutcome, names: Iterable[str] = ()) -> frozenset[str]:
    """The words of a failure: the test's name, its failing statements, its message, and the names an issue mentions."""
    said = (own_text(scene.outline(frame.path), scene.outline(frame.path).place(frame.line)) for frame in scene.test_frames(test))
    phrases = (test.id.split("[")[0], test.message[:400], *said, *names)
    return frozenset(word for phrase in phrases for word in words(phrase)) - COMMON


def likeness(scene: Scene, places: Iterable[Place], query: Collection[str]) -> dict[Place, float]:
    """How many rare words a place, its function and its path share with the query, in [0, 1]; TF-IDF over the places given."""
    bags = {place: _bag(scene, place) for place in places}
    common = Counter(word for bag in bags.values() for word in bag)
    rare = {word: log(1 + len(bags) / common[word]) for word in query if common[word]}
    scores = {place: sum(rare[word] * bag[word] for word in bag.keys() & rare.keys()) for place, bag in bags.items()}
    top = max(scores.values(), default=0.0)
    return {place: score / top if top else 0.0 for place, score in scores.items()}


def _bag(scene: Scene, place: Place) -> dict[str, float]:
    """Words of a place: its own count most, then those of its function's name and its file's."""
    code = scene.outline(place[0])
    function = code.within[place[1]]
    bag = dict.fromkeys(words(place[0]), 0.5)
    bag.update(dict.fromkeys(words(function.name) if function else (), 0.7))
    bag.update(dict.fromkeys(words(own_text(code, place[1])), 1.0))
    return bag


def typical(scene: Scene, place: Place) -> float:
    """How likely a fix changes this kind of statement, before anything is known of the bug."""
    code = scene.outline(place[0])
    node = code.nodes[place[1]]
    if node.type == "expression_statement" and node.child_count == 1 and node.children[0].type == "string":
        return 0.001  # a docstring
    return TYPICAL.get(node.type, 1.0) * (1.0 if code.within[place[1]] else IMPORTED)


def looping(scene: Scene, place: Place) -> bool:
    """Whether a place is a loop's header or inside one."""
    code = scene.outline(place[0])
    return any(code.nodes[p].type in LOOPS for p in (place[1], *controlling(code, place[1])))


def spoken(scene: Scene, place: Place, said: Iterable[str]) -> bool:
    """Whether a place has one of these names in it."""
    return not names(scene.outline(place[0]), place[1]).isdisjoint(said)


def telling(scene: Scene, place: Place, compared: tuple[str, str]) -> bool:
    """Whether a string constant of a place is in one of two compared texts and not in the other: what came out is written there."""
    left, right = compared
    return any((piece in left) != (piece in right) for piece in _constants(scene.outline(place[0]), place[1]))


@lru_cache(maxsize=1 << 15)
def _constants(code: Outline, place: int) -> frozenset[str]:
    """The string constants of a place, those that are filled in by their constant parts. Short ones say little."""
    written = (text(node) for node in own(code.nodes[place]) if node.type == "string")
    contents = (source.lstrip("frbFRB").strip("'\"") if (found := string_value(source)) is None else found for source in written)
    parts = (part for content in contents for part in FILLED.split(content))
    return frozenset(part for part in parts if len(part.strip()) >= TELLS)
