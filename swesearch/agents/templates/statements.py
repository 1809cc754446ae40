"""Whole statements: deleted, moved, put in, taken out of their block or into it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.draft import Draft
from swesearch.agents.templates.guards import BINDING, MOVABLE, looped
from swesearch.agents.templates.table import Drafts, template

SIMPLE = MOVABLE | {"break_statement", "continue_statement", "pass_statement"}
ADDERS = {"set": "add", "list": "append", "deque": "append"}
FILLERS = "append|appendleft|add|extend|insert|update"
NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*(?!\w*=[^=])")


def siblings(node: Node) -> list[Node]:
    """The statements of the block around a statement."""
    if node.parent is None or node.parent.type not in {"block", "module"}:
        return []
    return [c for c in node.parent.named_children if c.type != "comment"]


@template(2, "statement")
def delete(node: Node, context: Context) -> Drafts:
    """Delete the statement."""
    if node.type in BINDING or node.type.endswith("_clause"):
        return
    if len(siblings(node)) > 1:
        start = context.file.data.rfind(b"\n", 0, node.start_byte) + 1
        end = context.file.data.find(b"\n", node.end_byte) + 1 or len(context.file.data)
        if not context.file.slice(start, node.start_byte).strip() and not context.file.slice(node.end_byte, end).strip():
            yield Draft(start, end, "", 1.0, "delete the statement")
            return
    yield context.put(node, "pass", 1.0, "do nothing instead")


@template(2, "if_statement", "for_statement", "while_statement", "with_statement")
def unguard(node: Node, context: Context) -> Drafts:
    """Take the guard away. `if c: s` becomes `s`."""
    body = node.child_by_field_name("consequence") or node.child_by_field_name("body")
    if body is None or node.child_by_field_name("alternative") is not None:
        return
    yield context.put(node, shifted(body, context, -1), 1.0, f"always do what stands below the {node.type.removesuffix('_statement')}")


def shifted(block: Node, context: Context, steps: int) -> str:
    """The statements of a block as they stand, some steps of indentation further out (or in)."""
    outer = context.file.indent(block.named_children[0]) if block.named_children else ""
    new = context.indent if steps < 0 else outer + context.step * steps
    return context.text(block).replace(context.file.newline + outer, context.file.newline + new)


@template(2, "statement", on="UnboundLocalError")
def move(node: Node, context: Context) -> Drafts:
    """Swap with the neighbour. Move a statement behind the next one or two, or before the one above."""
    row = siblings(node)
    at = next((i for i, s in enumerate(row) if s.id == node.id), None)
    if at is None or node.type in BINDING:
        return
    for other, weight in ((at + 1, 1.0), (at + 2, 0.4)):
        if other < len(row) and row[other].type not in BINDING:
            rest = context.file.slice(node.end_byte, row[other].end_byte).lstrip("\r\n \t;")
            text = rest + context.file.newline + context.indent + context.text(node)
            yield Draft(node.start_byte, row[other].end_byte, text, weight, "do it later")
    if at and row[at - 1].type not in BINDING:
        above = row[at - 1]
        text = context.text(node) + context.file.newline + context.indent + context.text(above)
        yield Draft(above.start_byte, node.end_byte, text, 0.5, "do it earlier")


@template(2, "statement")
def dedent(node: Node, context: Context) -> Drafts:
    """Move out of the block. The last statement of a block goes behind the block."""
    block = node.parent
    row = siblings(node)
    if block is None or block.type != "block" or not row or row[-1].id != node.id or node.type in BINDING:
        return
    outer = context.unit.above[-2] if len(context.unit.above) > 1 else None
    if outer is None or outer.type in {"function_definition", "class_definition"}:
        return
    start = row[-2].end_byte if len(row) > 1 else node.start_byte
    whole = _owner(context, outer)
    indent = context.file.indent(whole)
    tail = context.file.slice(node.end_byte, whole.end_byte)
    keep = "" if len(row) > 1 else "pass"
    moved = context.text(node).replace(context.file.newline + context.file.indent(node), context.file.newline + indent)
    yield Draft(start, whole.end_byte, keep + tail + context.file.newline + indent + moved, 1.0, "do it after the block")


def _owner(context: Context, outer: Node) -> Node:
    """The whole statement of a clause."""
    above = [n for n in context.unit.above if n.start_byte <= outer.start_byte and n.type.endswith("_statement")]
    return above[-1] if outer.type.endswith("_clause") and above else outer


@template(2, "statement")
def indent(node: Node, context: Context) -> Drafts:
    """Move into the block above. A statement behind a block becomes its last one."""
    row = siblings(node)
    at = next((i for i, s in enumerate(row) if s.id == node.id), 0)
    if not at or node.type in BINDING:
        return
    above = row[at - 1]
    blocks = [c for c in above.children if c.type == "block"]
    last = above.named_children[-1] if above.named_children else above
    block = next((c for c in last.children if c.type == "block"), None) or (blocks[-1] if blocks else None)
    if block is None or above.type in BINDING or not block.named_children:
        return
    deeper = context.file.indent(block.named_children[-1])
    text = context.text(node).replace(context.file.newline + context.indent, context.file.newline + deeper)
    yield Draft(block.end_byte, node.end_byte, context.file.newline + deeper + text, 1.0, "do it inside the block above")


@template(5, "statement", on="UnboundLocalError RecursionError")
def insert(node: Node, context: Context) -> Drafts:
    """Put a statement in.

    A statement of the function, its variables exchanged, before or after this one; or an assignment between its variables.
    """
    if context.unit.function is None or node.type in BINDING or node.type.endswith("_clause"):
        return
    leaves = node.type in {"return_statement", "raise_statement", "break_statement", "continue_statement"}
    for text, weight in _pool(context):
        if text != context.text(node):
            yield context.before(text, weight, f"first do {text[:50]}")
            if not leaves:
                yield context.after(text, weight, f"then do {text[:50]}")


def _pool(context: Context) -> Iterator[tuple[str, float]]:
    found: dict[str, float] = {}
    names = [n.text for n in context.locals() if n.role != "outer" or len(n.text) > 1]
    for statement in context.scope.statements:
        text = context.text(statement)
        if statement.type == "expression_statement" and "\n" not in text and len(text) <= 80 and text[:1] not in "'\"":
            found[text] = max(found.get(text, 0), 0.7)
            for variant in _exchanged(text, names):
                found.setdefault(variant, 0.35)
    for a in names[:8]:
        for b in names[:8]:
            if a != b:
                found.setdefault(f"{a} = {b}", 0.2)
    for text, weight in _fillings(names, context):
        found[text] = max(found.get(text, 0), weight)
    yield from found.items()


def _fillings(names: list[str], context: Context) -> Iterator[tuple[str, float]]:
    """Put a variable into a container. Most wanted for one that is made empty and never filled, and for what is looked for in it."""
    whole = context.text(next(n for n in (*context.unit.above, context.unit.node) if n.type == "function_definition"))
    for name in names:
        made = re.search(rf"\b{name} = (list|set|deque|\[\])", whole)
        kinds = context.kinds(name) | ({"list" if made[1] == "[]" else made[1]} if made else set())
        filled = re.search(rf"\b{name}(\.({FILLERS})\(|\[[^]]*\] =| \+=)", whole)
        weight = 2.5 if made and not filled else 0.3
        for method in {ADDERS[kind] for kind in kinds & ADDERS.keys()}:
            for item in names:
                if item != name:
                    yield f"{name}.{method}({item})", weight * (3.0 if f"{item} in {name}" in whole else 1.0)


def _exchanged(text: str, names: list[str]) -> Iterator[str]:
    """The statement with one of its variables exchanged for another, each place for itself."""
    for match in NAME.finditer(text):
        if match.group() in names:
            for name in names:
                if name != match.group():
                    yield text[: match.start()] + name + text[match.end() :]


@template(3, "expression_statement")
def keep(node: Node, context: Context) -> Drafts:
    """Keep the result. `f(x)` becomes `x = f(x)`, `v.update(x)` becomes `v = x`."""
    call = node.named_children[0]
    if call.type != "call":
        return
    called, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
    given = [a for a in (arguments.named_children if arguments is not None else ()) if a.type != "keyword_argument"]
    value = called.named_children[0] if called is not None and called.type == "attribute" else None
    if value is not None and len(given) == 1:
        yield context.put(node, f"{context.text(value)} = {context.text(given[0])}", 1.0, f"assign to {context.text(value)[:30]}")
    for target in [value, *given] if value is not None else given:
        if target.type in {"identifier", "attribute", "subscript"}:
            yield context.put(
                node, f"{context.text(target)} = {context.text(node)}", 1.0, f"keep the result in {context.text(target)[:30]}"
            )
    for name in context.locals():
        yield context.put(node, f"{name.text} = {context.text(node)}", 0.2 * name.weight, f"keep the result in {name.text}")


@template(2, "if_statement")
def branches(node: Node, context: Context) -> Drafts:
    """Swap the branches."""
    yes, alternative = node.child_by_field_name("consequence"), node.child_by_field_name("alternative")
    no = alternative.child_by_field_name("body") if alternative is not None and alternative.type == "else_clause" else None
    if yes is None or no is None:
        return
    middle = context.file.slice(yes.end_byte, no.start_byte)
    yield Draft(yes.start_byte, no.end_byte, context.text(no) + middle + context.text(yes), 1.0, "swap the two branches")


@template(1.5, "if_statement")
def chain(node: Node, context: Context) -> Drafts:
    """Elif for if. An if behind an if becomes its elif."""
    row = siblings(node)
    at = next((i for i, s in enumerate(row) if s.id == node.id), 0)
    if at and row[at - 1].type == "if_statement" and row[at - 1].named_children[-1].type != "else_clause":
        yield context.put(node.children[0], "elif", 1.0, "elif instead of if")


@template(1.5, "elif_clause")
def unchain(node: Node, context: Context) -> Drafts:
    """If for elif."""
    yield context.put(node.children[0], "if", 1.0, "if instead of elif")


@template(6, "break_statement", "continue_statement", "pass_statement", on="Timeout")
def jump(node: Node, context: Context) -> Drafts:
    """Break for continue."""
    for word in ("break", "continue", "pass", "return"):
        allowed = looped(context) if word in {"break", "continue"} else word == "pass" or context.unit.function is not None
        if word != context.text(node) and allowed:
            yield context.put(node, word, 1.0, f"{word} instead of {context.text(node)}")


@template(1, "if_statement", "while_statement")
def repeat(node: Node, context: Context) -> Drafts:
    """If for while."""
    word = node.children[0]
    other = "while" if word.type == "if" else "if"
    if node.child_by_field_name("alternative") is None:
        yield context.put(word, other, 1.0, f"{other} instead of {word.type}")
