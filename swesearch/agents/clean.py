"""Text of issues and repositories is data: nothing hidden in it reaches a model, and none of it can pass for our own words."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

# What a person sees as code stays as it is; a comment is what a person does not see. The leftmost of both wins.
CODE_OR_COMMENT = re.compile(
    r"^ {0,3}(?P<fence>`{3,}|~{3,}).*?(?:^ {0,3}(?P=fence)|\Z)|`[^`\n]+`|(?P<comment><!--.*?(?:-->|\Z))", re.MULTILINE | re.DOTALL
)
TERMINAL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-~]|\x9b[0-?]*[ -/]*[@-~]")
DIRECTION = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u2028\u2029")  # have a width of their own, or none, and no ink
SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))  # variation selectors: bytes can be smuggled in them
KINDS: Mapping[str, str] = {"Cc": "control characters", "Cf": "invisible characters", "Cs": "undecodable bytes"}
NONCE = 16  # hexadecimal digits


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text without what a person would not see, and how much of which kind was taken out."""

    text: str
    removed: Mapping[str, int] = field(default_factory=dict)


def cleaned(text: str) -> Cleaned:
    """Take out HTML comments, terminal escapes, and characters that are invisible or turn the direction of text."""
    removed: Counter[str] = Counter()

    def comment(match: re.Match[str]) -> str:
        if match["comment"] is None:
            return match[0]
        removed["HTML comments"] += 1
        return ""

    text, removed["terminal escapes"] = TERMINAL.subn("", text.replace("\r\n", "\n"))
    text = CODE_OR_COMMENT.sub(comment, text)
    hidden = _hidden(text)
    for character, kind in hidden.items():
        removed[kind] += text.count(character)
    return Cleaned(text.translate(dict.fromkeys(map(ord, hidden))), {kind: count for kind, count in removed.items() if count})


def visible(text: str | bytes) -> str:
    """`text` with every hidden character written out as an escape: what code holds is shown, and steers nothing."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    return text.translate({ord(c): c.encode("unicode_escape", "backslashreplace").decode("ascii") for c in _hidden(text)})


def printed(output: bytes) -> str:
    """What a command printed, without its colours and cursor moves; other hidden characters are written out."""
    text = output.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return visible(TERMINAL.sub("", text))


def shortened(text: str, most: int) -> str:
    """`text` in about `most` characters: head and tail, and between them how much is missing."""
    if len(text) <= most:
        return text
    half = most // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def wrapped(name: str, text: str) -> str:
    """`text` between marks that it cannot close: they carry a hash of the text itself. The same text has the same marks."""
    nonce = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:NONCE]
    while nonce in text:
        nonce = hashlib.sha256(nonce.encode()).hexdigest()[:NONCE]
    return f"<{name}-{nonce}>\n{text}\n</{name}-{nonce}>"


def _hidden(text: str) -> dict[str, str]:
    """The hidden characters of a text, with the kind of each."""
    return {character: kind for character in set(text) if (kind := _kind(character))}


def _kind(character: str) -> str:
    if character in "\n\t":
        return ""
    if character in DIRECTION:
        return "direction marks"
    if character in FILLERS or any(ord(character) in selectors for selectors in SELECTORS):
        return "invisible characters"
    return KINDS.get(unicodedata.category(character), "")
