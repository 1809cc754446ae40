"""Names in Python code: where they are defined, set and used, and a file's classes and functions.

No node's parent is ever asked for: that takes time which grows with the tree, and the code may be hostile.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from tree_sitter import Node

from swesearch.code.parse import captures, first_line, parse, text

Use = Literal["defines", "sets", "uses"]
DEFINITIONS = "[(function_definition) (class_definition)] @definition"
IDENTIFIERS = """
(function_definition name: (identifier) @defines (#eq? @defines "NAME"))
(class_definition name: (identifier) @defines (#eq? @defines "NAME"))
(assignment left: (identifier) @sets (#eq? @sets "NAME"))
(assignment left: (attribute attribute: (identifier) @sets) (#eq? @sets "NAME"))
((identifier) @uses (#eq? @uses "NAME"))
"""
SHOWN = 160  # characters of a signature

_parsed = parse.__wrapped__  # not kept: looking for one name would push out the trees that others work with


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One line on which a name stands, and the most that is done with it there."""

    line: int
    use: Use
    text: str


@dataclass(frozen=True, slots=True)
class Definition:
    """A class or function: how deep it is nested, and its header on one line."""

    name: str
    line: int
    depth: int
    signature: str


def occurrences(source: bytes, name: str) -> tuple[Occurrence, ...]:
    """The lines on which an identifier stands in code, not in comments or strings. Raises ValueError where `name` is none."""
    if not name.isidentifier():
        raise ValueError(f"{name!r} is no identifier")
    found = captures(IDENTIFIERS.replace("NAME", name), _parsed(source).root_node)
    uses: dict[int, Use] = {}
    for use in ("uses", "sets", "defines"):
        uses.update((first_line(node), use) for node in found.get(use, ()))
    lines = source.split(b"\n")
    return tuple(Occurrence(line, uses[line], lines[line - 1].decode("utf-8", "backslashreplace")) for line in sorted(uses))


def definitions(source: bytes) -> tuple[Definition, ...]:
    """Every class and function of a file, in source order."""
    nodes = captures(DEFINITIONS, _parsed(source).root_node).get("definition", [])
    return tuple(_definitions(sorted(nodes, key=lambda node: node.start_byte)))


def _definitions(nodes: list[Node]) -> Iterator[Definition]:
    around: list[int] = []  # where the definitions that a node is nested in end
    for node in nodes:
        around = [end for end in around if end > node.start_byte]
        name = node.child_by_field_name("name")
        end = max((child.end_byte for child in node.children if child.type == ":"), default=node.end_byte)  # a comment may follow it
        head = (node.text or b"")[: end - node.start_byte].decode("utf-8", "backslashreplace")
        yield Definition(text(name) if name else "", first_line(node), len(around), " ".join(head.split())[:SHOWN])
        around.append(node.end_byte)
