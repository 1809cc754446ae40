"""Variables: another one of the scope, an attribute of self, or what the error says is missing."""

from __future__ import annotations

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template


@template(11, "identifier")
def replace(node: Node, context: Context) -> Drafts:
    """Another variable."""
    old = context.text(node)
    unknown = old in context.localisation.names
    for name in context.names(node):
        if name.text == old:
            continue
        weight = name.weight * context.agree(old, name.text) * context.alike(old, name.text)
        if name.text in context.used and not unknown:
            weight *= 0.8
        yield context.put(node, name.text, weight, f"use {name.text} instead of {old}")
    for text in context.fields[:12]:
        yield context.put(node, text, 0.12 * context.agree(old, text) * context.alike(old, text), f"use {text} instead of {old}")


@template(3, "attribute", "subscript", "call", "integer", "string", "true", "false", "none")
def simplify(node: Node, context: Context) -> Drafts:
    """A variable for an expression."""
    old = context.text(node)
    for name in context.locals(node):
        weight = name.weight * context.agree(old, name.text) * (1 + 3 * (name.text in old))
        yield context.put(node, name.text, weight, f"use {name.text} instead of {old[:40]}")


@template(2, "identifier")
def deepen(node: Node, context: Context) -> Drafts:
    """An element or attribute of the variable.

    `x` becomes `x.name` where the function uses that, or the type seen has it under a name of the code around.
    """
    text = context.text(node)
    for idiom in context.idioms:
        if idiom.type in {"attribute", "subscript", "call"} and idiom.text.startswith((text + ".", text + "[")):
            yield context.put(node, idiom.text, 1.0)
    for kind in context.seen.get(text, ()):
        for name in kind.attributes:
            used = context.around.attributes.get(name.removesuffix("()"), 0)
            if used:
                yield context.put(node, f"{text}.{name}", 0.3 * (2 if name in context.localisation.names else 1))


@template(3, "identifier", "attribute")
def own(node: Node, context: Context) -> Drafts:
    """With or without self."""
    text = context.text(node)
    if f"self.{text}" in context.fields:
        yield context.put(node, f"self.{text}", 2.0 if text in context.localisation.names else 1.0, f"use self.{text}")
    elif text.startswith("self.") and text[5:] in context.scope.names:
        yield context.put(node, text[5:], 1.0, f"use the local {text[5:]}")


@template(2, "assignment", "augmented_assignment")
def target(node: Node, context: Context) -> Drafts:
    """Assign to another variable."""
    left = node.child_by_field_name("left")
    if left is None or left.type not in {"identifier", "subscript", "attribute"}:
        return
    old = context.text(left)
    known = [n.text for n in context.locals(node)] + [i.text for i in context.idioms if i.type == left.type]
    for new in dict.fromkeys(t for t in known if t != old):
        yield context.put(left, new, context.agree(old, new) * context.alike(old, new), f"assign to {new} instead of {old}")
