"""Expressions: others that the function uses, a bound on the value, a fallback, a joined list."""

from __future__ import annotations

from tree_sitter import Node

from swesearch.agents.templates import forms
from swesearch.agents.templates.context import Context
from swesearch.agents.templates.scope import likeness
from swesearch.agents.templates.table import Drafts, template

GROUPS: dict[str, str] = {
    "attribute": "data", "subscript": "data", "identifier": "data", "call": "data", "binary_operator": "data", "integer": "number",
    "float": "number",
    "string": "text", "concatenated_string": "text", "true": "flag", "false": "flag", "none": "flag", "list": "list", "tuple": "list",
    "dictionary": "list", "list_comprehension": "list", "set": "list",
}  # fmt: skip
FREE = frozenset({"assignment", "return_statement", "argument_list", "keyword_argument", "augmented_assignment", "list", "tuple", "yield"})


@template(7, "value")
def replace(node: Node, context: Context) -> Drafts:
    """Another expression of the function."""
    old = context.text(node)
    group = GROUPS.get(node.type)
    for rank, idiom in enumerate(context.idioms):
        if idiom.text == old or idiom.type == "identifier" or len(idiom.text) > 50:
            continue
        same = 1.0 if idiom.type == node.type else 0.5 if GROUPS.get(idiom.type) == group else 0.15
        weight = same * (1 + 3 * likeness(old, idiom.text)) * context.agree(old, idiom.text) / (1 + 0.03 * rank)
        yield context.fit(node, idiom.text, _level(idiom.type), weight, f"use {idiom.text} instead of {old[:40]}")


def _level(kind: str) -> int:
    return forms.SUM if kind == "binary_operator" else forms.TYPES.get(kind, forms.OR if kind == "boolean_operator" else forms.ATOM)


@template(2.5, "value")
def clamp(node: Node, context: Context) -> Drafts:
    """Bound the value. `e` becomes `max(e, v)` or `min(e, v)` where it is kept or handed on."""
    parent = context.unit.parent(node)
    if parent is None or parent.type not in FREE or node.type in {"string", "true", "false", "none", "list", "dictionary"}:
        return
    text = context.text(node)
    kept = parent.child_by_field_name("left") if parent.type == "assignment" else None
    others = {context.text(kept): 3.0} if kept is not None else {}
    others |= {"0": 1.5, "1": 0.7}
    for name in context.locals(node):
        others.setdefault(name.text, 0.25 * name.weight)
    for other, weight in others.items():
        for word in ("max", "min"):
            if other != text and context.agree(text, other) >= 1:
                yield context.put(
                    node, f"{word}({other}, {text})", weight, f"keep {text[:30]} {'at least' if word == 'max' else 'at most'} {other}"
                )


@template(4, "value", on="None")
def default(node: Node, context: Context) -> Drafts:
    """Fall back on a default. `x` becomes `x or d`, or `x if x is not None else d`."""
    if node.type not in {"identifier", "attribute", "call", "subscript"}:
        return
    text = context.text(node)
    none = 2.0 if "NoneType" in context.kinds(text) else 1.0
    for value, weight in {"''": 1.0, "[]": 1.0, "{}": 1.0, "0": 0.7, "()": 0.4, "None": 0.3, "1": 0.2, "False": 0.2, "b''": 0.2}.items():
        yield context.fit(node, f"{text} or {value}", forms.OR, weight * none, f"fall back on {value}")
    for name in context.locals(node):
        if name.text != text:
            yield context.fit(node, f"{text} or {name.text}", forms.OR, 0.3 * name.weight, f"fall back on {name.text}")
            yield context.fit(node, f"{name.text} or {text}", forms.OR, 0.15 * name.weight)


@template(3, "value", on="None")
def conditional(node: Node, context: Context) -> Drafts:
    """Only if it is there. `f(x)` becomes `f(x) if x else None`."""
    if node.type not in {"call", "attribute", "subscript", "binary_operator", "identifier", "list"}:
        return
    text = context.text(node)
    subjects = list(dict.fromkeys(context.text(n) for n in _below(node) if n.type in {"identifier", "attribute"} and n.id != node.id))
    for subject in subjects[:4]:
        none = 2.0 if "NoneType" in context.kinds(subject) else 1.0
        values = {"None": 1.0 if node.type != "list" else 0.3, "''": 0.4, "0": 0.3, "[]": 0.3, subject: 0.7}
        for value, weight in values.items():
            yield context.fit(node, f"{text} if {subject} else {value}", forms.CONDITIONAL, none * weight)
            yield context.fit(node, f"{text} if {subject} is not None else {value}", forms.CONDITIONAL, none * weight)


def _below(node: Node) -> list[Node]:
    children = node.named_children
    if node.type == "attribute":
        children = children[:1]
    elif node.type == "call":
        called = children[0]
        children = [*(called.named_children[:1] if called.type == "attribute" else []), *children[1:]]
    elif node.type == "keyword_argument":
        children = children[1:]
    return [n for c in children for n in (c, *_below(c))]


@template(3, "conditional_expression")
def swap(node: Node, context: Context) -> Drafts:
    """Swap the two results."""
    yes, condition, no = (context.text(c) for c in node.named_children[:3])
    yield context.put(node, f"{no} if {condition} else {yes}", 1.0, "swap the two results")
    yield context.fit(node, yes, forms.level(node.named_children[0]), 1.0, f"always {yes[:40]}")
    yield context.fit(node, no, forms.level(node.named_children[2]), 1.0, f"always {no[:40]}")


@template(2.5, "value")
def join(node: Node, context: Context) -> Drafts:
    """Join with another one. `a` becomes `b + a` or `a + b`, for lists and strings of the function."""
    parent = context.unit.parent(node)
    if parent is None or parent.type not in FREE:
        return
    kinds = context.kinds(context.text(node))
    if (kinds and not kinds & {"list", "tuple", "str", "bytes"}) or node.type in {"integer", "true", "false", "none"}:
        return
    text = context.operand(node, forms.SUM)
    others = [n.text for n in context.locals(node)] + [f"[{n.text}]" for n in context.locals(node)]
    for other in others:
        kinds_of = context.kinds(other)
        if other != text and (not kinds_of or kinds_of & {"list", "tuple", "str", "bytes"}):
            weight = 1.0 if kinds_of or not other.startswith("[") else 0.4
            yield context.fit(node, f"{other} + {text}", forms.SUM, weight, f"put {other} before it")
            yield context.fit(node, f"{text} + {other}", forms.SUM, weight, f"put {other} after it")
