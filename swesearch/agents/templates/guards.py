"""Guards: a statement only where it makes sense, an early way out."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from swesearch.agents.templates.conditions import subjects
from swesearch.agents.templates.context import Context
from swesearch.agents.templates.table import Drafts, template

MOVABLE = frozenset({"expression_statement", "return_statement", "raise_statement", "delete_statement", "assert_statement"})
BINDING = frozenset({"function_definition", "class_definition", "import_statement", "import_from_statement", "decorator"})


def looped(context: Context) -> bool:
    """Whether the unit is in the body of a loop of its function."""
    for above in reversed(context.unit.above):
        if above.type in {"for_statement", "while_statement"}:
            return True
        if above.type in {"function_definition", "class_definition"}:
            return False
    return False


def _asked(node: Node, context: Context) -> Iterator[tuple[str, float]]:
    """What to ask before a statement: of its own subjects first, then of the function's conditions."""
    target = node.named_children[0].child_by_field_name("left") if node.type == "expression_statement" and node.named_children else None
    plain = context.text(target) if target is not None and node.named_children[0].type == "assignment" else ""
    for rank, text in enumerate(t for t in subjects(node, context) if t != plain):
        share = 1.0 / (1 + 0.4 * rank) * (2.0 if "NoneType" in context.kinds(text) else 1.0)
        yield text, 2.0 * share
        yield f"{text} is not None", 1.5 * share
    for idiom in context.idioms[:30]:
        if idiom.type in {"comparison_operator", "not_operator"}:
            yield idiom.text, 0.4
    for name in context.locals():
        yield name.text, 0.15
        yield f"not {name.text}", 0.15


@template(5, "statement", on="None UnboundLocalError")
def guard(node: Node, context: Context) -> Drafts:
    """Do it only if. `s` becomes `if x: s`, or `if x is not None: s`."""
    if node.type not in MOVABLE:
        return
    inner = context.text(node).replace(context.file.newline, context.file.newline + context.step)
    for condition, weight in _asked(node, context):
        text = f"if {condition}:{context.file.newline}{context.indent}{context.step}{inner}"
        yield context.put(node, text, weight, f"do it only if {condition}")


@template(4, "statement", on="None")
def leave(node: Node, context: Context) -> Drafts:
    """Leave early. Put `if x is None: return` (or continue) before the unit."""
    if node.type in BINDING or context.unit.function is None or node.type == "else_clause":
        return
    ways = _ways(context)
    for condition, weight in _exits(node, context):
        for way, share in ways:
            yield context.before(f"if {condition}:\n    {way}", weight * share, f"first, if {condition}: {way}")


def _exits(node: Node, context: Context) -> Iterator[tuple[str, float]]:
    for rank, text in enumerate(subjects(_head(node), context)[:8]):
        none = 2.0 if "NoneType" in context.kinds(text) else 1.0
        share = none / (1 + 0.3 * rank)
        yield f"{text} is None", 1.2 * share
        yield f"not {text}", 1.2 * share
        yield text, 0.2 * share
    for name in context.locals():
        yield f"{name.text} is None", 0.1
        yield f"not {name.text}", 0.1


def _head(node: Node) -> Node:
    """The condition or iterable of a compound statement, or the statement itself."""
    return node.child_by_field_name("condition") or node.child_by_field_name("right") or node


def _ways(context: Context) -> list[tuple[str, float]]:
    """How to leave: as the function does elsewhere first."""
    used = [context.text(s) for s in context.scope.statements if s.type in {"return_statement", "raise_statement"}]
    ways = {t: 0.7 for t in used if "\n" not in t and len(t) < 60}
    for name in context.locals():
        if name.role == "parameter":
            ways.setdefault(f"return {name.text}", 0.3)
    ways |= {"return": max(1.0, ways.get("return", 0)), "return False": ways.get("return False", 0.2), "return None": 0.1, "return ''": 0.1}
    ways |= {"return []": ways.get("return []", 0.15), "return True": ways.get("return True", 0.1)}
    if looped(context):
        ways |= {"continue": 2.0, "break": 0.5}
    return list(ways.items())[:14]
