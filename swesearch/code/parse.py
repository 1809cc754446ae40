"""Syntax trees of source files: spans, lines, statements, functions. A thin typed layer on tree-sitter.

Everything works on bytes and byte offsets, so encodings and line ends are never touched. Lines are 1-based and end at b"\\n".
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import PurePosixPath

import tree_sitter_python
from tree_sitter import Language, Node, Parser, Query, QueryCursor, Tree

GRAMMARS: Mapping[str, Callable[[], object]] = {"python": tree_sitter_python.language}
SUFFIXES: Mapping[str, str] = {".py": "python", ".pyi": "python"}

BODIES = frozenset({"module", "block"})  # nodes whose named children are statements
CLAUSES = frozenset({"elif_clause", "else_clause", "except_clause", "except_group_clause", "finally_clause", "case_clause"})
FUNCTION, CLASS, DECORATED = "function_definition", "class_definition", "decorated_definition"
PARTS = CLAUSES | {FUNCTION, CLASS, "decorator"}  # named places that need not be statements
PREDICATES = frozenset({"all", "any", "bool", "callable", "hasattr", "isinstance", "issubclass"})  # built in: True or False, never None


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Bytes from `start` up to and not including `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method: `name` is qualified ("Class.method", "outer.inner"), `first` and `last` are lines, decorators included."""

    name: str
    span: Span
    first: int
    last: int
    node: Node  # the function_definition

    @property
    def body(self) -> int:
        """The line on which the body begins; lines before it belong to the header."""
        block = self.node.child_by_field_name("body")
        return first_line(block) if block is not None else self.last


def language_of(path: str) -> str | None:
    """The language of a file by its suffix, None where no grammar knows it."""
    return SUFFIXES.get(PurePosixPath(path).suffix)


@cache
def _language(name: str) -> Language:
    return Language(GRAMMARS[name]())


@lru_cache(maxsize=512)
def parse(source: bytes, language: str = "python") -> Tree:
    """The syntax tree of `source`, cached by content. Never raises on bad code: see `errors`."""
    return Parser(_language(language)).parse(source)


def errors(source: bytes, language: str = "python") -> tuple[Span, ...]:
    """Where `source` does not parse; empty where it does."""
    root = parse(source, language).root_node
    if not root.has_error:
        return ()
    return tuple(span(node) for node in walk(root, lambda n: n.has_error) if node.is_error or node.is_missing)


def walk(node: Node, enter: Callable[[Node], bool] = lambda _: True) -> Iterator[Node]:
    """`node` and its descendants in source order; not below nodes for which `enter` is false."""
    stack = [node]
    while stack:
        node = stack.pop()
        yield node
        if enter(node):
            stack.extend(reversed(node.children))


@lru_cache(maxsize=128)
def _query(pattern: str, language: str) -> Query:
    return Query(_language(language), pattern)


def captures(pattern: str, node: Node, language: str = "python") -> dict[str, list[Node]]:
    """Nodes below `node` by capture name of a tree-sitter query. Raises QueryError on a bad pattern."""
    return QueryCursor(_query(pattern, language)).captures(node)


def span(node: Node) -> Span:
    """The bytes of a node."""
    return Span(node.start_byte, node.end_byte)


def text(node: Node) -> str:
    """The source of a node, for reading and comparing; bytes that are not UTF-8 become escapes."""
    return (node.text or b"").decode("utf-8", "backslashreplace")


def first_line(node: Node) -> int:
    """The line on which a node begins."""
    return node.start_point.row + 1


def last_line(node: Node) -> int:
    """The line on which a node ends."""
    return node.end_point.row + 1


def touches(node: Node, line: int) -> bool:
    """Whether part of a node stands on `line`."""
    return first_line(node) <= line <= last_line(node)


@lru_cache(maxsize=64)
def line_starts(source: bytes) -> tuple[int, ...]:
    """The byte offset at which each line begins."""
    starts = [0]
    while (newline := source.find(b"\n", starts[-1])) >= 0:
        starts.append(newline + 1)
    return tuple(starts)


def line_at(source: bytes, offset: int) -> int:
    """The line of a byte offset."""
    return bisect_right(line_starts(source), offset)


def line_span(source: bytes, line: int) -> Span:
    """The bytes of a line without its line end. Raises IndexError where there is no such line."""
    starts = line_starts(source)
    if not 1 <= line <= len(starts):
        raise IndexError(f"line {line} of {len(starts)}")
    end = starts[line] if line < len(starts) else len(source)
    return Span(starts[line - 1], starts[line - 1] + len(source[starts[line - 1] : end].rstrip(b"\r\n")))


def nodes_at(source: bytes, line: int) -> tuple[Node, ...]:
    """The named nodes that stand at least partly on `line`, outer ones first."""
    root = parse(source).root_node
    return tuple(n for n in walk(root, lambda n: touches(n, line)) if n.is_named and touches(n, line))


def statements(source: bytes) -> Iterator[Node]:
    """Every statement, clause and decorator, and the definitions under decorators: outer ones first. Comments are none."""
    bodies: set[int] = set()  # looking up a node's parent takes time that grows with the tree
    for node in walk(parse(source).root_node):
        if node.type in BODIES:
            bodies.update(child.id for child in node.named_children if child.type != "comment")
        if node.id in bodies or node.type in PARTS:
            yield node


def statements_at(source: bytes, line: int) -> tuple[Node, ...]:
    """The statements that begin on `line`, or else the innermost one that stands on it."""
    found = [n for n in nodes_at(source, line) if n.parent is not None and n.parent.type in BODIES and n.type != "comment"]
    begun = tuple(n for n in found if first_line(n) == line)
    return begun or tuple(found[-1:])


@lru_cache(maxsize=128)
def functions(source: bytes) -> tuple[Function, ...]:
    """Every function and method, in source order."""
    return tuple(_functions(source))


def function_at(source: bytes, line: int) -> Function | None:
    """The innermost function around `line`, None at module or class level."""
    found = [f for f in functions(source) if f.first <= line <= f.last]
    return found[-1] if found else None


def _functions(source: bytes) -> Iterator[Function]:
    for node in walk(parse(source).root_node):
        if node.type == FUNCTION:
            outer = node.parent if node.parent is not None and node.parent.type == DECORATED else node
            yield Function(qualified_name(node), span(outer), first_line(outer), last_line(outer), node)


def qualified_name(node: Node) -> str:
    """The dotted name of a definition inside its classes and functions."""
    names: list[str] = []
    above: Node | None = node
    while above is not None:
        name = above.child_by_field_name("name") if above.type in {FUNCTION, CLASS} else None
        if name is not None:
            names.append(text(name))
        above = above.parent
    return ".".join(reversed(names))


def own(node: Node) -> Iterator[Node]:
    """The nodes of a statement or clause without the bodies and clauses inside it: its header, where it is compound."""
    return (n for n in walk(node, lambda n: n is node or not _inner(n)) if n is node or not _inner(n))


def header(node: Node) -> Span:
    """The bytes of a statement or clause up to the first body or clause inside it."""
    inner = (n for n in walk(node, lambda n: n is node or not _inner(n)) if n is not node and _inner(n))
    end = min((n.start_byte for n in inner), default=node.end_byte)
    return Span(node.start_byte, node.start_byte + len((node.text or b"")[: end - node.start_byte].rstrip()))


def _inner(node: Node) -> bool:
    return node.type in BODIES or node.type in CLAUSES
