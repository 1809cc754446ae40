"""Attributes: another one, one with a default, one more, one less."""

from __future__ import annotations

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.scope import likeness
from swesearch.agents.templates.table import Drafts, template


@template(7, "attribute", on="AttributeError")
def swap(node: Node, context: Context) -> Drafts:
    """Another attribute. Attributes of the type seen, of the same object elsewhere, and those the file uses."""
    value, token = context.text(node.named_children[0]), node.named_children[-1]
    old = context.text(token)
    known = {a.removesuffix("()") for k in context.seen.get(value, ()) for a in k.attributes}
    beside = context.around.members.get(value, set())
    used = context.around.attributes
    for name in sorted(known | beside | (set(used) if not known else set())):
        if name != old and (not known or name in known or name in beside) and not name.startswith("__"):
            wanted = 4.0 if name in context.localisation.names else 1.0
            near = 1.0 * (name in beside) + 0.3 * (name in used) + 3 * likeness(old, name) ** 2
            yield context.put(token, name, (0.02 + near) * wanted, f".{name} instead of .{old}")


@template(3, "attribute", on="AttributeError")
def getattr_(node: Node, context: Context) -> Drafts:
    """The attribute or a default. `x.a` becomes `getattr(x, "a", None)`."""
    value, name = (context.text(c) for c in (node.named_children[0], node.named_children[-1]))
    missing = 3.0 if any(error == "AttributeError" for error, _ in context.localisation.errors) else 1.0
    for default, weight in (("None", 2.0), ("''", 0.5), ("False", 0.7), ("[]", 0.4), ("{}", 0.3), ("0", 0.3), (value, 0.4)):
        yield context.put(node, f"getattr({value}, '{name}', {default})", weight * missing, f"{default} where there is no .{name}")


@template(1.5, "attribute")
def drop(node: Node, context: Context) -> Drafts:
    """Without the attribute."""
    yield context.put(node, context.text(node.named_children[0]), 1.0, f"{context.text(node.named_children[0])[:30]} itself")


@template(2.5, "attribute", "call")
def deepen(node: Node, context: Context) -> Drafts:
    """An attribute of the attribute. `x.a` becomes `x.a.b` for attributes of the type seen that the code around uses."""
    text = context.text(node)
    for kind in context.seen.get(text, ()):
        for name in kind.attributes:
            bare = name.removesuffix("()")
            if context.around.attributes.get(bare) or bare in context.localisation.names:
                yield context.put(node, f"{text}.{name}", 3.0 if bare in context.localisation.names else 1.0, f"take .{name}")
    if not context.seen.get(text):
        for name, count in context.around.attributes.most_common(15):
            yield context.put(node, f"{text}.{name}", 0.05 * min(count, 5), f"take .{name}")


@template(3, "attribute")
def reroute(node: Node, context: Context) -> Drafts:
    """Through another object. `a.x` becomes `b.x`, or `a.b.x` by a way that the function already uses."""
    value, name = node.named_children[0], context.text(node.named_children[-1])
    old = context.text(value)
    for idiom in context.idioms:
        if idiom.type in {"identifier", "attribute", "subscript"} and idiom.text != old and len(idiom.text) < 40:
            weight = 2.0 if idiom.text.startswith(old + ".") else 1.0
            yield context.put(value, idiom.text, weight * context.agree(old, idiom.text), f"{idiom.text}.{name} instead")
