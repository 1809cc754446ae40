"""How small and how usual an edit is: tokens changed, and surprise in bits per new token."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from math import log2

TOKEN = re.compile(rb"[A-Za-z_]\w*|\d[\w.]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[-+*/%&|^<>=!:]=|[*/<>&|]{2}|->|[^\w\s]|\n[ \t]*")
ORDER = 3
WEIGHTS = (0.5, 0.3, 0.15)  # of the models with two, one and no tokens of context; the rest goes to any token at all


def tokens(source: bytes) -> list[bytes]:
    """The words, numbers, strings, signs and line starts of a source text. Any language will do."""
    return [token for token in TOKEN.findall(source) if token.strip() or token.startswith(b"\n")]


def edited(before: Sequence[bytes], after: Sequence[bytes]) -> list[tuple[range, range]]:
    """Which tokens were taken out, and which stand in their place."""
    blocks = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    return [(range(i, j), range(k, m)) for kind, i, j, k, m in blocks if kind != "equal"]


def size(before: bytes, after: bytes) -> int:
    """How many tokens an edit takes out and puts in; a replaced token counts once."""
    return sum(max(len(out), len(put)) for out, put in edited(*_different(before, after)))


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
        old, new = tokens(before), tokens(after)
        put = [place for _, places in edited(*_different(before, after)) for place in places]
        first = _common(old, new)
        bits = [self._bits(new, first + place) for place in put]
        return sum(bits) / len(bits) if bits else 0.0

    def _learn(self, text: list[bytes]) -> None:
        padded = [b""] * (ORDER - 1) + text
        for place in range(ORDER - 1, len(padded)):
            for length in range(1, ORDER + 1):
                self._counts[tuple(padded[place - length + 1 : place + 1])] += 1
            for length in range(ORDER):
                self._counts[(*padded[place - length : place], b"\0")] += 1  # how often this context was seen

    def _bits(self, text: list[bytes], place: int) -> float:
        padded = [b""] * (ORDER - 1) + text[: place + 1]
        chance = (1 - sum(WEIGHTS)) / (len(self._counts) + 1)
        for weight, length in zip(WEIGHTS, (2, 1, 0), strict=True):
            context, gram = tuple(padded[-length - 1 : -1]) if length else (), tuple(padded[-length - 1 :])
            chance += weight * self._counts[gram] / max(1, self._counts[(*context, b"\0")])
        return -log2(chance)


def _different(before: bytes, after: bytes) -> tuple[list[bytes], list[bytes]]:
    """The tokens without what both begin and end with: comparing whole files is slow."""
    old, new = tokens(before), tokens(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    return old[head : len(old) - tail], new[head : len(new) - tail]


def _common(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
