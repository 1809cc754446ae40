"""The account of a run as Markdown. What others wrote stays text: no link, no mention, no markup of theirs comes alive."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from swesearch.report.text import safe

SPAN = re.compile(r"((?<!`)`[^`\n]+`(?!`))")  # code: nothing is alive in it
MARKUP = re.compile(r"([\\`*_{}\[\]<>|~#!&])")
CALL = re.compile(r"([@#](?=\w)|:(?=//)|\bGH-(?=\d)|\bwww(?=\.))", re.IGNORECASE)  # what becomes a mention, an issue, an address
APART = "&#8203;"  # a space of no width


def markdown(story: Mapping[str, Any]) -> str:
    """The account of a story, and the patch that it ends in."""
    parts = [f"## {section['title']}\n\n" + "\n".join(f"- {prose(words)}" for words in section["lines"]) for section in story["account"]]
    patch = next((each["patch"] for each in story["finalists"] if each["chosen"]), "")
    return "\n\n".join([*parts, *([f"## The patch\n\n{fenced(safe(patch), 'diff')}"] if patch else [])]) + "\n"


def prose(text: str) -> str:
    """Words that may be somebody else's, on one line; code spans stay code."""
    pieces = SPAN.split(" ".join(safe(text).split()))
    return "".join(piece if SPAN.fullmatch(piece) else CALL.sub(rf"\1{APART}", MARKUP.sub(r"\\\1", piece)) for piece in pieces)


def fenced(text: str, language: str = "") -> str:
    """A block of code that its text cannot end."""
    marks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{marks}{language}\n{text.rstrip()}\n{marks}"
