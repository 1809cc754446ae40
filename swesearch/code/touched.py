"""What a change is about: the functions and classes in it, and the program that it makes, whatever it looks like."""

from __future__ import annotations

import ast
from functools import lru_cache
from hashlib import sha256

UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)  # what reading Python text may raise: it may be nested without end
KEPT = 128  # files whose digest is remembered: candidates share their base


def touched(before: bytes, after: bytes) -> frozenset[str]:
    """The names of the functions and classes in which two versions of a file differ, with those that hold them; no dunder names."""
    old, new = _definitions(before), _definitions(after)
    names = (name.rpartition(".")[2] for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    return frozenset(name for name in names if not name.startswith("__"))


@lru_cache(KEPT)
def program(path: str, source: bytes) -> str:
    """A digest of a file without what the program does not depend on: layout, comments and docstrings, where it is readable Python."""
    try:
        return sha256(_meaning(source) if path.endswith(".py") else source).hexdigest()
    except UNREADABLE:
        return sha256(source).hexdigest()


def _meaning(source: bytes) -> bytes:
    """A module without layout, comments and docstrings. Raises UNREADABLE."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree).encode("utf-8", "surrogatepass")


@lru_cache(KEPT)
def _definitions(source: bytes) -> dict[str, str]:
    """Every function and class of a file by its dotted name, with what is in it; none where it cannot be read."""
    try:
        return _found_in(ast.parse(source))
    except UNREADABLE:
        return {}


def _found_in(tree: ast.Module) -> dict[str, str]:
    front: list[tuple[str, ast.AST]] = [("", tree)]
    found: dict[str, str] = {}
    while front:
        above, node = front.pop()
        for part in ast.iter_child_nodes(node):
            inside = f"{above}.{part.name}" if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else above
            if inside != above:
                found[inside] = ast.dump(part)
            front.append((inside, part))
    return found
