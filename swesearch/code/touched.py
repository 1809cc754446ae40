"""What a change is about: the functions and classes in it, and the program that it makes, whatever it looks like."""

from __future__ import annotations

import ast
from functools import lru_cache
from hashlib import sha256

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
        tree = ast.parse(source) if path.endswith(".py") else None
    except (SyntaxError, ValueError):
        tree = None
    if tree is None:
        return sha256(source).hexdigest()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return sha256(ast.dump(tree).encode("utf-8", "surrogatepass")).hexdigest()


@lru_cache(KEPT)
def _definitions(source: bytes) -> dict[str, str]:
    """Every function and class of a file by its dotted name, with what is in it; none where it cannot be read."""
    try:
        front: list[tuple[str, ast.AST]] = [("", ast.parse(source))]
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, str] = {}
    while front:
        above, node = front.pop()
        for part in ast.iter_child_nodes(node):
            inside = f"{above}.{part.name}" if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else above
            if inside != above:
                found[inside] = ast.dump(part)
            front.append((inside, part))
    return found
