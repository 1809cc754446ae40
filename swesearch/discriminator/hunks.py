"""A change as the smallest pieces that can be taken or left."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

from swesearch.base import Replace, State
from swesearch.store import Store


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of one file to replace, by byte offset in the root's file; or the whole file where it is new, gone or no plain file."""

    path: str
    start: int = 0
    before: bytes = b""
    after: bytes = b""
    whole: bool = False


def hunks(store: Store, root: State, result: State) -> tuple[Hunk, ...]:
    """What `result` changes, file by file and from top to bottom. Equally many changed lines are changes of one line each."""
    texts = {path: (before, after) for path, before, after in store.texts(root, result)}
    found: list[Hunk] = []
    for path in sorted(store.changed(root, result)):
        before, after = texts.get(path, (None, None))
        found += [Hunk(path, whole=True)] if before is None or after is None else _of_file(path, before, after)
    return tuple(found)


def rebuild(store: Store, root: State, result: State, dropped: Collection[Hunk]) -> State:
    """`result` without these hunks of it."""
    paths = {hunk.path for hunk in dropped}
    kept = [hunk for hunk in hunks(store, root, result) if hunk.path in paths and hunk not in dropped]
    state = store.overlay(result, root, paths)
    # From bottom to top, so that the offsets above stay true.
    edits = [Replace(hunk.path, hunk.before, hunk.after, hunk.start) for hunk in reversed(kept)]
    return store.apply(state, edits) if edits else state


def _of_file(path: str, before: bytes, after: bytes) -> list[Hunk]:
    if before == after or b"\0" in before + after:  # only the mode, or binary
        return [Hunk(path, whole=True)]
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    pieces = [piece for kind, *block in blocks if kind != "equal" for piece in _pieces(*block)]
    return [Hunk(path, starts[i], b"".join(old[i:j]), b"".join(new[k:m])) for i, j, k, m in pieces]


def _pieces(i: int, j: int, k: int, m: int) -> Iterator[tuple[int, int, int, int]]:
    if j - i == m - k:
        yield from ((i + n, i + n + 1, k + n, k + n + 1) for n in range(j - i))
    else:
        yield i, j, k, m
