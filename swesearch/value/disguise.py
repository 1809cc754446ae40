"""Tests in disguise: the same tests under names that nobody can know, and beside them twisted ones that must fail.

Code in the test process can lie about a test that it knows by name, or make every comparison come out true. It cannot do so where
it does not know which of two tests is the real one: of each pair, told apart by random names only, one must pass and one must fail.
Nor can a test be kept from running: where it has nothing to twist, its copy fails at its end.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from random import Random

from swesearch.code.touched import UNREADABLE

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
EQUAL = {"assertEqual", "assertEquals"}
Change = tuple[int, int, bytes]  # from, to, what comes there instead


@dataclass(frozen=True, slots=True)
class Disguise:
    """Files to add, and what the tests in them stand for: new id -> id."""

    files: Mapping[str, bytes]
    same: Mapping[str, str]  # must pass where the original does
    twisted: Mapping[str, str]  # must fail where the original passes


def disguise(sources: Mapping[str, bytes], tests: Sequence[str], random: Random) -> Disguise:
    """Copies of `tests`, pytest's ids, whose files are `sources`. What cannot be copied is left out."""
    files: dict[str, bytes] = {}
    same: dict[str, str] = {}
    twisted: dict[str, str] = {}
    for path, source in sources.items():
        mine = [test for test in tests if test.partition("::")[0] == path]
        for table, twist in ((same, False), (twisted, True)):
            copy = _Copy(source, random, twist)
            new = str(PurePosixPath(path).with_name(f"{_name(random)}.py"))
            found = {f"{new}::{copy.renamed(test)}": test for test in mine if copy.renamed(test)}
            if found:
                files[new] = copy.text()
                table.update(found)
    return Disguise(files, same, twisted)


def _name(random: Random) -> str:
    return f"test_{random.getrandbits(48):012x}"


class _Copy:
    """A test file in which functions are renamed, and twisted if need be."""

    def __init__(self, source: bytes, random: Random, twist: bool) -> None:
        self._source, self._random, self._twist = source, random, twist
        self._starts = [0]
        for line in source.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self._functions = dict(_functions(source))
        self._names: dict[str, str] = {}  # "Class::function" -> new name of the function
        self._changes: list[Change] = []

    def renamed(self, test: str) -> str:
        """What stands after the file in the id of the copy of `test`; empty where there is none."""
        place, bracket, parameters = test.partition("::")[2].partition("[")
        if place not in self._names:
            node = self._functions.get(place)
            if node is None or not node.name.startswith("test"):
                return ""
            changes = self._changed(node)
            self._changes += changes
            self._names[place] = changes[0][2].decode()
        above = place.rpartition("::")[0]
        return "::".join(filter(None, (above, self._names[place]))) + bracket + parameters

    def text(self) -> bytes:
        """The copy."""
        text = self._source
        for start, end, new in sorted(self._changes, reverse=True):
            text = text[:start] + new + text[end:]
        return text

    def _changed(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[Change]:
        """The new name, and the twist where one is wanted."""
        start = self._at(node.lineno, node.col_offset)
        name = self._source.find(node.name.encode(), start + len("def "))
        changes: list[Change] = [(name, name + len(node.name.encode()), _name(self._random).encode())]
        if self._twist:
            twists = [twist for statement in _asserted(node) if (twist := self._twisted(statement))]
            changes.append(self._random.choice(twists) if twists else self._failing(node))
        return changes

    def _failing(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Change:
        """A failure at the end of the function, which shows that it runs at all; at its beginning where it may be left before."""
        first = node.body[0]
        line = min([first.lineno, *(decorator.lineno for decorator in getattr(first, "decorator_list", ()))])
        start = self._at(line, first.col_offset)
        indent = self._source[self._starts[line - 1] : start]
        between = b"; " if indent.strip() else b"\n" + indent
        failure = f"raise AssertionError({_name(self._random)!r})".encode()
        if _leaves(node):
            return start, start, failure + between
        end = self._end(node.body[-1])
        return end, end, between + failure

    def _twisted(self, statement: ast.stmt) -> Change | None:
        """A change after which an assertion that held does not hold: another value to compare with, else its negation."""
        for side in _compared(statement):
            if (leaf := _leaf(side)) is not None:
                return self._replace(leaf, repr(self._other(leaf.value)).encode())
        if isinstance(statement, ast.Assert):
            test = statement.test
            start, end = self._span(test)
            return start, end, b"(not (" + self._source[start:end] + b"))"
        return None

    def _other(self, value: object) -> object:
        if isinstance(value, bytes):
            return value + _name(self._random).encode()
        if isinstance(value, str):
            return value + _name(self._random)
        number = self._random.randrange(1, 1 << 20)
        return value + number if isinstance(value, int) else -float(str(value)) - number

    def _replace(self, node: ast.expr, new: bytes) -> Change:
        return (*self._span(node), new)

    def _span(self, node: ast.expr) -> tuple[int, int]:
        return self._at(node.lineno, node.col_offset), self._end(node)

    def _end(self, node: ast.expr | ast.stmt) -> int:
        return self._at(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)

    def _at(self, line: int, column: int) -> int:
        return self._starts[line - 1] + column


def _functions(source: bytes) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """The functions of a module and of its classes, as pytest's ids name them; nothing of what does not parse."""
    try:
        waiting: list[tuple[str, ast.stmt]] = [("", node) for node in ast.parse(source.decode()).body]
    except UNREADABLE:
        return
    while waiting:
        above, node = waiting.pop()
        if isinstance(node, FUNCTIONS):
            yield above + node.name, node
        elif isinstance(node, ast.ClassDef):
            waiting += [(f"{above}{node.name}::", inner) for inner in node.body]


def _asserted(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.stmt]:
    """The assertions that every run of the function to its end comes by: in no branch, and with no way out before them."""
    if _leaves(node):
        return []
    return [statement for statement in node.body if isinstance(statement, ast.Assert) or _compared(statement)]


def _leaves(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function may be left before its end, but by an exception."""
    return any(isinstance(inner, ast.Return | ast.Yield | ast.YieldFrom) for inner in ast.walk(node))


def _compared(statement: ast.stmt) -> list[ast.expr]:
    """The two sides of a comparison for equality that a statement asserts."""
    match statement:
        case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right])):
            return [right, left]
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name), args=[first, second, *_])) if name in EQUAL:
            return [second, first]
    return []


def _leaf(node: ast.expr) -> ast.Constant | None:
    """A number or a text in a literal: another one in its place makes another value of the whole."""
    if isinstance(node, ast.List | ast.Tuple):
        return next(filter(None, map(_leaf, node.elts)), None)
    if isinstance(node, ast.Dict):
        return next(filter(None, map(_leaf, node.values)), None)
    plain = isinstance(node, ast.Constant) and isinstance(node.value, int | float | str | bytes) and not isinstance(node.value, bool)
    return node if plain and isinstance(node, ast.Constant) else None
