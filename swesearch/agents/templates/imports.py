"""Imports: the one that a NameError misses."""

from __future__ import annotations

import sys

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.draft import Draft
from swesearch.agents.templates.table import Drafts, template

HOMES: dict[str, str] = {
    "OrderedDict": "collections", "defaultdict": "collections", "Counter": "collections", "deque": "collections",
    "namedtuple": "collections",
    "partial": "functools", "wraps": "functools", "reduce": "functools", "lru_cache": "functools", "chain": "itertools",
    "islice": "itertools",
    "product": "itertools", "groupby": "itertools", "datetime": "datetime", "timedelta": "datetime", "date": "datetime", "Path": "pathlib",
    "contextmanager": "contextlib", "suppress": "contextlib", "deepcopy": "copy", "dataclass": "dataclasses", "Enum": "enum",
    "dedent": "textwrap",
    "Decimal": "decimal", "sleep": "time", "Mapping": "collections.abc", "Iterable": "collections.abc", "Callable": "collections.abc",
    "Optional": "typing", "Any": "typing", "List": "typing", "Dict": "typing", "Union": "typing", "urlparse": "urllib.parse",
    "quote": "urllib.parse",
    "urljoin": "urllib.parse", "unquote": "urllib.parse", "urlencode": "urllib.parse", "StringIO": "io", "BytesIO": "io", "escape": "html",
}  # fmt: skip


@template(0.5, "identifier", "call", on="NameError")
def missing(node: Node, context: Context) -> Drafts:
    """Import what is missing. A name that the NameError names and that a module of the standard library has, is imported at the top."""
    name = context.text(node) if node.type == "identifier" else context.text(node.children[0]).split(".")[0]
    if name not in context.localisation.names or not any(e in {"NameError", "UnboundLocalError"} for e, _ in context.localisation.errors):
        return
    line = f"from {HOMES[name]} import {name}" if name in HOMES else f"import {name}" if name in sys.stdlib_module_names else ""
    at = _place(context)
    if line and name not in context.around.module.names:
        yield Draft(at, at, line + context.file.newline, 1.0, f"{line} at the top")


def _place(context: Context) -> int:
    """Where imports stand: the first import that is not from __future__, or behind the docstring."""
    body = [c for c in context.file.root.named_children if c.type != "comment"]
    for child in body:
        if child.type in {"import_statement", "import_from_statement"}:
            return child.start_byte
    first = next((c for c in body if not (c.type == "expression_statement" and c.named_children[0].type == "string")), None)
    return (
        first.start_byte if first is not None and first.type != "future_import_statement" else (body[1].start_byte if len(body) > 1 else 0)
    )
