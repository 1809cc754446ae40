"""What a function has to offer: the names it can see and the expressions it already uses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from tree_sitter import Node

from swesearch.agents.templates.source import DEFINITIONS, VALUES, File, is_value
from swesearch.code import parse

Role = Literal["parameter", "local", "outer", "class", "function", "constant", "import", "builtin"]
LONGEST = 60  # characters of an expression worth using again
PARAMETERS = frozenset(
    {"default_parameter", "typed_default_parameter", "typed_parameter", "list_splat_pattern", "dictionary_splat_pattern"}
)
PATTERNS = frozenset({"pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "as_pattern_target", "expression_list"})
BINDERS = {"assignment": "left", "augmented_assignment": "left", "for_statement": "left", "named_expression": "name"}
NESTED = frozenset(
    {"if_statement", "try_statement", "with_statement", "else_clause", "elif_clause", "except_clause", "block", "for_statement"}
)


@dataclass(frozen=True, slots=True)
class Idiom:
    """An expression that stands in the code: its node type and the byte offset where it first occurs."""

    text: str
    type: str
    start: int


@dataclass
class Scope:
    """The names that a function (or the module outside functions) binds, in order, and the expressions it uses."""

    names: dict[str, Role] = field(default_factory=dict)
    idioms: dict[str, Idiom] = field(default_factory=dict)
    statements: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a function of the file accepts, `self` and `cls` left out."""

    name: str
    parameters: tuple[str, ...]
    optional: tuple[str, ...]  # those with a default
    splats: bool = False


def identifiers(node: Node) -> Iterator[Node]:
    """The names that a target binds."""
    if node.type == "identifier":
        yield node
    elif node.type in PATTERNS or node.type == "parenthesized_expression":
        for child in node.named_children:
            yield from identifiers(child)


def parameter_name(node: Node) -> Node | None:
    """The identifier of one entry of a parameter list."""
    if node.type == "identifier":
        return node
    if node.type not in PARAMETERS:
        return None
    name = node.child_by_field_name("name") or (node.named_children[0] if node.named_children else None)
    return parameter_name(name) if name is not None else None


def scope_of(file: File, function: Node) -> Scope:
    """The scope of a function: parameters first, then its locals; nested functions are only seen by name."""
    scope = Scope()
    parameters = function.child_by_field_name("parameters")
    for entry in parameters.named_children if parameters is not None else ():
        name = parameter_name(entry)
        if name is not None:
            scope.names[file.text(name)] = "parameter"
    body = function.child_by_field_name("body")
    if body is not None:
        _collect(file, body, scope, "local")
    return scope


def module_scope(file: File) -> Scope:
    """The scope of a module: what its top level binds and uses, functions and classes only by name."""
    scope = Scope()
    _collect(file, file.root, scope, "constant")
    return scope


def _collect(file: File, top: Node, scope: Scope, role: Role) -> None:
    stack: list[tuple[Node, Node | None]] = [(top, None)]
    while stack:
        node, parent = stack.pop()
        _bind(file, node, scope, role)
        if parent is not None and parent.type in parse.BODIES and node.type != "comment":
            scope.statements.append(node)
        if node.type in VALUES and node.end_byte - node.start_byte <= LONGEST and is_value(node, parent):
            text = file.text(node)
            scope.idioms.setdefault(text, Idiom(text, node.type, node.start_byte))
        if node.type not in DEFINITIONS and node.type not in {"string", "comment"}:
            stack.extend((child, node) for child in reversed(node.named_children))


def _bind(file: File, node: Node, scope: Scope, role: Role) -> None:
    if node.type in DEFINITIONS:
        name = node.child_by_field_name("name")
        if name is not None:
            scope.names.setdefault(file.text(name), "class" if node.type == parse.CLASS else "function")
    elif node.type in BINDERS or node.type == "as_pattern_target":
        target = node if node.type == "as_pattern_target" else node.child_by_field_name(BINDERS[node.type])
        for found in identifiers(target) if target is not None else ():
            scope.names.setdefault(file.text(found), role)
    elif node.type in {"import_statement", "import_from_statement"}:
        for text in imported(file, node):
            scope.names.setdefault(text, "import")


def imported(file: File, node: Node) -> Iterator[str]:
    """The names that an import statement binds."""
    for child in node.children_by_field_name("name"):
        alias = child.child_by_field_name("alias")
        yield file.text(alias) if alias is not None else file.text(child).split(".")[0]


def signatures(file: File) -> dict[str, list[Signature]]:
    """Every function and method of a file by bare name; a class stands for its __init__."""
    found: dict[str, list[Signature]] = {}
    for function in parse.functions(file.data):
        name = function.name.rsplit(".", 2)
        signature = signature_of(file, function.node, method="." in function.name)
        found.setdefault(name[-1], []).append(signature)
        if name[-1] == "__init__" and len(name) > 1:
            found.setdefault(name[-2], []).append(signature)
    return found


def signature_of(file: File, function: Node, method: bool) -> Signature:
    """What one function accepts."""
    parameters = function.child_by_field_name("parameters")
    entries = list(parameters.named_children) if parameters is not None else []
    names = [(file.text(name), entry.type) for entry in entries if (name := parameter_name(entry)) is not None]
    if method and names and names[0][0] in {"self", "cls"}:
        names = names[1:]
    plain = [(n, t) for n, t in names if "splat" not in t]
    name = function.child_by_field_name("name")
    optional = tuple(n for n, t in plain if t.endswith("default_parameter"))
    return Signature(file.text(name) if name else "", tuple(n for n, _ in plain), optional, len(plain) < len(names))


@lru_cache(maxsize=4096)
def parts(name: str) -> frozenset[str]:
    """The words of a dotted name, in lower case."""
    return frozenset(w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name))


@lru_cache(maxsize=16384)
def likeness(a: str, b: str) -> float:
    """How much two names look alike, in [0, 1]: shared words, or a shared beginning."""
    if a == b:
        return 1.0
    words = len(parts(a) & parts(b)) / max(1, len(parts(a) | parts(b)))
    same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return max(words, same / max(len(a), len(b)) if same > 2 else 0.0)
