"""Elements and slices: another index, from the end, a part of it, or with a default."""

from __future__ import annotations

from tree_sitter import Node

from swesearch.agents.templates import forms
from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template

SLICED = frozenset({"str", "bytes", "list", "tuple"})


@template(4, "identifier", "attribute", "call", "subscript")
def slice_(node: Node, context: Context) -> Drafts:
    """A part of it. `x` becomes `x[1:]`, `x[k:]`, `x[0]` ... as far as the type seen allows."""
    kinds = context.kinds(context.text(node))
    if kinds and not kinds & (SLICED | {"Match", "dict"}):
        return
    text = context.text(node)
    known = 1.0 if kinds else 0.4
    for bounds, weight in (
        ("1:", 1.0),
        (":-1", 0.8),
        (":", 0.7),
        ("0", 1.0),
        ("-1", 1.0),
        ("::-1", 0.3),
        ("1", 0.4),
        (":2", 0.3),
        (":1", 0.3),
    ):
        yield context.put(node, f"{text}[{bounds}]", weight * known, f"take [{bounds}] of {text[:30]}")
    for name in context.locals(node):
        if name.text != text and context.kinds(name.text) <= {"int"}:
            sure = 1.0 if context.kinds(name.text) else 0.3
            for bounds in (f"{name.text}:", f":{name.text}", name.text):
                yield context.put(node, f"{text}[{bounds}]", 0.7 * known * sure * name.weight, f"take [{bounds}] of {text[:30]}")


@template(6, "slice")
def bounds(node: Node, context: Context) -> Drafts:
    """Another slice."""
    text = context.text(node)
    first, _, rest = text.partition(":")
    last = rest.partition(":")[0]
    new = {f"{first}:": 1.0, f":{last}": 1.0, ":": 0.5}
    new |= {f"{first}:-1": 0.7, f"1:{last}": 0.7, f"{first or '0'} + 1:{last}": 0.7, f"{first}:{last} + 1": 0.7 * bool(last)}
    new |= {f"{first}:{last} - 1": 0.7 * bool(last), f"{first} - 1:{last}": 0.4 * bool(first)}
    for name in context.locals(node):
        new |= {f"{first}:{name.text}": 0.3, f"{name.text}:{last}": 0.3}
    for bound, weight in new.items():
        if weight and bound != text:
            yield context.put(node, bound, weight, f"take [{bound}]")


@template(2, "subscript")
def whole(node: Node, context: Context) -> Drafts:
    """The whole instead of a part."""
    yield context.put(node, context.text(node.named_children[0]), 1.0, f"all of {context.text(node.named_children[0])[:30]}")


@template(2, "subscript")
def end(node: Node, context: Context) -> Drafts:
    """From the other end."""
    index = node.named_children[-1]
    text = context.text(index)
    other = {"0": "-1", "-1": "0", "1": "-1"}.get(text)
    if other is not None:
        yield context.put(index, other, 1.0, f"element {other}")
    elif index.type == "identifier":
        yield context.put(index, f"-{text}", 0.5, f"element -{text}")


@template(5, "subscript", on="KeyError")
def get(node: Node, context: Context) -> Drafts:
    """The element or a default. `d[k]` becomes `d.get(k)` or `d.get(k, default)`."""
    if node.named_child_count != 2 or node.named_children[1].type == "slice":
        return
    value, key = (context.text(c) for c in node.named_children)
    kinds = context.kinds(value)
    if kinds and not any("get()" in k.attributes for k in context.seen.get(value, ())):
        return
    missing = 2.0 if any(error == "KeyError" for error, _ in context.localisation.errors) else 1.0
    usual = {"": 3.0, ", None": 0.7, ", ''": 1.0, ", 0": 0.8, ", 1": 0.4, ", []": 0.8, ", {}": 0.8, ", False": 0.4}
    for default, weight in (usual | dict.fromkeys(sorted(context.around.fallbacks.get(key, ())), 2.0)).items():
        yield context.put(node, f"{value}.get({key}{default})", weight * missing, f"{value[:30]}.get({key[:20]}{default})")


@template(2, "call")
def index(node: Node, context: Context) -> Drafts:
    """The element for get. `d.get(k)` becomes `d[k]`; `d.pop(k)` becomes `d.pop(k, None)` in keywords.py."""
    function, arguments = node.children[0], node.children[-1]
    if function.type == "attribute" and context.text(function).endswith(".get") and arguments.named_child_count:
        yield context.put(node, f"{context.text(function.named_children[0])}[{context.text(arguments.named_children[0])}]")


@template(3, "subscript")
def parts(node: Node, context: Context) -> Drafts:
    """Other parts of the index. `a[i, j]` becomes `a[j, i]`, `a[i, k]`; `a[i][j]` becomes `a[j][i]`."""
    indices = node.named_children[1:]
    if len(indices) == 2:
        one, two = indices
        swapped = f"{context.text(node.named_children[0])}[{context.text(two)}, {context.text(one)}]"
        yield context.put(node, swapped, 2.0, "swap the two indices")
        yield context.put(node, f"{context.text(node.named_children[0])}[{context.text(two)}]", 0.2)
    inner = node.named_children[0]
    if inner.type == "subscript" and len(indices) == 1 and inner.named_child_count == 2:
        base, first = (context.text(c) for c in inner.named_children)
        yield context.put(node, f"{base}[{context.text(indices[0])}][{first}]", 1.0, "swap the two indices")


@template(1.5, "identifier")
def look_up(node: Node, context: Context) -> Drafts:
    """Look it up. `a` becomes `d[a]` for containers that the function looks into."""
    text = context.text(node)
    for name in dict.fromkeys(i.text.split("[")[0] for i in context.idioms if i.type == "subscript"):
        if name != text:
            yield context.put(node, f"{name}[{text}]", 1.0, f"look {text} up in {name}")


@template(1, "subscript")
def modulo(node: Node, context: Context) -> Drafts:
    """Bound the index."""
    index = node.named_children[-1]
    if node.named_child_count == 2 and index.type not in {"string", "slice", "integer"}:
        text = context.operand(index, forms.PRODUCT)
        yield context.put(index, f"{text} % len({context.text(node.named_children[0])})", 1.0, "start again at the end")
