"""Precedence: when an expression needs brackets in its new place. Levels as in the Python reference, section 6.17."""

from __future__ import annotations

from tree_sitter import Node

LOWEST, CONDITIONAL, OR, AND, NOT, COMPARISON, BITOR, XOR, BITAND, SHIFT, SUM, PRODUCT, UNARY, POWER, ATOM = range(15)

OPERATORS = {
    "or": OR, "and": AND, "|": BITOR, "^": XOR, "&": BITAND, "<<": SHIFT, ">>": SHIFT, "+": SUM, "-": SUM,
    "*": PRODUCT, "/": PRODUCT, "//": PRODUCT, "%": PRODUCT, "@": PRODUCT, "**": POWER,
}  # fmt: skip
TYPES = {
    "lambda": LOWEST, "named_expression": LOWEST, "yield": LOWEST, "expression_list": LOWEST, "conditional_expression": CONDITIONAL,
    "not_operator": NOT, "comparison_operator": COMPARISON, "unary_operator": UNARY,
}  # fmt: skip
HOLDERS = {"not_operator": NOT, "comparison_operator": BITOR, "unary_operator": UNARY, "await": ATOM, "conditional_expression": OR}
STARTS = frozenset({"attribute", "call", "subscript"})  # nodes whose first child is a primary


def operator(node: Node) -> str:
    """The operator token of a binary, boolean, unary or augmented node, "" where there is none."""
    token = node.child_by_field_name("operator")
    return token.type if token is not None else ""


def level(node: Node) -> int:
    """How tightly the outermost operator of an expression binds."""
    if node.type in {"binary_operator", "boolean_operator"}:
        return OPERATORS.get(operator(node), LOWEST)
    return TYPES.get(node.type, ATOM)


def room(node: Node, parent: Node | None) -> int:
    """The least level an expression must have to stand where `node` stands without brackets."""
    if parent is None:
        return LOWEST
    if parent.type in {"binary_operator", "boolean_operator"}:
        return OPERATORS.get(operator(parent), ATOM) + (node.start_byte != parent.start_byte)
    if parent.type in STARTS:
        return ATOM if node.start_byte == parent.start_byte else LOWEST
    return HOLDERS.get(parent.type, LOWEST)


def bracketed(text: str, has: int, needs: int) -> str:
    """`text` of level `has`, in brackets where `needs` is more."""
    return text if has >= needs else f"({text})"
