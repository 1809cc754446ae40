"""Conditions: negated, weakened, strengthened, with an operand less, or another one altogether."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from swesearch.agents.templates import forms
from swesearch.agents.templates.comparison import simple
from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template
from swesearch.code.parse import PREDICATES

BOOLEANS = frozenset({"comparison_operator", "boolean_operator", "not_operator", "true", "false"})


def subjects(node: Node, context: Context) -> list[str]:
    """What a new test is likely to ask about: variables, attributes and objects in a node, outermost first."""
    found: dict[str, None] = {}
    stack = [node]
    while stack:
        inner = stack.pop(0)
        if inner.type in {"identifier", "attribute", "subscript"} and inner.type != "keyword_argument":
            found.setdefault(context.text(inner))
        children = inner.named_children
        if inner.type == "attribute":
            children = children[:1]
        elif inner.type == "call":
            called = inner.children[0]
            children = [c for c in inner.named_children if c != called] + (called.named_children[:1] if called.type == "attribute" else [])
        elif inner.type == "keyword_argument":
            children = children[1:]
        stack.extend(children)
    return [t for t in found if len(t) <= 60 and t not in {"self", "cls"}]


def tests(text: str, context: Context) -> Iterator[tuple[str, int, float]]:
    """Tests of one subject: source, precedence, weight."""
    none = 2.0 if "NoneType" in context.kinds(text) else 1.0
    yield text, forms.ATOM, 2.0 * none
    yield f"{text} is not None", forms.COMPARISON, 1.5 * none
    yield f"not {text}", forms.NOT, 1.0
    yield f"{text} is None", forms.COMPARISON, 1.0 * none


def pool(node: Node, context: Context) -> Iterator[tuple[str, int, float]]:
    """Tests that could join a condition: of its own subjects, of the guarded code's, of the scope; and those of the function."""
    own = subjects(node, context)
    for rank, text in enumerate(own):
        for source, level, weight in tests(text, context):
            yield source, level, weight * 3.0 / (1 + 0.3 * rank)
    for name in context.locals(node):
        if name.text not in own:
            for source, level, weight in tests(name.text, context):
                yield source, level, weight * name.weight * 0.5
    for idiom in context.idioms:
        if idiom.type in {"comparison_operator", "not_operator"}:
            yield idiom.text, forms.COMPARISON if idiom.type == "comparison_operator" else forms.NOT, 0.7
    for rank, text in enumerate(context.fields[:25]):
        for source, level, weight in tests(text, context):
            yield source, level, weight * 0.2 / (1 + 0.1 * rank)


@template(7, "condition", on="None")
def strengthen(node: Node, context: Context) -> Drafts:
    """Ask for more. `c` becomes `a and c` (a guards c) or `c and a`."""
    old = context.operand(node, forms.AND)
    for source, level, weight in pool(node, context):
        if source != context.text(node):
            test = forms.bracketed(source, level, forms.AND)
            guards = context.text(node).find(source.removesuffix(" is not None")) >= 0
            first, second = (test, old) if guards else (old, test)
            yield context.fit(node, f"{first} and {second}", forms.AND, weight, f"also ask for {source}")


@template(2, "comparison_operator", "boolean_operator", "not_operator", "call")
def strengthen_result(node: Node, context: Context) -> Drafts:
    """Give true only if. A truth value that is kept or returned is also made to depend on another test."""
    parent = context.unit.parent(node)
    if parent is None or parent.type not in {"return_statement", "assignment", "keyword_argument"}:
        return
    old = context.operand(node, forms.AND)
    share = 0.3 if node.type == "call" else 1.0
    for source, level, weight in pool(node, context):
        if source != context.text(node):
            test = forms.bracketed(source, level, forms.AND)
            yield context.fit(node, f"{test} and {old}", forms.AND, weight * share, f"true only if {source}")
            yield context.fit(node, f"{context.text(node)} or {source}", forms.OR, weight * share * 0.5, f"true also if {source}")


@template(5, "condition", on="None")
def weaken(node: Node, context: Context) -> Drafts:
    """Ask for less. `c` becomes `a or c` (a guards c) or `c or a`."""
    old = context.operand(node, forms.OR)
    for source, level, weight in pool(node, context):
        if source != context.text(node):
            subject = source.removesuffix(" is None").removeprefix("not ")
            guards = subject != source and subject in context.text(node)
            first, second = (source, old) if guards and level < forms.ATOM else (old, source)
            yield context.fit(node, f"{first} or {second}", forms.OR, weight, f"or else ask for {source}")


@template(4, "condition", "comparison_operator", "boolean_operator", "not_operator")
def negate(node: Node, context: Context) -> Drafts:
    """Negate the condition."""
    if node.type == "not_operator":
        inner = node.named_children[0]
        yield context.fit(node, context.text(inner), forms.level(inner), 1.5, "drop the not")
    elif simple(node) is None:
        yield context.fit(node, f"not {context.operand(node, forms.NOT)}", forms.NOT, 1.0, "negate the condition")


@template(6, "boolean_operator")
def drop(node: Node, context: Context) -> Drafts:
    """Drop a part of the condition."""
    left, right = node.children[0], node.children[2]
    yield context.fit(node, context.text(left), forms.level(left), 1.0, f"drop {context.text(right)[:40]}")
    yield context.fit(node, context.text(right), forms.level(right), 1.0, f"drop {context.text(left)[:40]}")


