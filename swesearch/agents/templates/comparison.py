"""Comparisons: another operator, operands the other way round, another bound."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from swesearch.agents.templates import forms
from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template

SWAPS: dict[str, dict[str, float]] = {
    "<": {"<=": 6, ">": 2, ">=": 1, "!=": 0.5},
    "<=": {"<": 6, ">=": 2, ">": 1, "==": 0.5},
    ">": {">=": 6, "<": 2, "<=": 1, "!=": 0.7},
    ">=": {">": 6, "<=": 2, "<": 1, "==": 0.5},
    "==": {"!=": 4, "<=": 2, ">=": 2, "is": 1, "in": 1, "<": 0.3, ">": 0.3},
    "!=": {"==": 4, "<": 1, ">": 1, "is not": 1, "not in": 1},
    "is": {"is not": 4, "==": 3, "in": 0.5},
    "is not": {"is": 4, "!=": 3},
    "in": {"not in": 4, "==": 2},
    "not in": {"in": 4, "!=": 2},
}


def simple(node: Node) -> tuple[Node, Node, Node] | None:
    """Left side, operator and right side of a comparison that is not chained."""
    if node.type != "comparison_operator" or node.child_count != 3:
        return None
    return node.children[0], node.children[1], node.children[2]


def _operators(node: Node) -> Iterator[Node]:
    return (c for c in node.children if c.type in SWAPS)


@template(10, "comparison_operator", on="Timeout")
def operator(node: Node, context: Context) -> Drafts:
    """Compare with another operator."""
    for token in _operators(node):
        for new, weight in SWAPS[token.type].items():
            yield context.put(token, new, weight, f"compare with {new} instead of {token.type}")


@template(1, "comparison_operator")
def flip(node: Node, context: Context) -> Drafts:
    """Compare the other way round."""
    sides = simple(node)
    if sides is not None and sides[1].type in {"in", "not in"}:
        left, token, right = sides
        new = f"{context.operand(right, forms.BITOR)} {token.type} {context.operand(left, forms.BITOR)}"
        yield context.put(node, new, why="swap the two sides of the comparison")


@template(2, "comparison_operator")
def bound(node: Node, context: Context) -> Drafts:
    """Compare with a near bound."""
    sides = simple(node)
    if sides is None or sides[2].type != "integer":
        return
    left, token, right = sides
    value = int(context.text(right), 0) if context.text(right).isdigit() else None
    for new in SWAPS[token.type] if value is not None and token.type in SWAPS else ():
        for near in (value + 1, value - 1) if value is not None else ():
            if new in {"<", "<=", ">", ">=", "=="}:
                yield context.put(node, f"{context.text(left)} {new} {near}", why=f"compare with {new} {near}")


@template(1, "comparison_operator")
def identity(node: Node, context: Context) -> Drafts:
    """Compare with None by identity."""
    sides = simple(node)
    if sides is not None and sides[2].type == "none" and sides[1].type in {"==", "!="}:
        yield context.put(sides[1], "is" if sides[1].type == "==" else "is not", why="compare with None by identity")


@template(1, "comparison_operator")
def membership(node: Node, context: Context) -> Drafts:
    """Look for the value among several. `a == b` becomes `a in (b, c)` with constants that the function compares with elsewhere."""
    sides = simple(node)
    if sides is None or sides[1].type not in {"==", "!="}:
        return
    left, token, right = sides
    word = "in" if token.type == "==" else "not in"
    others = [i.text for i in context.idioms if i.type in {"string", "integer", "none"} and i.text != context.text(right)]
    for other in others[:6]:
        new = f"{context.operand(left, forms.BITOR)} {word} ({context.text(right)}, {other})"
        yield context.put(node, new, why=f"also compare with {other}")
