"""Names in Python code: where they are defined and used, and a file's outline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from swesearch.code.parse import CLASS, FUNCTION, captures, first_line, parse, text

IDENTIFIERS = "(identifier) @name"
DEFINITIONS = "[(function_definition) (class_definition)] @definition"
SHOWN = 160  # characters of a signature


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One line on which a name stands, and whether it is defined there."""

    line: int
    defines: bool
    text: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or function: how deep it is nested, and its header on one line."""

    name: str
    line: int
    depth: int
    signature: str


def occurrences(source: bytes, name: str) -> tuple[Occurrence, ...]:
    """The lines on which the identifier `name` stands in code, not in comments or strings. Bad code is read as far as it goes."""
    lines = source.split(b"\n")
    found: dict[int, bool] = {}
    for node in captures(IDENTIFIERS, parse(source).root_node).get("name", []):
        if node.text == name.encode():
            line = first_line(node)
            found[line] = found.get(line, False) or _defines(node)
    return tuple(Occurrence(line, found[line], lines[line - 1].decode("utf-8", "backslashreplace")) for line in sorted(found))


def definitions(source: bytes) -> tuple[Definition, ...]:
    """Every class and function of a file, in source order."""
    nodes = captures(DEFINITIONS, parse(source).root_node).get("definition", [])
    return tuple(_definition(node) for node in sorted(nodes, key=lambda node: node.start_byte))


def _definition(node: Node) -> Definition:
    name = node.child_by_field_name("name")
    end = max((child.end_byte for child in node.children if child.type == ":"), default=node.end_byte)  # a comment may follow it
    head = (node.text or b"")[: end - node.start_byte].decode("utf-8", "backslashreplace")
    depth = sum(above.type in {FUNCTION, CLASS} for above in _above(node))
    return Definition(text(name) if name else "", first_line(node), depth, " ".join(head.split())[:SHOWN])


def _above(node: Node) -> Iterator[Node]:
    while (parent := node.parent) is not None:
        yield parent
        node = parent


def _defines(node: Node) -> bool:
    """Whether an identifier is the name of a definition, or what a statement assigns to."""
    parent = node.parent
    if parent is None:
        return False
    if parent.type in {FUNCTION, CLASS}:
        return parent.child_by_field_name("name") == node
    if parent.type == "attribute" and parent.child_by_field_name("attribute") == node:
        node, parent = parent, parent.parent or parent  # self.name = ...
    return parent.type == "assignment" and parent.child_by_field_name("left") == node
