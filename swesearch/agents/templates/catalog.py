"""The table: every template of every family. A new family is one more name here."""

from __future__ import annotations

from swesearch.agents.templates import (
    arithmetic,
    attributes,
    calls,
    comparison,
    conditions,
    definitions,
    expressions,
    guards,
    imports,
    keywords,
    literals,
    names,
    regexes,
    returns,
    statements,
    strings,
    subscripts,
    wraps,
)
from swesearch.agents.templates.table import Template

FAMILIES = (
    arithmetic, attributes, calls, comparison, conditions, definitions, expressions, guards, imports, keywords, literals, names, regexes,
    returns, statements, strings, subscripts, wraps,
)  # fmt: skip
TABLE: tuple[Template, ...] = tuple(t for family in FAMILIES for t in vars(family).values() if isinstance(t, Template))
