"""Lines of changes: which lines of the head a pull request shows, and a patch as suggestions that can be committed with one click."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from swesearch.base import State
from swesearch.github.bot.base import Suggestion
from swesearch.store import Store

CLOSE = 4_000_000  # pairs of lines to compare
Block = tuple[int, int, int, int]  # lines of the old file from here up to there, of the new one from here up to there


def shown_lines(patch: str) -> frozenset[int]:
    """The lines of the new file that the patch of one file, as GitHub gives it, shows: the only ones that a comment may be put on."""
    found: set[int] = set()
    number = 0
    for line in patch.split("\n"):
        if line.startswith("@@"):
            number = int(line.split("+", 1)[1].split(" ")[0].split(",")[0])
        elif number and line[:1] in ("+", " "):
            found.add(number)
            number += 1
    return frozenset(found)


def changed_lines(store: Store, base: State, head: State) -> Mapping[str, frozenset[int]]:
    """The lines of each file of `head` that `base` does not have, with the one after lines that were taken out."""
    found = {}
    for path, before, after in store.texts(base, head):
        if after is not None:
            blocks = _blocks(before or b"", after)
            found[path] = frozenset(line + 1 for _, _, start, end in blocks for line in range(start, max(end, start + 1)))
    return found


def suggestions(store: Store, head: State, fixed: State) -> tuple[Suggestion, ...]:
    """What `fixed` changes, as lines of `head` to replace; nothing where it is more than that, or its lines end in another way."""
    found: list[Suggestion] = []
    for path, before, after in store.texts(head, fixed):
        if not _plain(before) or not _plain(after):
            return ()
        try:
            found += _of_file(path, before or b"", after or b"")
        except UnicodeDecodeError:
            return ()
    return tuple(found) if len(store.texts(head, fixed)) == len(store.changed(head, fixed)) else ()


def _plain(source: bytes | None) -> bool:
    """Whether a file is there and holds lines as GitHub writes them."""
    return source is not None and source.endswith(b"\n") and b"\r" not in source and b"\0" not in source


def _of_file(path: str, before: bytes, after: bytes) -> Iterator[Suggestion]:
    new = _lines(after)
    for i, j, k, m in _anchored(_blocks(before, after)):
        yield Suggestion(path, i + 1, j, "".join(f"{line.decode()}\n" for line in new[k:m]))


def _anchored(blocks: list[Block]) -> list[Block]:
    """Blocks that replace at least one line each: where nothing is replaced, the line before, or else the first one, is said again."""
    found: list[Block] = []
    for i, j, k, m in blocks:
        if i == j:
            i, j, k, m = (i - 1, j, k - 1, m) if i else (0, 1, 0, m + 1)
        if found and i < found[-1][1]:  # the same line for both
            first = found.pop()
            i, k = first[0], first[2]
        found.append((i, j, k, m))
    return found


def _blocks(before: bytes, after: bytes) -> list[Block]:
    """Where two files differ; the whole middle as one where looking closer would take too long."""
    old, new = _lines(before), _lines(after)
    head = _alike(old, new)
    tail = _alike(old[head:][::-1], new[head:][::-1])
    i, j, k, m = head, len(old) - tail, head, len(new) - tail
    if (j - i) * (m - k) > CLOSE:
        return [(i, j, k, m)]
    found = SequenceMatcher(None, old[i:j], new[k:m], autojunk=False).get_opcodes()
    return [(i + a, i + b, k + c, k + d) for kind, a, b, c, d in found if kind != "equal"]


def _alike(some: list[bytes], others: list[bytes]) -> int:
    """How many lines are the same from the beginning."""
    return next((n for n, (a, b) in enumerate(zip(some, others, strict=False)) if a != b), min(len(some), len(others)))


def _lines(source: bytes) -> list[bytes]:
    return source.removesuffix(b"\n").split(b"\n") if source else []
