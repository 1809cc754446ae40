"""How small and how usual an edit is: tokens changed, and surprise in bits per new token."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher
from math import log2

TOKEN = re.compile(rb"^[ \t]+|[A-Za-z_]\w*|\d[\w.]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|[-+*/%&|^<>=!:]=|[*/<>&|]{2}|->|[^\w\s]|[\r\n]+")
ORDER = 3
WEIGHTS = (0.5, 0.3, 0.15)  # of the models with two, one and no tokens of context; the rest goes to any token at all


def tokens(source: bytes) -> list[bytes]:
    """The words, numbers, strings, signs, indents and line ends of a source text. Any language will do."""
    return [token for line in source.splitlines(keepends=True) for token in TOKEN.findall(line)]


def edited(before: bytes, after: bytes) -> list[tuple[int, range]]:
    """How many tokens were taken out, and the places of those that stand there instead."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    found = []
    for i, j, k, m in _differences(old, new):  # by lines first: by tokens alone would be slow in long files
        start = len(tokens(b"".join(new[:k])))
        out, put = tokens(b"".join(old[i:j])), tokens(b"".join(new[k:m]))
        found += [(b - a, range(start + c, start + d)) for a, b, c, d in _differences(out, put)]
    return found


def _differences(old: list[bytes], new: list[bytes]) -> list[tuple[int, int, int, int]]:
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(i, j, k, m) for kind, i, j, k, m in blocks if kind != "equal"]


def size(before: bytes, after: bytes) -> int:
    """How many tokens an edit takes out and puts in; a replaced token counts once."""
    return sum(max(out, len(put)) for out, put in edited(before, after))


class Language:
    """A model of how a project is written: trigrams, bigrams and single tokens, interpolated (Jelinek and Mercer, 1980).

    Code is repetitive enough for this to say what is unusual: Hindle et al., "On the naturalness of software" (2012).
    """

    def __init__(self, sources: Iterable[bytes]) -> None:
        self._counts: Counter[tuple[bytes, ...]] = Counter()
        for source in sources:
            self._learn(tokens(source))

    def surprise(self, before: bytes, after: bytes) -> float:
        """Bits per token that the edit puts in, given what stands before it; 0 where it puts nothing in."""
        new = tokens(after)
        bits = [self._bits(new, place) for _, put in edited(before, after) for place in put]
        return sum(bits) / len(bits) if bits else 0.0

    def _learn(self, text: list[bytes]) -> None:
        padded = [b""] * (ORDER - 1) + text
        for place in range(ORDER - 1, len(padded)):
            for length in range(1, ORDER + 1):
                self._counts[tuple(padded[place - length + 1 : place + 1])] += 1
            for length in range(ORDER):
                self._counts[(*padded[place - length : place], b"\0")] += 1  # how often this context was seen

    def _bits(self, text: list[bytes], place: int) -> float:
        padded = [b""] * (ORDER - 1) + text[max(0, place + 1 - ORDER) : place + 1]
        chance = (1 - sum(WEIGHTS)) / (len(self._counts) + 1)
        for weight, length in zip(WEIGHTS, (2, 1, 0), strict=True):
            context, gram = tuple(padded[-length - 1 : -1]) if length else (), tuple(padded[-length - 1 :])
            chance += weight * self._counts[gram] / max(1, self._counts[(*context, b"\0")])
        return -log2(chance)