@template(4, "boolean_operator")
def connective(node: Node, context: Context) -> Drafts:
    """And for or."""
    new = "or" if forms.operator(node) == "and" else "and"
    left, right = (context.operand(node.children[i], forms.OPERATORS[new]) for i in (0, 2))
    yield context.fit(node, f"{left} {new} {right}", forms.OPERATORS[new], 1.0, f"{new} instead of {forms.operator(node)}")


@template(3, "condition", on="Timeout")
def replace(node: Node, context: Context) -> Drafts:
    """Another condition."""
    always = 3.0 if node.type in {"true", "false", "integer"} else 1.0
    for source, level, weight in pool(node, context):
        yield context.fit(node, source, level, weight * always, f"ask for {source} instead")
    if node.type != "true":
        yield context.put(node, "True", 0.5, "always")
        yield context.put(node, "False", 0.5, "never")


@template(5, "condition", "not_operator", "comparison_operator")
def truth(node: Node, context: Context) -> Drafts:
    """Ask for None, emptiness or truth. `x` to `x is not None` and back, `not x` to `x is None`, `len(x) > 0` to `x`."""
    text = context.text(node)
    sides = simple(node)
    if node.type == "not_operator":
        if _is_truth(node.named_children[0], context):
            return
        inner = context.operand(node.named_children[0], forms.BITOR)
        yield context.fit(node, f"{inner} is None", forms.COMPARISON, 1.0)
        yield context.fit(node, f"not len({inner})", forms.NOT, 0.1)
    elif sides is not None:
        left = context.text(sides[0])
        if sides[2].type in {"none", "false", "true", "integer", "string"}:
            yield context.fit(node, left, forms.level(sides[0]), 1.0)
            yield context.fit(node, f"not {context.operand(sides[0], forms.NOT)}", forms.NOT, 1.0)
            yield context.fit(node, f"{context.operand(sides[0], forms.BITOR)} is None", forms.COMPARISON, 0.5)
            yield context.fit(node, f"{context.operand(sides[0], forms.BITOR)} is not None", forms.COMPARISON, 0.5)
    elif not _is_truth(node, context):
        inner = context.operand(node, forms.BITOR)
        yield context.fit(node, f"{inner} is not None", forms.COMPARISON, 2.0, f"ask whether {text[:30]} is not None")
        yield context.fit(node, f"{inner} is None", forms.COMPARISON, 0.5)
        yield context.fit(node, f"len({text}) > 0", forms.COMPARISON, 0.3)
        yield context.fit(node, f"len({text}) > 1", forms.COMPARISON, 0.3)
        yield context.fit(node, f"{inner} > 0", forms.COMPARISON, 0.3)


def _is_truth(node: Node, context: Context) -> bool:
    """Whether a node is True or False by its form: then nothing else is to be asked of it."""
    return node.type in BOOLEANS or (node.type == "call" and context.text(node.children[0]) in PREDICATES)


@template(1.5, "comparison_operator")
def alike(node: Node, context: Context) -> Drafts:
    """Compare in the same form. `a == b` becomes `a.lower() == b.lower()`, `str(a) == str(b)`."""
    sides = simple(node)
    if sides is None or sides[1].type not in {"==", "!=", "in", "not in"}:
        return
    left, right = (context.operand(sides[i], forms.ATOM) for i in (0, 2))
    for method in ("lower", "strip", "upper"):
        yield context.put(node, f"{left}.{method}() {sides[1].type} {right}.{method}()", 1.0, f"compare .{method}()")
    for cast in ("str", "int", "set", "sorted", "list", "len"):
        new = f"{cast}({context.text(sides[0])}) {sides[1].type} {cast}({context.text(sides[2])})"
        yield context.put(node, new, 0.7, f"compare as {cast}")


@template(2, "condition", on="AttributeError TypeError")
def kind(node: Node, context: Context) -> Drafts:
    """Ask for the type. `c` becomes `isinstance(x, T) and c` with types seen or used in the file."""
    used = [i.text for i in context.idioms if i.type == "call" and i.text.startswith(("isinstance(", "hasattr(", "callable("))]
    for text in used[:5]:
        yield context.fit(node, f"{text} and {context.operand(node, forms.AND)}", forms.AND, 1.0)
        yield context.fit(node, f"not {text} and {context.operand(node, forms.AND)}", forms.AND, 1.0)
    for subject in subjects(node, context)[:3]:
        for name in sorted(context.kinds(subject) - {"NoneType"}) or ["str", "dict"]:
            test = f"isinstance({subject}, {name})"
            yield context.fit(node, f"{test} and {context.operand(node, forms.AND)}", forms.AND, 0.7, f"also ask for {test}")
            yield context.fit(node, f"not {test} and {context.operand(node, forms.AND)}", forms.AND, 0.5, f"also ask for not {test}")


@template(2, "call")
def isinstance_(node: Node, context: Context) -> Drafts:
    """Check more types. `isinstance(x, A)` becomes `isinstance(x, (A, B))`."""
    parts = node.child_by_field_name("arguments")
    if parts is None or not context.text(node).startswith("isinstance(") or parts.named_child_count != 2:
        return
    subject, kinds = parts.named_children
    known = context.text(kinds).strip("()").rstrip(",")
    more = {"list": 1.0, "tuple": 1.0, "set": 0.5, "str": 1.0, "bytes": 0.7, "dict": 0.5, "int": 0.5, "float": 0.7, "type(None)": 0.3}
    more |= dict.fromkeys(context.kinds(context.text(subject)) - {"NoneType"}, 3.0)
    for name, weight in more.items():
        if name not in known:
            yield context.put(kinds, f"({known}, {name})", weight, f"also accept {name}")
            yield context.put(kinds, name, weight * 0.5, f"accept {name} instead")
