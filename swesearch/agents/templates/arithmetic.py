"""Arithmetic: another operator, one more or one less, operands swapped, dropped or added."""

from __future__ import annotations

from tree_sitter import Node

from swesearch.agents.templates import forms
from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template

SWAPS: dict[str, dict[str, float]] = {
    "+": {"-": 3, "*": 1, "|": 0.3, "%": 0.1},
    "-": {"+": 3, "%": 0.5, "/": 0.2, "*": 0.3},
    "*": {"/": 1, "**": 1.5, "+": 1, "//": 0.7, "@": 0.1},
    "/": {"//": 4, "*": 1, "%": 0.5},
    "//": {"/": 4, "%": 1, "*": 0.5},
    "%": {"//": 1, "/": 0.5, "&": 0.5},
    "**": {"*": 2},
    "&": {"|": 2, "^": 1, "and": 0.5},
    "|": {"&": 2, "^": 1, "or": 0.5, "+": 0.5},
    "^": {"&": 2, "|": 2, "**": 1},
    "<<": {">>": 2},
    ">>": {"<<": 2},
}
AUGMENTED = {f"{k}=": {f"{n}=": w for n, w in v.items() if n.isascii() and not n.isalpha()} for k, v in SWAPS.items()}
WHOLE = frozenset(
    {
        "argument_list",
        "subscript",
        "slice",
        "binary_operator",
        "return_statement",
        "assignment",
        "comparison_operator",
        "augmented_assignment",
    }
)
NUMERIC = frozenset({"identifier", "attribute", "call", "subscript", "binary_operator", "integer", "float", "unary_operator"})


def numeric(node: Node, context: Context) -> bool:
    """Whether an expression may be a number, as far as is known."""
    kinds = context.kinds(context.text(node))
    return node.type in NUMERIC and (not kinds or bool(kinds & {"int", "float", "bool", "Decimal"}))


@template(6, "binary_operator")
def operator(node: Node, context: Context) -> Drafts:
    """Calculate with another operator."""
    token = node.child_by_field_name("operator")
    for new, weight in SWAPS.get(forms.operator(node), {}).items() if token is not None else ():
        left, right = context.operand(node.children[0], forms.OPERATORS[new]), context.operand(node.children[2], forms.OPERATORS[new] + 1)
        yield context.fit(node, f"{left} {new} {right}", forms.OPERATORS[new], weight, f"use {new} instead of {forms.operator(node)}")


@template(5, "augmented_assignment", on="Timeout")
def augmented(node: Node, context: Context) -> Drafts:
    """Assign with another operator."""
    token = node.child_by_field_name("operator")
    if token is None:
        return
    for new, weight in AUGMENTED.get(token.type, {}).items():
        yield context.put(token, new, weight, f"use {new} instead of {token.type}")
    yield context.put(token, "=", 1, f"assign instead of {token.type}")


@template(5, "value", on="IndexError RecursionError Timeout")
def off_by_one(node: Node, context: Context) -> Drafts:
    """Count one more or one less."""
    parent = context.unit.parent(node)
    if parent is None or parent.type not in WHOLE or not numeric(node, context) or node.type == "integer":
        return
    weight = 2.0 if parent.type in {"slice", "subscript"} or _in_range(parent, context) else 1.0
    text = context.operand(node, forms.SUM)
    if node.type == "binary_operator" and forms.operator(node) in "+-" and context.text(node.children[2]) == "1":
        yield context.put(node, context.text(node.children[0]), weight * 2, f"drop the {forms.operator(node)} 1")
    for sign in "+-":
        yield context.fit(node, f"{text} {sign} 1", forms.SUM, weight, f"{'add' if sign == '+' else 'subtract'} 1")


def _in_range(parent: Node, context: Context) -> bool:
    call = context.unit.parent(parent)
    return parent.type == "argument_list" and call is not None and context.text(call).startswith(("range(", "xrange("))


