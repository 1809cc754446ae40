"""Regular expressions: a quantifier, an anchor, a class or an escape changed in a string that looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.strings import pieces, strings
from swesearch.agents.templates.table import Drafts, template

LOOKS = re.compile(r"\\[dwsbWDSB.()\[]|[\])][*+?]|\.[*+]|\[\^|\(\?|^\^|\$$|\[[a-z]-[a-z]")
ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\)|[^\\\[\](){}*+?|^$]")
SHORTHANDS = (
    ("\\d", "\\w"), ("\\w", "\\S"), ("\\s", "\\s*"), ("\\w", "[\\w-]"), ("\\w", "[\\w.]"), (" ", "\\s+"), ("\\d", "[\\d.]"),
)  # fmt: skip
CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")


@template(8, "string", "concatenated_string")
def change(node: Node, context: Context) -> Drafts:
    """Another regular expression."""
    for part in strings(node):
        found = pieces(part, context, filled=True)
        if found is None or not LOOKS.search(found[1]) or len(found[1]) > 300:
            continue
        fields = [context.text(child) for child in part.named_children if child.type == "interpolation"]
        for new, weight, why in _variants(found[1]):
            if _sound(new, fields):
                yield context.put(part, found[0] + new + found[2], weight, why)


def _sound(pattern: str, fields: Sequence[str]) -> bool:
    """Whether it is a regular expression, with all fields of an f-string in it."""
    for field in fields:
        if field not in pattern:
            return False
        pattern = pattern.replace(field, "x", 1)
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError):
        return False
    return True


def _variants(pattern: str) -> Iterator[tuple[str, float, str]]:
    yield from _quantifiers(pattern)
    yield from _anchors(pattern)
    yield from _classes(pattern)
    yield from _groups(pattern)
    yield from _boundaries(pattern)


def _quantifiers(pattern: str) -> Iterator[tuple[str, float, str]]:
    for match in ATOM.finditer(pattern):
        at = match.end()
        following = pattern[at : at + 1]
        head, tail = pattern[:at], pattern[at + 1 :]
        if following in {"*", "+", "?"} and following:
            for new, weight in {"*": 1.0, "+": 1.0, "?": 0.5, "": 0.7, following + "?": 0.8}.items():
                if new != following:
                    yield head + new + tail, 2 * weight, f"{new or 'exactly one'} instead of {following}"
        elif following != "{":
            common = 1.0 if len(match.group()) > 1 or not match.group().isalnum() else 0.5
            yield head + "?" + pattern[at:], common, f"{match.group()} is optional"
            yield head + "*" + pattern[at:], 0.3 * common, f"any number of {match.group()}"
            yield head + "+" + pattern[at:], 0.4 * common, f"one or more of {match.group()}"
        if match.group() == ".":
            yield pattern[: match.start()] + "\\." + pattern[at:], 1.5, "a real dot"
        if match.group() == "\\.":
            yield pattern[: match.start()] + "." + pattern[at:], 0.3, "any character"


def _anchors(pattern: str) -> Iterator[tuple[str, float, str]]:
    yield (pattern[1:], 1.0, "not only at the start") if pattern.startswith("^") else ("^" + pattern, 1.0, "only at the start")
    yield (pattern[:-1], 1.0, "not only at the end") if pattern.endswith("$") else (pattern + "$", 1.0, "only at the end")
    yield pattern + "\\b", 0.5, "up to the end of a word"
    yield "\\b" + pattern, 0.5, "from the start of a word"
    for flag in "ims":
        yield f"(?{flag}){pattern}", 0.4, f"with flag {flag}"


def _classes(pattern: str) -> Iterator[tuple[str, float, str]]:
    for match in CLASS.finditer(pattern):
        inner = match.group()[1:-1]
        for more in ("-", "_", "\\w", "\\d", "\\s", ".", "a-z", "A-Z", "0-9", "/", "+", ":", "'", "\\-", "@", " "):
            if more not in inner:
                weight = 0.5 if more in {"-", "_", "."} else 0.3
                tail = inner + more if not inner.endswith("-") else inner[:-1] + more + "-"
                yield pattern[: match.start()] + f"[{tail}]" + pattern[match.end() :], weight, f"also {more} in the class"
    for match in CLASS.finditer(pattern):
        inner = match.group()[1:-1]
        for at, sign in enumerate(inner):
            if sign in "|.,-_:/ " and len(inner) > 1:
                yield (
                    pattern[: match.start()] + f"[{inner[:at]}{inner[at + 1 :]}]" + pattern[match.end() :],
                    0.4,
                    f"without {sign} in the class",
                )
    for old, new in SHORTHANDS:
        for match in list(re.finditer(re.escape(old), pattern))[:3]:
            yield pattern[: match.start()] + new + pattern[match.end() :], 0.3, f"{new} instead of {old}"


def _groups(pattern: str) -> Iterator[tuple[str, float, str]]:
    for match in list(re.finditer(r"\((?!\?)", pattern))[:4]:
        yield pattern[: match.start()] + "(?:" + pattern[match.end() :], 0.5, "a group that is not kept"
    for match in list(re.finditer(r"\(\?:", pattern))[:4]:
        yield pattern[: match.start()] + "(" + pattern[match.end() :], 0.4, "a group that is kept"
    for match in list(re.finditer(r"(?<![\w\\])[a-zA-Z]|\((?!\?)", pattern))[:6]:
        yield pattern[: match.start()] + "\\b" + pattern[match.start() :], 0.3, "from the start of a word"
    for match in list(re.finditer(r"\)(?![*+?{])", pattern))[:4]:
        yield pattern[: match.end()] + "?" + pattern[match.end() :], 0.8, "an optional group"


def _boundaries(pattern: str) -> Iterator[tuple[str, float, str]]:
    """The end of a word, where what stands before it need not end with a letter; its start likewise."""
    for match in list(re.finditer(r"(?<!\\)\\b", pattern))[:4]:
        head, tail = pattern[: match.start()], pattern[match.end() :]
        yield head + tail, 0.8, "without a word's boundary"
        yield (head + "(?!\\w)" + tail, 0.8, "no letter after it") if head else ("(?<!\\w)" + tail, 0.8, "no letter before it")
