"""Calls: arguments swapped, dropped and added, another function or method, a call instead of an attribute and back."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.scope import Signature, likeness
from swesearch.agents.templates.table import Drafts, template

PAIRS = (
    "any all", "min max", "append extend appendleft", "copy deepcopy", "pop popleft", "add update", "add discard", "remove discard",
    "startswith endswith",
    "lower upper", "encode decode", "lstrip rstrip strip", "find rfind index", "split rsplit splitlines", "sorted reversed",
    "list tuple set",
    "int float str round", "keys values items", "search match fullmatch", "get pop setdefault", "read readline readlines", "loads load",
    "dumps dump",
    "isinstance issubclass", "getattr hasattr", "range enumerate", "floor ceil", "first last", "start stop", "abspath realpath",
    "isfile exists isdir", "join joinpath", "time monotonic", "isdigit isdecimal isnumeric", "debug info warning error", "quote quote_plus",
    "union intersection difference", "issubset issuperset", "append insert", "partition rpartition", "sum max min", "isalpha isalnum",
)  # fmt: skip
RELATED: dict[str, list[str]] = {}
for _group in PAIRS:
    for _word in _group.split():
        RELATED.setdefault(_word, []).extend(w for w in _group.split() if w != _word)


def arguments(call: Node) -> list[Node]:
    """The arguments of a call."""
    found = call.child_by_field_name("arguments")
    if found is None or found.type != "argument_list":
        return [] if found is None else [found]  # a generator, its brackets those of the call
    return [c for c in found.named_children if c.type != "comment"]


def callee(call: Node, context: Context) -> str:
    """The bare name of what is called."""
    function = call.child_by_field_name("function")
    return context.text(function).rsplit(".", 1)[-1] if function is not None else ""


def listed(call: Node, texts: list[str], context: Context) -> str:
    """The call with other arguments."""
    function = call.child_by_field_name("function")
    return f"{context.text(function) if function is not None else ''}({', '.join(texts)})"


def positional(call: Node) -> list[Node]:
    """The arguments of a call that have no keyword and no star."""
    return [a for a in arguments(call) if a.type not in {"keyword_argument", "list_splat", "dictionary_splat"}]


@template(3, "call")
def swap(node: Node, context: Context) -> Drafts:
    """Swap two arguments."""
    plain = positional(node)
    for a, b in list(combinations(plain, 2))[:10]:
        middle = context.file.slice(a.end_byte, b.start_byte)
        whole = context.file.slice(node.start_byte, a.start_byte) + context.text(b) + middle + context.text(a)
        whole += context.file.slice(b.end_byte, node.end_byte)
        yield context.put(node, whole, 1.0, f"swap the arguments {context.text(a)[:20]} and {context.text(b)[:20]}")


@template(2, "call", on="TypeError")
def drop(node: Node, context: Context) -> Drafts:
    """Drop an argument."""
    found = arguments(node)
    for gone in found:
        kept = [context.text(a) for a in found if a != gone]
        weight = 3.0 if set(context.localisation.names) & {context.text(gone).split("=")[0]} else 1.0
        yield context.put(node, listed(node, kept, context), weight, f"do not pass {context.text(gone)[:30]}")


@template(3, "call", on="TypeError")
def add(node: Node, context: Context) -> Drafts:
    """Pass another argument."""
    found = arguments(node)
    texts = [context.text(a) for a in found]
    known = context.around.signatures.get(callee(node, context), [])
    if known and not any(s.splats or len(s.parameters) > len(texts) for s in known):
        return
    count = len(positional(node))
    for name in context.locals(node):
        if name.text not in texts and (not known or not _named(known, name.text)):
            new = [*texts[:count], name.text, *texts[count:]]
            yield context.put(node, listed(node, new, context), name.weight, f"also pass {name.text}")
            if count:
                yield context.put(node, listed(node, [name.text, *texts], context), name.weight * 0.3, f"pass {name.text} first")
    if "self" in context.scope.names and "self" not in texts:
        yield context.put(node, listed(node, ["self", *texts], context), 0.3, "also pass self")


def _named(known: list[Signature], name: str) -> bool:
    return any(name in s.parameters for s in known)


@template(1.5, "call")
def forward(node: Node, context: Context) -> Drafts:
    """Pass all arguments on. `f(a)` becomes `f(a, *args, **kwargs)` in a function that takes these."""
    if context.unit.function is None:
        return
    parameters = context.unit.function.child_by_field_name("parameters")
    splats = [context.text(p) for p in (parameters.named_children if parameters is not None else ()) if "splat_pattern" in p.type]
    texts = [context.text(a) for a in arguments(node)]
    missing = [s for s in splats if s not in texts]
    for new in [missing, *([m] for m in missing if len(missing) > 1)]:
        if new:
            yield context.put(node, listed(node, texts + new, context), 1.0, f"pass {', '.join(new)} on")


@template(4.5, "call", on="AttributeError")
def function(node: Node, context: Context) -> Drafts:
    """Call another function."""
    called = node.child_by_field_name("function")
    if called is None:
        return
    old = callee(node, context)
    token = called.child_by_field_name("attribute") if called.type == "attribute" else called if called.type == "identifier" else None
    if token is not None:
        for new, weight in _relatives(called, old, context):
            yield context.put(token, new, weight, f"call {new} instead of {old}")


def _relatives(called: Node, old: str, context: Context) -> Iterator[tuple[str, float]]:
    for new in RELATED.get(old, ()):
        yield new, 3.0
    if called.type == "attribute":
        value = context.text(called.named_children[0])
        members = {a[:-2] for k in context.seen.get(value, ()) for a in k.attributes if a.endswith("()")}
        own = {n for n in context.around.signatures if value in {"self", "cls"} and not n.startswith("__")}
        for new in sorted((members | own) - {old}):
            near = likeness(old, new)
            wanted = new in context.localisation.names
            if near > 0.3 or wanted or new in context.around.attributes:
                yield new, 0.2 + 2 * near + 2 * wanted
    else:
        for name in context.names():
            if name.role in {"function", "class", "parameter", "import"} and name.text != old:
                yield name.text, 0.1 + 2 * likeness(old, name.text)


@template(4, "call", on="AttributeError TypeError")
def unwrap(node: Node, context: Context) -> Drafts:
    """Take the argument instead of the call."""
    if context.performed(node):
        return
    for argument in positional(node)[:3]:
        yield context.put(node, context.text(argument), 1.0, f"{context.text(argument)[:30]} without {callee(node, context)}")
    called = node.child_by_field_name("function")
    if called is not None and called.type == "attribute":
        value = called.named_children[0]
        yield context.put(node, context.text(value), 1.0, f"{context.text(value)[:30]} without .{callee(node, context)}()")


@template(2.5, "call", on="TypeError")
def property_(node: Node, context: Context) -> Drafts:
    """An attribute instead of a call."""
    called = node.child_by_field_name("function")
    if called is None or called.type not in {"attribute", "identifier"} or len(arguments(node)) > 1:
        return
    weight = 1.0 if not arguments(node) else 0.2
    if any("not callable" in message for _, message in context.localisation.errors):
        weight *= 5
    yield context.put(node, context.text(called), weight, f"use {context.text(called)[:30]} without calling it")


@template(2, "attribute", "identifier", on="TypeError AttributeError")
def call(node: Node, context: Context) -> Drafts:
    """Call it. `x.f` becomes `x.f()` where the type seen says that f can be called, or a method of the file has that name."""
    text = context.text(node)
    name = text.rsplit(".", 1)[-1]
    seen = any(f"{name}()" in k.attributes for k in context.seen.get(text.rpartition(".")[0], ()))
    method = context.kinds(text) & {"method", "function", "builtin_function_or_method", "type"}
    if seen or method or name in context.around.signatures:
        yield context.put(node, f"{text}()", 1.0, f"call {text}")


@template(4, "value", on="AttributeError TypeError")
def method(node: Node, context: Context) -> Drafts:
    """Call a method on it. `x` becomes `x.lower()` and the like, as far as the type seen has the method."""
    if node.type not in {"identifier", "attribute", "call", "subscript"}:
        return
    text = context.text(node)
    known = {a[:-2] for k in context.seen.get(text, ()) for a in k.attributes}
    usual = METHODS if not known else {k: v for k, v in METHODS.items() if k in known}
    for name, weight in usual.items():
        used = context.around.attributes.get(name, 0)
        wanted = name in context.localisation.names
        if known or used or wanted:
            share = weight * (2.0 if known else 0.5) * (2.0 if used else 1.0) * (3.0 if wanted else 1.0)
            yield context.put(node, f"{text}.{name}()", share, f"call .{name}() on {text[:30]}")


METHODS = {
    "lower": 1.0, "strip": 1.0, "decode": 1.0, "encode": 1.0, "copy": 1.0, "items": 0.7, "keys": 0.5, "values": 0.6, "rstrip": 0.6,
    "lstrip": 0.5,
    "upper": 0.4, "split": 0.5, "splitlines": 0.3, "read": 0.4, "close": 0.2, "group": 0.3, "total_seconds": 0.3, "isoformat": 0.3,
    "tolist": 0.2,
    "resolve": 0.2, "absolute": 0.1, "as_posix": 0.2, "title": 0.1, "get": 0.1, "pop": 0.2, "sort": 0.1, "casefold": 0.1, "expanduser": 0.2,
}  # fmt: skip
