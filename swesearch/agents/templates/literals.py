"""Constants: flags, None, numbers and strings of the failing assertion, entries of lists and dictionaries."""

from __future__ import annotations

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.draft import Draft
from swesearch.agents.templates.scope import likeness
from swesearch.agents.templates.table import Drafts, template


@template(6, "true", "false", "none")
def flag(node: Node, context: Context) -> Drafts:
    """Another flag."""
    for word, weight in {"True": 2.0, "False": 2.0, "None": 1.5, "''": 0.5, "[]": 0.5, "{}": 0.5, "0": 0.5, "()": 0.3, "1": 0.2}.items():
        if word != context.text(node):
            yield context.put(node, word, weight, f"{word} instead of {context.text(node)}")


@template(3, "integer", "float", "string", "true", "false", "none", "list", "dictionary", "tuple")
def expected(node: Node, context: Context) -> Drafts:
    """A constant of the failing assertion."""
    old = context.text(node)
    for rank, text in enumerate(context.localisation.literals[:30]):
        if text != old and len(text) < 200 and _kind(text) == _kind(old):
            yield context.put(node, text, (0.2 + 2 * likeness(old, text)) / (1 + 0.2 * rank), f"{text[:30]} instead of {old[:30]}")


def _kind(text: str) -> str:
    first = text.lstrip("rbufRBUF")[:1] if text[:1] in "rbufRBUF'\"" else text[:1]
    return "'" if first in {"'", '"'} and first else "0" if first.isdigit() or first == "-" else first


@template(1.5, "float", "integer")
def number(node: Node, context: Context) -> Drafts:
    """Another number of the file."""
    old = context.text(node)
    for idiom in context.idioms:
        if idiom.type in {"integer", "float"} and idiom.text != old:
            yield context.put(node, idiom.text, 1.0)
    if node.type == "float":
        value = float(old) if old.replace(".", "").isdigit() else None
        for new in (value + 1, value / 2, value * 2, -value) if value is not None else ():
            yield context.put(node, f"({new})" if new < 0 else str(new), 0.5, f"{new} instead of {old}")
    elif old.isdigit():
        yield context.put(node, f"{old}.0", 0.5, f"{old} as a float")


@template(3, "list", "tuple", "set", "dictionary")
def entry(node: Node, context: Context) -> Drafts:
    """An entry more or less."""
    entries = [c for c in node.named_children if c.type != "comment"]
    for at, gone in enumerate(entries[:12]):
        start = entries[at - 1].end_byte if at else gone.start_byte
        end = gone.end_byte if at else entries[1].start_byte if len(entries) > 1 else gone.end_byte
        yield Draft(start, end, "", 1.0, f"without {context.text(gone)[:30]}")
    if node.type != "dictionary" and entries:
        for text, weight in _more(node, entries, context):
            at_end = entries[-1].end_byte
            yield Draft(at_end, at_end, f", {text}", weight, f"also {text[:30]}")
            yield Draft(entries[0].start_byte, entries[0].start_byte, f"{text}, ", weight * 0.3, f"first {text[:30]}")
    if node.type == "list" and not entries:
        for name in context.locals(node):
            yield context.put(node, f"[{name.text}]", name.weight, f"a list with {name.text}")
        yield context.put(node, "[[]]", 1.5, "a list with an empty list")
        yield context.put(node, "[0]", 0.3)
        yield context.put(node, "[None]", 0.2)


def _more(node: Node, entries: list[Node], context: Context) -> list[tuple[str, float]]:
    """What else could stand in a list: constants of the same type from the assertion and the function, and its variables."""
    texts = {context.text(e) for e in entries}
    kind = _kind(context.text(entries[0]))
    found = {t: 2.0 for t in context.localisation.literals[:20] if _kind(t) == kind}
    found |= {i.text: 0.5 for i in context.idioms if i.type == entries[0].type and i.text not in found}
    found |= {n.text: 0.5 * n.weight for n in context.locals(node)}
    return [(t, w) for t, w in found.items() if t not in texts and len(t) < 80]
