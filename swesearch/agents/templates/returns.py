"""Results: return another variable, a test of one, or something at all."""

from __future__ import annotations

from tree_sitter import Node

from swesearch.agents.templates import forms
from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template


@template(5, "return_statement")
def replace(node: Node, context: Context) -> Drafts:
    """Return something else."""
    value = node.named_children[0] if node.named_children else None
    if value is None:
        for name in context.locals():
            yield context.put(node, f"return {name.text}", name.weight, f"return {name.text}")
        return
    for name in context.locals(value):
        weight = name.weight * context.agree(context.text(value), name.text)
        yield context.put(value, name.text, weight, f"return {name.text}")
        if value.type in {"true", "false"}:
            yield from _tests(value, name.text, weight, context)
        yield context.put(value, f"[{name.text}]", 0.4 * weight, f"return [{name.text}]")
    for word in ("None", "True", "False", "[]", "{}", "''", "0", "self"):
        if word != "self" or "self" in context.scope.names:
            yield context.put(value, word, 0.3, f"return {word}")


def _tests(value: Node, name: str, weight: float, context: Context) -> Drafts:
    for test in (
        f"{name} == 0",
        f"not {name}",
        f"bool({name})",
        f"{name} is not None",
        f"{name} is None",
        f"{name} > 0",
        f"len({name}) > 0",
    ):
        yield context.put(value, test, 0.7 * weight, f"return whether {test}")


@template(4, "expression_statement")
def give(node: Node, context: Context) -> Drafts:
    """Return the result. `f(x)` becomes `return f(x)`."""
    inner = node.named_children[0] if node.named_children else None
    if inner is None or context.unit.function is None:
        return
    if inner.type in {"call", "attribute", "await", "identifier"}:
        yield context.put(node, f"return {context.text(inner)}", 1.0, "return the result")
    elif inner.type == "assignment" and inner.child_by_field_name("right") is not None:
        yield context.put(node, f"return {context.text(inner.named_children[-1])}", 0.3, "return it instead of keeping it")


@template(1.5, "return_statement", "raise_statement")
def keep(node: Node, context: Context) -> Drafts:
    """Go on instead of returning."""
    if node.type == "return_statement" and node.named_children:
        yield context.put(node, context.text(node.named_children[0]), 0.5, "do it without returning")
    if node.type == "raise_statement":
        yield context.put(node, "return", 1.0, "return instead of raising")
        yield context.put(node, "raise", 0.5, "raise the error that is there")
        yield context.put(node, "return None", 0.3)
        yield context.put(node, "return False", 0.5)


@template(1.5, "statement")
def finish(node: Node, context: Context) -> Drafts:
    """Return at the end too. A function whose last statement gives nothing back returns a variable of it."""
    function, parent = context.unit.function, node.parent
    if function is None or parent is None or parent.named_children[-1].id != node.id or node.type.endswith("_clause"):
        return
    if node.type in {"return_statement", "raise_statement", "function_definition", "class_definition"}:
        return
    for name in context.locals():
        yield context.after(f"return {name.text}", 1.0 if name.role != "parameter" else 0.5, f"return {name.text} at the end")
    for word in ("True", "False", "None", "self"):
        if word != "self" or "self" in context.scope.names:
            yield context.after(f"return {word}", 0.3, f"return {word} at the end")


@template(2, "yield", "call", "await")
def delegate(node: Node, context: Context) -> Drafts:
    """Yield from or await."""
    text = context.text(node)
    if node.type == "yield" and node.named_children:
        inner = context.text(node.named_children[0])
        yield context.put(node, f"yield {inner}" if text.startswith("yield from") else f"yield from {inner}", 1.0)
        yield context.put(node, f"yield {inner}[0]", 0.1)
    elif node.type == "await":
        yield context.put(node, context.text(node.named_children[0]), 1.0, "do not await")
    elif node.type == "call" and _asynchronous(context) and not _awaited(node, context):
        yield context.fit(node, f"await {text}", forms.UNARY, 1.0, f"await {text[:40]}")


def _asynchronous(context: Context) -> bool:
    return context.unit.function is not None and context.unit.function.children[0].type == "async"


def _awaited(node: Node, context: Context) -> bool:
    parent = context.unit.parent(node)
    return parent is not None and parent.type == "await"