@template(7, "integer")
def constant(node: Node, context: Context) -> Drafts:
    """Another number."""
    text = context.text(node)
    if not text.isdigit():
        return
    value = int(text)
    near = {-value: 0.5, value * 2: 0.3, value * 10: 0.2, value + 2: 0.3, value - 2: 0.3, value + 3: 0.1, 2: 0.5, 0: 1.0, 1: 1.0}
    near |= {value + 1: 3.0, value - 1: 3.0}
    for new, weight in near.items():
        if new != value:
            yield context.fit(node, str(new), forms.UNARY if new < 0 else forms.ATOM, weight, f"{new} instead of {value}")
    if (parent := context.unit.parent(node)) is not None and parent.type != "subscript":
        yield context.put(node, "None", 0.5)


@template(2.5, "binary_operator")
def flip(node: Node, context: Context) -> Drafts:
    """Swap the operands."""
    sign = forms.operator(node)
    if sign in {"-", "/", "//", "%", "+", "**", "<<", ">>"} and node.named_child_count == 2:
        left, right = context.operand(node.children[2], forms.level(node)), context.operand(node.children[0], forms.level(node) + 1)
        weight = 0.3 if sign in "+*" and _numbers(node, context) else 1.0
        yield context.put(node, f"{left} {sign} {right}", weight, f"swap the operands of {sign}")


def _numbers(node: Node, context: Context) -> bool:
    return any(n.type in {"integer", "float"} or "int" in context.kinds(context.text(n)) for n in (node.children[0], node.children[2]))


@template(3, "binary_operator")
def drop(node: Node, context: Context) -> Drafts:
    """Drop an operand."""
    for kept, gone in ((node.children[0], node.children[2]), (node.children[2], node.children[0])):
        text = context.text(kept)
        why = f"drop {context.text(gone)[:30]}"
        yield context.fit(node, text, forms.level(kept), 1.0, why)


@template(2.5, "value")
def term(node: Node, context: Context) -> Drafts:
    """Calculate with another variable too."""
    parent = context.unit.parent(node)
    if parent is None or parent.type not in WHOLE or not numeric(node, context):
        return
    for name in context.locals(node):
        if name.text == context.text(node) or context.kinds(name.text) - {"int", "float"}:
            continue
        weight = name.weight * (1.0 if context.kinds(name.text) else 0.4)
        for sign, share in (("-", 1.5), ("+", 1.0), ("*", 0.3)):
            if sign == "+" and parent.type == "binary_operator":
                share /= 2
            text = f"{context.operand(node, forms.OPERATORS[sign])} {sign} {name.text}"
            yield context.fit(node, text, forms.OPERATORS[sign], weight * share, f"calculate {text}")


@template(2, "value", on="Timeout")
def power(node: Node, context: Context) -> Drafts:
    """Square, negate or make positive."""
    if node.type not in {"identifier", "attribute", "call", "subscript", "binary_operator"} or not numeric(node, context):
        return
    text = context.operand(node, forms.ATOM)
    yield context.fit(node, f"{text} ** 2", forms.POWER, 1.0, f"square {text}")
    yield context.fit(node, f"-{text}", forms.UNARY, 1.0, f"negate {text}")
    yield context.put(node, f"abs({context.text(node)})", 0.7, "take the absolute value")
    yield context.put(node, f"int({context.text(node)})", 0.5, "take the whole number")


@template(2, "binary_operator")
def order(node: Node, context: Context) -> Drafts:
    """Calculate in another order. `a + b * c` becomes `(a + b) * c`, and the other way."""
    outer = forms.operator(node)
    left, right = node.children[0], node.children[2]
    if right.type == "binary_operator":
        a, b = context.text(right.children[0]), context.text(right.children[2])
        yield context.put(node, f"({context.text(left)} {outer} {a}) {forms.operator(right)} {b}", why="calculate the left side first")
    if left.type == "binary_operator":
        a, b = context.text(left.children[0]), context.text(left.children[2])
        yield context.put(node, f"{a} {forms.operator(left)} ({b} {outer} {context.text(right)})", why="calculate the right side first")
    if left.type == "parenthesized_expression":
        yield context.put(left, context.text(left)[1:-1], why="drop the brackets")
