"""Strings: toward what the failing assertion expects, a character more or less, another prefix, another format."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from difflib import Match, SequenceMatcher
from itertools import combinations_with_replacement, pairwise

from tree_sitter import Node

from swesearch.agents.templates.context import Context
from swesearch.agents.templates.draft import Draft
from swesearch.agents.templates.table import Drafts, template
from swesearch.code.literals import string_value
from swesearch.code.parse import own

CHARACTERS = ("\\n", " ", ",", "/", ".", ":", "-", "_", "'", '"', ";", "\\t", "\\r", "|", "+", "*", "?", "%", "=", "(", ")")
ALIKE = 0.6  # share of a string that is in an expected one, where it is to become a part of it
NOT_RAW = str.maketrans("", "", "rR")
AFFIXES = ("\\n", " ", "/", ".", ":", ",", "-", "_", ";", "=", "s")


def pieces(node: Node, context: Context, *, filled: bool = False) -> tuple[str, str, str] | None:
    """Opening, content and closing of a string; only if `filled` of one with interpolations."""
    if node.type != "string" or node.named_child_count < 2:
        return None
    first, last = node.named_children[0], node.named_children[-1]
    if first.type != "string_start" or last.type != "string_end":
        return None
    if not filled and any(c.type == "interpolation" for c in node.named_children):
        return None
    return context.text(first), context.file.slice(first.end_byte, last.start_byte), context.text(last)


def strings(node: Node) -> Iterator[Node]:
    """A string, or the parts of a joined one."""
    if node.type == "string":
        yield node
    elif node.type == "concatenated_string":
        yield from (c for c in node.named_children if c.type == "string")


def expected_strings(context: Context) -> Iterator[str]:
    """The strings the failing assertion compares with."""
    short = (text for text in context.localisation.literals[:30] if len(text) < 2000)
    return (value for text in short if (value := string_value(text)) is not None)


@template(5, "string", "concatenated_string")
def expected(node: Node, context: Context) -> Drafts:
    """The string as the assertion expects it.

    The smallest change that turns the constant into a part of an expected string, where most of it is already there.
    """
    wanted = list(dict.fromkeys(expected_strings(context)))
    for part in strings(node):
        for rank, text in enumerate(wanted):
            if found := _towards(part, text, context):
                yield context.put(part, found[0], found[1] * 3 / (1 + 0.3 * rank), f"the string {found[0][:40]}")


@template(3, "statement")
def all_expected(node: Node, context: Context) -> Drafts:
    """All strings of the statement as the assertion expects them."""
    parts = [part for part in own(node) if part.type == "string"]
    for text in dict.fromkeys(expected_strings(context)) if len(parts) > 1 else ():
        changes = [(part, found[0]) for part in parts if (found := _towards(part, text, context))]
        if len(changes) > 1:
            yield _together(changes, context, f"the strings as in {text[:40]!r}")


def _together(changes: Sequence[tuple[Node, str]], context: Context, why: str) -> Draft:
    """Several strings replaced at once, in the order in which they stand."""
    between = [context.file.slice(one.end_byte, other.start_byte) for (one, _), (other, _) in pairwise(changes)]
    after = "".join(new + gap for (_, new), gap in zip(changes, [*between, ""], strict=True))
    return Draft(changes[0][0].start_byte, changes[-1][0].end_byte, after, 1.0, why)


def _towards(part: Node, text: str, context: Context) -> tuple[str, float] | None:
    """The string turned into a part of `text`, and the share of it that was there; None where that is little, or all."""
    found, content = pieces(part, context), string_value(context.text(part))
    if found is None or content is None or not content.strip() or content in text:
        return None
    blocks = [block for block in SequenceMatcher(None, content, text, autojunk=False).get_matching_blocks() if block.size]
    same = sum(block.size for block in blocks) / len(content)
    return (_spelt(found, _nearest(content, text, blocks)), same) if same >= ALIKE else None


def _nearest(content: str, text: str, blocks: Sequence[Match]) -> str:
    """The part of `text` that is most like `content`, from one of the longest blocks they share to another, and a little around."""
    longest = sorted(sorted(blocks, key=lambda block: -block.size)[:3])
    parts = {
        text[max(0, first.b - lead) : last.b + last.size + tail]
        for first, last in combinations_with_replacement(longest, 2)
        for lead in {*range(min(first.a, 3)), first.a}
        for tail in {*range(min(len(content) - last.a - last.size, 3)), len(content) - last.a - last.size}
    }
    return max(sorted(parts), key=lambda part: SequenceMatcher(None, content, part, autojunk=False).ratio())


def _spelt(found: tuple[str, str, str], content: str) -> str:
    """A string with this content, between the same quotes."""
    opening, _, closing = found
    if "r" in opening.lower() and closing not in content and "\n" not in content and not content.endswith("\\"):
        return opening + content + closing
    escaped = content.replace("\\", "\\\\").replace("\n", "\\n").replace("'", "\\'").replace('"', '\\"')
    return opening.translate(NOT_RAW) + escaped + closing


@template(4, "string", "concatenated_string")
def affix(node: Node, context: Context) -> Drafts:
    """A character more or less in the string."""
    for part in strings(node):
        found = pieces(part, context)
        for new, weight in _affixed(found[1]) if found is not None else ():
            if found is not None and new != found[1]:
                yield context.put(part, found[0] + new + found[2], weight, f"the string {new[:40]!r}")


def _affixed(content: str) -> Iterator[tuple[str, float]]:
    for mark in AFFIXES:
        yield content + mark, 0.6
        yield mark + content, 0.4
    for new, weight in (
        (content.strip(), 1.5),
        (content.lstrip(), 0.7),
        (content.rstrip(), 0.7),
        (content.lower(), 1.0),
        (content.upper(), 0.5),
    ):
        yield new, weight
    yield content[:1].upper() + content[1:], 0.7
    for old, new in (("-", "_"), ("_", "-"), (" ", ""), ("  ", " "), ("/", "."), (".", "/"), ('"', "'")):
        yield content.replace(old, new), 0.7
    yield from _shortened(content)
    if content:
        yield "", 0.5


def _shortened(content: str) -> Iterator[tuple[str, float]]:
    """The string without its last or first characters; another sign for a sign."""
    for size, weight in ((1, 1.5), (2, 0.7)):
        if len(content) > size:
            yield content[:-size] if not content[:-size].endswith("\\") else content[: -size - 1], weight
            yield content[size:], weight
    for sign in CHARACTERS if 0 < len(content) <= 2 else ():
        yield sign, 0.7


@template(4, "string")
def other(node: Node, context: Context) -> Drafts:
    """Another string of the function, of the module or of the error."""
    old = context.text(node)
    texts = [i.text for i in context.idioms if i.type == "string"]
    texts += [i.text for i in context.around.module.idioms.values() if i.type == "string"][:20]
    texts += [repr(n) for n in context.localisation.names if len(n) > 1]
    for text in dict.fromkeys(texts):
        if text != old:
            yield context.put(node, text, context.alike(old, text), f"{text[:30]} instead")


@template(5, "string", "concatenated_string")
def interpolate(node: Node, context: Context) -> Drafts:
    """Fill in the names in braces: the string was to be a formatted one."""
    known = {name.text for name in context.names(node)} | {"self", "cls"}
    parts = [part for part in strings(node) if _awaits(part, known, context)]
    if not parts or (node.parent is not None and node.parent.type == "attribute"):  # .format() fills them in
        return
    yield _together([(part, "f" + context.text(part)) for part in parts], context, f"fill in {context.text(node)[:30]}")


def _awaits(part: Node, known: AbstractSet[str], context: Context) -> bool:
    """Whether names in braces are all known, and nothing fills them in."""
    found = pieces(part, context)
    names = re.findall(r"\{(\w+)", found[1]) if found is not None and found[0].strip("rR'\"") == "" else []
    return bool(names) and known >= set(names)


@template(2, "string")
def prefix(node: Node, context: Context) -> Drafts:
    """Another kind of string: raw, bytes, unicode, formatted; or none of these."""
    text = context.text(node)
    mark = re.match(r"[a-zA-Z]*", text)
    old = mark.group().lower() if mark is not None else ""
    bare = text[len(old) :]
    braces = bool(re.search(r"\{\w", bare))
    for new, weight in (("b", 1.0), ("r", 2.0 if "\\" in bare else 0.2), ("u", 0.7), ("f", 3.0 if braces else 0.0), ("", 1.5)):
        if new != old and weight:
            yield context.put(node, new + bare, weight, f"with prefix {new!r}")


FIELDS = {
    "%s": ("%r", "%d", "'%s'", '"%s"'), "%d": ("%s", "%02d", "%i", "%.1f"), "%r": ("%s",), "%i": ("%s", "%d"), "%f": ("%s", "%.2f", "%g"),
    "{}": ("{!r}", "'{}'", '"{}"', "{:d}", "{0}"), "{!r}": ("{}",), "{0}": ("{}", "{0!r}", "{1}"), "%Y": ("%y",), "%y": ("%Y",),
    "%m": ("%M",),
    "%M": ("%m",), "%H": ("%I",), "%I": ("%H",), "%b": ("%B",), "%B": ("%b",), "%z": ("%Z",), "%Z": ("%z",), "%x": ("%X", "%02x"),
    "%02d": ("%d",),
    "%%": ("%",), "%": ("%%",), "{{": ("{",), "}}": ("}",), "\\n": ("\\r\\n", "", " "), "\\r\\n": ("\\n",), "'": ('"',), "utf8": ("utf-8",),
    "utf-8": ("utf-8-sig", "latin-1", "ascii"), "ascii": ("utf-8",), "'w'": ("'wb'",), "latin-1": ("utf-8",), "latin1": ("utf-8",),
}  # fmt: skip


@template(3, "string", "concatenated_string")
def field(node: Node, context: Context) -> Drafts:
    """Another field in the format."""
    for part in strings(node):
        found = pieces(part, context)
        for old, news in FIELDS.items() if found is not None else ():
            for match in list(re.finditer(re.escape(old), found[1]))[:4] if found is not None else ():
                for new in news:
                    content = found[1][: match.start()] + new + found[1][match.end() :] if found else ""
                    yield (
                        context.put(part, found[0] + content + found[2], 1.0, f"{new} instead of {old}") if found else context.put(part, "")
                    )


MODES = {
    "r": ("rb", "rU"),
    "w": ("wb", "a", "w+"),
    "a": ("ab", "w", "a+"),
    "rb": ("r",),
    "wb": ("w", "ab"),
    "ab": ("a", "wb"),
    "r+": ("w+", "r"),
    "w+": ("w",),
}


@template(3, "string")
def mode(node: Node, context: Context) -> Drafts:
    """Open in another mode."""
    found = pieces(node, context)
    for new in MODES.get(found[1], ()) if found is not None else ():
        if found is not None:
            yield context.put(node, found[0] + new + found[2], 1.0, f"mode {new} instead of {found[1]}")
