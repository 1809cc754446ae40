"""Variables: another one of the scope, an attribute of self, or what the error says is missing."""

from __future__ import annotations

import re

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template


@template(11, "identifier", on="NameError UnboundLocalError")
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
    for name in context.locals(node) if not context.performed(node) else ():
        weight = (
            name.weight * context.agree(old, name.text) * (context.alike(old, name.text) if node.type in {"attribute", "string"} else 1)
        )
        yield context.put(node, name.text, weight, f"use {name.text} instead of {old[:40]}")


OPPOSITES = (
    "left right", "start end stop", "first last", "min max", "lo hi", "low high", "parent child children", "key value", "keys values",
    "src dst", "source target", "row col column", "rows cols columns", "width height", "x y z", "before after", "input output",
    "old new", "prev next cur", "predecessor successor", "predecessors successors", "pred succ", "upper lower", "begin end",
    "left right", "true false", "lhs rhs", "request response", "read write", "enter exit", "send recv receive", "open close",
    "add remove", "get set", "encode decode", "name path", "stdin stdout stderr", "head tail", "top bottom", "inner outer",
    "local remote", "client server", "user group", "args kwargs", "in out", "incoming outgoing", "positive negative", "even odd",
    "push pop", "load dump", "loads dumps", "enable disable", "enabled disabled", "a b", "i j k", "self other", "expected actual",
    "root parent", "node nodes", "item items", "data metadata", "url path", "file dir", "single multiple",
)  # fmt: skip
OPPOSITE: dict[str, dict[str, None]] = {}
for _group in OPPOSITES:
    for _word in _group.split():
        OPPOSITE.setdefault(_word, {}).update((w, None) for w in _group.split() if w != _word)
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@template(3.5, "identifier", "attribute", "call")
def opposite(node: Node, context: Context) -> Drafts:
    """The opposite. `left` becomes `right`, `max_x` becomes `min_x`, where there is that variable, or an attribute somewhere."""
    variable = node.type == "identifier" and (node.parent is None or node.parent.child_by_field_name("name") != node)
    known = context.scope.names.keys() | ({name.text for name in context.names(node)} if variable else context.around.words)
    called = node.child_by_field_name("function") if node.type == "call" else node
    token = called.named_children[-1] if called is not None and called.type == "attribute" else called
    old = context.text(token) if token is not None and token.type == "identifier" else ""
    for match in WORD.finditer(old):
        for word in OPPOSITE.get(match.group().lower(), ()):
            cased = word.capitalize() if match.group()[0].isupper() else word
            new = old[: match.start()] + cased + old[match.end() :]
            if token is not None and new in known:
                yield context.put(token, new, 1.0, f"{new} instead of {old}")


@template(1.5, "identifier", "string")
def quoted(node: Node, context: Context) -> Drafts:
    """The name in quotes or without. `"weight"` becomes `weight` where that is a variable, and the other way."""
    text = context.text(node)
    if node.type == "string" and text[1:-1] in {n.text for n in context.locals(node)}:
        yield context.put(node, text[1:-1], 3.0, f"the variable {text[1:-1]}")
    elif node.type == "identifier" and text in context.around.quoted:
        yield context.put(node, f"'{text}'", 1.0, f"the string '{text}'")


@template(1, "identifier", "call", on="NameError")
def qualify(node: Node, context: Context) -> Drafts:
    """Take the name from its module. `f` becomes `module.f` for modules of the file, if nothing binds f."""
    token = node if node.type == "identifier" else node.named_children[0]
    name = context.text(token)
    if token.type != "identifier" or name in context.around.known or context.bound(token):
        return
    for module, role in context.around.module.names.items():
        if role == "import":
            yield context.put(token, f"{module}.{name}", 2.0 if f"{module}.{name}" in context.around.called else 1.0, f"{module}.{name}")


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


@template(2, "identifier", "attribute", on="NameError AttributeError")
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
