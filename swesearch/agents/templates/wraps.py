"""Wraps: the value in a list, a string, a sorted list; or out of one."""

from __future__ import annotations

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template

CASTS: dict[str, tuple[str, ...]] = {
    "": (
        "str",
        "int",
        "list",
        "tuple",
        "set",
        "sorted",
        "len",
        "bool",
        "float",
        "reversed",
        "dict",
        "repr",
        "bytes",
        "iter",
        "next",
        "copy.copy",
        "copy.deepcopy",
    ),
    "int": ("str", "float", "bool", "abs"),
    "float": ("int", "str", "round"),
    "str": ("int", "float", "repr", "list", "len", "bytes"),
    "bytes": ("str", "len"),
    "list": ("tuple", "set", "sorted", "len", "list", "any", "all", "reversed", "str", "dict"),
    "tuple": ("list", "set", "sorted", "len", "str"),
    "set": ("list", "sorted", "len", "tuple"),
    "dict": ("list", "dict", "sorted", "len", "str"),
    "generator": ("list", "tuple", "set", "sorted", "next"),
}
WEIGHTS = {"str": 2.0, "int": 1.5, "list": 2.0, "sorted": 1.5, "tuple": 1.0, "set": 0.8, "len": 0.8, "float": 0.8, "bool": 0.6, "dict": 0.5}
LAZY = {"dict_keys": "dict", "dict_values": "list", "dict_items": "list", "map": "generator", "filter": "generator", "zip": "generator"}


@template(4.5, "value", on="TypeError")
def cast(node: Node, context: Context) -> Drafts:
    """Turn it into another type."""
    if node.type in {"integer", "float", "true", "false", "none", "lambda", "parenthesized_expression"}:
        return
    text = context.text(node)
    kinds = context.kinds(text) or context.kinds(_target(node, context)) or {""}
    names = dict.fromkeys(n for kind in sorted(kinds) for n in CASTS.get(LAZY.get(kind, kind), CASTS[""][:3]))
    for name in names:
        if not text.startswith(f"{name}("):
            used = 2.0 if name in context.used or name + "(" in "".join(i.text for i in context.idioms[:40]) else 1.0
            yield context.put(node, f"{name}({text})", WEIGHTS.get(name, 0.3) * used, f"{name} of {text[:30]}")


def _target(node: Node, context: Context) -> str:
    """The variable that a value is assigned to: what it held before is most often of the same type."""
    parent = context.unit.parent(node)
    target = parent.child_by_field_name("left") if parent is not None and parent.type == "assignment" else None
    return context.text(target) if target is not None else ""


@template(2, "value")
def enclose(node: Node, context: Context) -> Drafts:
    """In a list or tuple."""
    parent = context.unit.parent(node)
    if parent is None or (parent.type in {"list", "tuple", "subscript", "comparison_operator", "attribute"} and node.type != "list"):
        return
    text = context.text(node)
    if node.type in {"list", "identifier", "string", "call", "attribute", "tuple", "integer"}:
        yield context.put(node, f"[{text}]", 2.0 if node.type == "list" else 1.0, f"a list of {text[:30]}")
        yield context.put(node, f"({text},)", 0.7, f"a tuple of {text[:30]}")
    if node.type == "list" and node.named_child_count == 1:
        yield context.put(node, context.text(node.named_children[0]), 1.0, "without the list")


@template(2, "list", "tuple", "set", "list_comprehension", "generator_expression", "set_comprehension")
def display(node: Node, context: Context) -> Drafts:
    """List for tuple. `[...]` to `(...)`, `{...}` and back."""
    inner = context.text(node)[1:-1]
    comma = "," if node.named_child_count == 1 and node.type in {"list", "tuple", "set"} and not inner.endswith(",") else ""
    for open_, close in ("[]", "()", "{}"):
        if not context.text(node).startswith(open_) and (inner or open_ != "{"):
            tail = comma if open_ == "(" else ""
            yield context.put(node, open_ + (inner.rstrip(",") if open_ != "(" else inner) + tail + close, 1.0, f"{open_}{close} instead")


@template(2, "value")
def apply(node: Node, context: Context) -> Drafts:
    """Apply a function of the file. `x` becomes `f(x)` where the function around, or the file, has such an f with one argument."""
    if node.type not in {"identifier", "attribute", "call", "subscript"}:
        return
    text = context.text(node)
    near = {i.text.split("(")[0] for i in context.idioms if i.type == "call" and i.text.count("(") == 1 and "," not in i.text}
    called = dict.fromkeys(sorted(near), 1.5)
    for name, count in context.around.called.most_common(40):
        if name.split(".")[0] in context.around.module.names or name in {"unicode", "bytes", "str", "text_type"}:
            called.setdefault(name, 0.1 * min(count, 8))
    for name, weight in called.items():
        if name.replace(".", "").isidentifier() and not text.startswith(f"{name}(") and not name.startswith(f"{text}."):
            yield context.put(node, f"{name}({text})", weight, f"{name} of {text[:30]}")
    for name, known in context.around.signatures.items():
        signature = known[0]
        if len(signature.parameters) - len(signature.optional) == 1 and name in context.around.module.names:
            yield context.put(node, f"{name}({text})", 0.4, f"{name} of {text[:30]}")
