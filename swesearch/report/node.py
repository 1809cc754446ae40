"""One node of a run in the terminal: what was tried, what came of it, what was said about it, and what it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from swesearch.report.account import BECAME
from swesearch.report.solution import diff
from swesearch.report.text import line

SHOWN = 8  # tests and children that are named


def show_node(out: Console, row: Mapping[str, Any], below: Sequence[int], said: Sequence[str], change: bytes | None) -> None:
    """Print a node of a story. `below`: its children; `said`: orders for it; `change`: its diff, None to leave it out."""
    became = BECAME[row["outcome"]][0] if row["outcome"] in BECAME else "the code as it is"
    out.print(Text(f"n{row['id']}  {row['value']:.2f}  {became}", "bold"))
    rows = [
        ("tried", line(row["why"], 400)),
        ("from", f"n{row['parent']}, prior {row['prior']:.3g}" if row["parent"] is not None else ""),
        ("tree", row["tree"]),
        ("fixed", _some(row.get("fixed", ()))),
        ("broken", _some(row.get("broken", ()))),
        *(("measured", _term(term)) for term in row["terms"]),
        ("feedback", line(row.get("feedback", ""), 600)),
        *(("asked", line(words, 600)) for words in said),
        ("took", f"{row['seconds']:.2f} s" if row["seconds"] else ""),
        ("below", _some([f"n{each}" for each in below])),
    ]
    for name, text in rows:
        if text:
            out.print(Text(f"  {name + ':':10}{text}"))
    if change is not None:
        out.print()
        out.print(diff(change), end="")
    out.print()


def _term(term: Mapping[str, Any]) -> str:
    marks = ("" if term.get("known", True) else ", not found out") + (", forbids going on" if term.get("blocked") else "")
    return f"{term['name']} {term['score']:.2f}{marks}" + (f": {line(term['feedback'], 300)}" if term.get("feedback") else "")


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return line(", ".join(names[:SHOWN]) + more, 1000)
