"""What a source file is made of, seen by line: places, functions, and the words in them.

A *place* is a statement, a clause (elif, except ...) or a decorator, known by its first line: the smallest thing worth suspecting,
since an edit works on syntax and a statement may stand on many lines. A compound statement's place is its header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node

from swesearch.code import parse
from swesearch.code.parse import CLASS, DECORATED, FUNCTION, Function, first_line, last_line, text

LOOPS = frozenset({"while_statement", "for_statement"})
BRANCHES = LOOPS | {"if_statement", "elif_clause", "with_statement", "match_statement", "case_clause"}
ASSIGNMENTS = {"assignment", "augmented_assignment", "for_statement"}
OPERATORS: Mapping[str, str] = {  # syntax -> the methods that Python calls for it
    **{"==": "__eq__", "!=": "__ne__ __eq__", "<": "__lt__", ">": "__gt__ __lt__", "<=": "__le__", ">=": "__ge__"},
    **{
        "+": "__add__ __radd__",
        "-": "__sub__ __rsub__",
        "*": "__mul__ __rmul__",
        "/": "__truediv__",
        "in": "__contains__ __iter__ __next__",
    },
    **{"|": "__or__", "&": "__and__", "subscript": "__getitem__ __setitem__", "delete_statement": "__delitem__ __delattr__"},
    **{"with_statement": "__enter__ __exit__", "attribute": "__getattr__", "for_statement": "__iter__ __next__"},
}
BUILTINS: Mapping[str, str] = {
    **{"assertEqual": "__eq__", "assertNotEqual": "__ne__ __eq__", "assertIn": "__contains__", "assertTrue": "__bool__ __len__"},
    **{name: f"__{name}__" for name in ("len", "str", "repr", "hash", "bool", "iter", "next", "int", "float", "format")},
    **{"sorted": "__lt__ __iter__", "list": "__iter__", "dict": "__iter__ keys", "set": "__hash__ __eq__ __iter__", "print": "__str__"},
}
WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True, eq=False)
class Outline:
    """A source file by line. `of_line[line - 1]` is the place of a line, 0 where there is none."""

    of_line: tuple[int, ...]
    nodes: Mapping[int, Node]  # place -> its statement or clause, in source order
    above: Mapping[int, int]  # place -> the place it is nested in, 0 at the top
    functions: tuple[Function, ...]
    within: Mapping[int, Function | None]  # place -> the innermost function around it; a def's own place belongs outside it

    def place(self, line: int) -> int:
        """The place of a line, 0 where there is none."""
        return self.of_line[line - 1] if 0 < line <= len(self.of_line) else 0

    def places(self, function: Function | None) -> tuple[int, ...]:
        """The places in a function's body, not in functions inside it. None has none."""
        inside = range(function.first, function.last + 1) if function else ()
        return tuple(line for line in inside if self.within.get(line) is function)


@lru_cache(maxsize=256)
def outline(source: bytes) -> Outline:
    """The outline of a file, cached by content."""
    of_line = [0] * len(parse.line_starts(source))
    nodes: dict[int, Node] = {}
    above: dict[int, int] = {}
    for node in parse.statements(source):  # outer ones first: a line belongs to the innermost, a place is the outermost that begins there
        if node.type != DECORATED:  # decorators and the definition under them are places of their own
            first, last = first_line(node), last_line(node)
            above.setdefault(first, of_line[first - 1])
            nodes.setdefault(first, node)
            of_line[first - 1 : last] = [first] * (last - first + 1)
    functions = parse.functions(source)
    return Outline(tuple(of_line), nodes, above, functions, _within(functions, nodes))


def _within(functions: tuple[Function, ...], nodes: Mapping[int, Node]) -> dict[int, Function | None]:
    """Inner functions come after outer ones, so the last word on a place is the innermost function's."""
    within: dict[int, Function | None] = dict.fromkeys(nodes)
    for function in functions:
        within.update((line, function) for line in range(function.first + 1, function.last + 1) if line in nodes)
    return within


@lru_cache(maxsize=4096)
def words(phrase: str) -> frozenset[str]:
    """The lower-case words of identifiers and prose: "getHTTP_headers" -> get, http, headers."""
    return frozenset(w.lower() for w in WORD.findall(phrase) if len(w) > 2)


def own_text(code: Outline, place: int) -> str:
    """The source of a place without the statements inside it."""
    node = code.nodes[place]
    end = parse.header(node).end - node.start_byte
    return (node.text or b"")[:end].decode("utf-8", "backslashreplace")


@lru_cache(maxsize=1 << 15)
def names(code: Outline, place: int) -> frozenset[str]:
    """The identifiers in a place, attributes included."""
    return frozenset(text(n) for n in parse.own(code.nodes[place]) if n.type == "identifier")


@lru_cache(maxsize=1 << 15)
def calls(code: Outline, place: int) -> frozenset[str]:
    """What a place may call: its identifiers, and the special methods behind its operators and builtins."""
    said = names(code, place)
    special = {method for n in parse.own(code.nodes[place]) for method in OPERATORS.get(n.type, "").split()}
    return said.union(special, *(BUILTINS[name].split() for name in said & BUILTINS.keys()))


@lru_cache(maxsize=1 << 15)
def assigned(code: Outline, place: int) -> frozenset[str]:
    """The names, and names of attributes, that a place gives a value to."""
    targets = [n.child_by_field_name("left") for n in parse.own(code.nodes[place]) if n.type in ASSIGNMENTS]
    return frozenset(text(n) for target in targets if target for n in parse.walk(target) if n.type == "identifier")


def controlling(code: Outline, place: int) -> Iterator[int]:
    """The branches and loops that decide whether a place runs, innermost first, up to its function."""
    while (place := code.above[place]) and code.nodes[place].type not in {FUNCTION, CLASS}:
        if code.nodes[place].type in BRANCHES:
            yield place


@lru_cache(maxsize=1 << 12)
def results(code: Outline, function: Function) -> frozenset[int]:
    """The returns of a function, the places that assign what they return, and the branches that decide on either."""
    places = code.places(function)
    returns = {p for p in places if code.nodes[p].type == "return_statement"}
    returned = frozenset().union(*(names(code, p) for p in returns))
    flows = returns | {p for p in places if assigned(code, p) & returned}
    return frozenset(flows.union(*(controlling(code, p) for p in flows)))
