"""Words of the fix: literals that failing assertions compare with, and identifiers that error messages mention."""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterator

from tree_sitter import Node

from sandbox.base import TestOutcome
from swesearch.code import parse
from swesearch.code.parse import FUNCTION, first_line, text
from swesearch.code.scene import Scene

CONSTANTS = frozenset({"string", "concatenated_string", "integer", "float", "true", "false", "none", "unary_operator"})
CONTAINERS = frozenset({"list", "tuple", "dictionary", "set"})
LONGEST = 200  # characters of a literal worth offering
MOST = 60  # literals of one localisation
IDENTIFIER = r"[A-Za-z_]\w*"
MENTIONED = re.compile(rf"['\"`]({IDENTIFIER}(?:\.{IDENTIFIER})*)['\"`]|\b({IDENTIFIER})\(\)")
TYPES = {"NoneType", "str", "bytes", "int", "float", "list", "dict", "tuple", "set", "bool", "function", "method", "type", "object"}


def literals(scene: Scene) -> tuple[str, ...]:
    """Literals as Python source: of the failing statements, expected values first, then of messages, then of parameters."""
    found = [
        *(literal for test in scene.failing for literal in _of_statements(scene, test)),
        *(literal for test in scene.failing for literal in of_message(test.message) if literal.strip("'") not in TYPES),
        *(literal for test in scene.failing for literal in _of_parameters(scene, test)),
    ]
    return tuple(dict.fromkeys(found))[:MOST]


def names(test: TestOutcome) -> tuple[str, ...]:
    """The identifiers that an error message quotes: a missing attribute, name, key or keyword; none for a plain assertion."""
    if test.error == "AssertionError":
        return ()
    found = [part for match in MENTIONED.finditer(test.message[:1000]) for part in (match[1] or match[2]).split(".")]
    return tuple(name for name in dict.fromkeys(found) if name not in TYPES)


def _of_statements(scene: Scene, test: TestOutcome) -> Iterator[str]:
    for frame in scene.test_frames(test):
        yield from expected_first(scene.node(frame.path, frame.line))


def expected_first(statement: Node) -> Iterator[str]:
    """The literals of a statement: those that calls are not given come first, since calls get the inputs.

    In `assertEqual(f("in"), "out")` the outermost call is the assertion itself and does not count.
    """
    free = int(statement.type == "expression_statement" and statement.children[0].type == "call")
    found = [(max(_calls(node, statement), free), node.start_byte, node) for node in _literals(statement)]
    return (text(node) for *_, node in sorted(found, key=lambda f: f[:2]))


def _literals(node: Node) -> Iterator[Node]:
    """Literals below a node: whole containers and their parts."""
    for below in parse.own(node):
        if _constant(below) and not (below.parent is not None and below.parent.type in {"concatenated_string", "unary_operator"}):
            yield below


def _constant(node: Node) -> bool:
    if node.type not in CONSTANTS | CONTAINERS or node.end_byte - node.start_byte > LONGEST:
        return False
    try:
        literal_eval(text(node))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True


def _calls(node: Node, top: Node) -> int:
    """How many calls' arguments a node lies in."""
    count, above = 0, node.parent
    while above is not None and above != top:
        count += above.type == "argument_list"
        above = above.parent
    return count


def of_message(message: str) -> Iterator[str]:
    """Literals in an assertion's message: the sides of `assert a == b` and `a != b`, and whole lines of a text diff."""
    for line in message.splitlines()[:40]:
        if diff := re.match(r"\s*[-+] (.*)", line):
            yield from (repr(diff[1]),) if len(diff[1]) <= LONGEST and not diff[1].lstrip().startswith("where ") else ()
        else:
            source = line.strip().removeprefix("assert ").encode("utf-8", "backslashreplace")
            yield from (text(n) for n in _literals(parse.parse(source[:1000]).root_node) if _constant(n))


def compared(message: str) -> tuple[str, str]:
    """The two texts that an assertion compares: the sides of its diff, or else the strings in `assert a == b`."""
    lines = [match for line in message.splitlines() if (match := re.match(r"\s*([-+]) (.*)", line))]
    left, right = ("\n".join(match[2] for match in lines if match[1] == sign) for sign in "-+")
    if left and right:
        return left, right
    texts = [found for source in of_message(message.partition("\n")[0]) if (found := string_value(source)) is not None]
    return (texts[0], texts[1]) if len(texts) == 2 else ("", "")


def string_value(source: str) -> str | None:
    """What the source of a string stands for, bytes as Latin-1; None where it is something else, or filled in when it runs."""
    try:
        value = literal_eval(source)
    except (ValueError, SyntaxError):
        return None
    return value.decode("latin-1") if isinstance(value, bytes) else value if isinstance(value, str) else None


def _of_parameters(scene: Scene, test: TestOutcome) -> Iterator[str]:
    """Literals in the decorators of a parametrized test, those whose text is in its id first."""
    _, bracket, case = test.id.partition("[")
    for frame in scene.test_frames(test) if bracket else ():
        function = scene.function(frame.path, frame.line)
        if function and function.node.parent is not None and function.first < first_line(function.node):
            found = [text(n) for n in _literals(function.node.parent) if not _inside(n, FUNCTION)]
            yield from sorted(found, key=lambda literal: literal.strip("'\"") not in case)


def _inside(node: Node, kind: str) -> bool:
    above = node.parent
    while above is not None and above.type != kind:
        above = above.parent
    return above is not None
