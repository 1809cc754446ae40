"""The pages around the page of a run: the list of runs, two runs beside each other, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from swesearch.report.page import document, policy, source, text

Row = Mapping[str, Any]


def index_page(runs: Sequence[Row], base: str) -> str:
    """The list of runs, with filters, kept up to date."""
    return document("index.html", "Runs: swesearch", {"runs": runs, "base": base}, ("base.js", "index.js"), connect=True)


def compare_page(a: Row, b: Row, base: str) -> str:
    """Two stories beside each other."""
    scripts = ("base.js", "details.js", "compare.js")
    return document("compare.html", "Two runs: swesearch", {"a": a, "b": b, "base": base}, scripts)


def error_page(words: str) -> str:
    """What went wrong, in one line."""
    style = source("page.css")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>swesearch</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(style)}"><style>{style}</style></head>'
        f'<body><main><section><h1>This cannot be shown</h1><p class="lead" role="alert">{text(words)}</p>'
        "</section></main></body></html>\n"
    )
