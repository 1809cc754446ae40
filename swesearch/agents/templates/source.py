"""A source file seen as units: simple statements and headers of compound ones, each with the nodes a template may change."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from swesearch.code import parse

DEFINITIONS = frozenset({parse.FUNCTION, parse.CLASS})
CLAUSES = frozenset({"elif_clause", "else_clause", "except_clause", "finally_clause", "case_clause", "decorator"})
VALUES = frozenset(
    {
        "attribute", "await", "binary_operator", "boolean_operator", "call", "comparison_operator", "concatenated_string",
        "conditional_expression", "dictionary", "dictionary_comprehension", "false", "float", "generator_expression", "identifier",
        "integer",
        "lambda", "list", "list_comprehension", "none", "not_operator", "parenthesized_expression", "set", "set_comprehension", "string",
        "subscript", "true", "tuple", "unary_operator",
    }
)  # fmt: skip

NEVER = frozenset(
    {
        "aliased_import", "as_pattern_target", "class_pattern", "concatenated_string", "decorator", "delete_statement", "dotted_name",
        "expression_statement", "global_statement", "import_from_statement", "import_statement", "lambda_parameters", "list_pattern",
        "list_splat_pattern", "dictionary_splat_pattern", "nonlocal_statement", "parameters", "pattern_list", "tuple_pattern", "type",
        "typed_parameter", "case_pattern",
    }
)  # fmt: skip
NOT_FIRST = frozenset(
    {
        "assignment", "augmented_assignment", "call", "class_definition", "default_parameter", "for_in_clause", "for_statement",
        "function_definition", "keyword_argument", "named_expression", "typed_default_parameter",
    }
)  # fmt: skip
CONDITIONS = {"if_statement": 1, "elif_clause": 1, "while_statement": 1, "if_clause": 1, "assert_statement": 1, "conditional_expression": 2}


def is_value(node: Node, parent: Node | None) -> bool:
    """Whether a node is an expression that is evaluated, and not a target, a name that is declared, or a callee."""
    if node.type not in VALUES or parent is None or parent.type in NEVER:
        return False
    if parent.type == "attribute":
        return node.start_byte == parent.start_byte
    if parent.type in NOT_FIRST:
        return node.start_byte != _after_keyword(parent)
    return True


def _after_keyword(parent: Node) -> int:
    """Where the first named child begins: the target, the name or the callee."""
    first = parent.named_children[0]
    return first.start_byte


@dataclass(eq=False)
class Unit:
    """A simple statement, or the header of a compound one. `above` are the nodes around it, outermost first."""

    file: File
    node: Node
    above: tuple[Node, ...]
    parents: dict[int, Node] = field(default_factory=dict)

    @property
    def line(self) -> int:
        """Its first line."""
        return parse.first_line(self.node)

    @cached_property
    def function(self) -> Node | None:
        """The innermost function around it, itself included."""
        found = [n for n in (*self.above, self.node) if n.type == parse.FUNCTION]
        return found[-1] if found else None

    @cached_property
    def owner(self) -> Node | None:
        """The innermost class around it."""
        found = [n for n in self.above if n.type == parse.CLASS]
        return found[-1] if found else None

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Its own nodes in source order: those of nested statements belong to other units."""
        return tuple(self._walk())

    def _walk(self) -> Iterator[Node]:
        stack = [self.node]
        while stack:
            node = stack.pop()
            yield node
            children = [c for c in node.named_children if not _foreign(c)]
            for child in children:
                self.parents[child.id] = node
            stack.extend(reversed(children))

    def parent(self, node: Node) -> Node | None:
        """The node above one of its own nodes."""
        if node.id == self.node.id:
            return self.above[-1] if self.above else None
        return self.parents.get(node.id)

    @cached_property
    def sites(self) -> dict[str, list[Node]]:
        """Its nodes by what a template may ask for: node types (expressions only where they are values) and three roles."""
        found: dict[str, list[Node]] = {"statement": [self.node]}
        for node in self.nodes:
            value = is_value(node, self.parent(node))
            if value or node.type not in VALUES or _performed(node, self.parent(node)):
                found.setdefault(node.type, []).append(node)
            if value:
                found.setdefault("value", []).append(node)
            if node.type in CONDITIONS:
                found.setdefault("condition", []).append(_condition(node))
        return found

    def around(self, node: Node) -> Iterator[Node]:
        """The unit's nodes above one of its nodes, innermost first."""
        above = self.parents.get(node.id)
        while above is not None:
            yield above
            above = self.parents.get(above.id)


def _performed(node: Node, parent: Node | None) -> bool:
    """Whether a node is a call that is a statement by itself: its arguments matter, its value does not."""
    return node.type in {"call", "await"} and parent is not None and parent.type in {"expression_statement", "await"}


def _foreign(node: Node) -> bool:
    return node.type == "block" or node.type in CLAUSES or node.type in DEFINITIONS or node.type == "comment"


def _condition(node: Node) -> Node:
    if node.type == "conditional_expression":
        return node.named_children[1]
    return node.named_children[0]


class File:
    """A parsed file. Node texts round-trip whatever their encoding (surrogateescape)."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path, self.data = path, data
        self.root = parse.parse(data).root_node
        self.newline = "\r\n" if b"\r\n" in data[:4096] else "\n"
        self._units: dict[int, Unit] = {}

    def text(self, node: Node) -> str:
        """The source of a node."""
        return self.slice(node.start_byte, node.end_byte)

    def slice(self, start: int, end: int) -> str:
        """The source between two byte offsets."""
        return self.data[start:end].decode("utf-8", "surrogateescape")

    def unit(self, line: int) -> Unit | None:
        """The unit that stands on a line; None on empty lines, comments and docstrings. Equal units are one object."""
        chain = self._chain(line)
        last = max((i for i, n in enumerate(chain) if _is_unit(n, chain[i - 1] if i else None)), default=None)
        if last is None or chain[-1].type == "comment" or _docstring(chain[last]):
            return None
        node = chain[last]
        return self._units.setdefault(node.id, Unit(self, node, tuple(chain[:last])))

    def _chain(self, line: int) -> list[Node]:
        """The nodes around the first character of a line, outermost first."""
        try:
            span = parse.line_span(self.data, line)
        except IndexError:
            return []
        body = self.data[span.start : span.end]
        offset = span.start + len(body) - len(body.lstrip())
        chain, node = [], self.root
        while body.strip():
            chain.append(node)
            below = next((c for c in node.children if c.end_byte > offset), None)
            if below is None or below.start_byte > offset:
                break
            node = below
        return chain

    def indent(self, node: Node) -> str:
        """The white space before the first token of the line on which a node begins."""
        start = self.data.rfind(b"\n", 0, node.start_byte) + 1
        line = self.slice(start, node.start_byte)
        return line[: len(line) - len(line.lstrip())]


def _is_unit(node: Node, parent: Node | None) -> bool:
    if not node.is_named or node.type == "comment":
        return False
    return node.type in CLAUSES or node.type in DEFINITIONS or (parent is not None and parent.type in parse.BODIES)


def _docstring(node: Node) -> bool:
    return (
        node.type == "expression_statement"
        and node.named_child_count == 1
        and node.named_children[0].type in {"string", "concatenated_string"}
    )
