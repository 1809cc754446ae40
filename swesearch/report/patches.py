"""Changes as text for readers: a unified diff of two texts, and edits where there is no code to compare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import unified_diff
from itertools import takewhile
from typing import Any

LONGEST = 20_000  # characters of one diff
AROUND = 3  # unchanged lines shown around a change

Change = tuple[str, bytes | None, bytes | None]  # path, before, after


def unified(changes: Iterable[Change]) -> str:
    """A diff of files as git would show it, for reading: bytes that are not UTF-8 are written out."""
    return "".join(_file(*change) for change in changes)


def shortened(patch: str) -> str:
    """A patch of at most so many characters that somebody may read it."""
    return patch if len(patch) <= LONGEST else f"{patch[:LONGEST]}\n… {len(patch) - LONGEST:,} more characters"


def of_edits(action: Mapping[str, Any] | None) -> str:
    """The edits of an action, as kept in the journal: what was to be taken out and put in."""
    return shortened("".join(map(_edit, action["edits"]))) if action else ""


def _file(path: str, before: bytes | None, after: bytes | None) -> str:
    old, new = _lines(before), _lines(after)
    head = f"--- {'a/' + path if before is not None else '/dev/null'}\n+++ {'b/' + path if after is not None else '/dev/null'}\n"
    if b"\0" in (before or b"") + (after or b""):
        return f"{head}binary file, {len(before or b'')} bytes before, {len(after or b'')} after\n"
    return head + "".join(_hunks(old, new))


def _hunks(old: list[str], new: list[str]) -> Iterable[str]:
    """The hunks. Equal ends are cut off first, and given back as numbers: comparing whole files is slow."""
    start = max(0, _common(old, new) - AROUND)
    end = max(0, _common(old[start:][::-1], new[start:][::-1]) - AROUND)
    rows = unified_diff(old[start : len(old) - end], new[start : len(new) - end], n=AROUND)
    for row in list(rows)[2:]:
        yield _moved(row, start) if row.startswith("@@") else row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n"


def _common(a: list[str], b: list[str]) -> int:
    """How many lines are the same from the beginning on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))


def _moved(row: str, by: int) -> str:
    """The head of a hunk, that many lines further down."""
    old, new = (_shifted(mark, by) for mark in row.split()[1:3])
    return f"@@ -{old} +{new} @@\n"


def _shifted(mark: str, by: int) -> str:
    first, _, count = mark[1:].partition(",")
    return f"{int(first) + by}{',' + count if count else ''}"


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "backslashreplace").splitlines(keepends=True)


def _edit(edit: Mapping[str, Any]) -> str:
    match edit["$"]:
        case "Replace":
            return f"--- a/{edit['path']}\n+++ b/{edit['path']}\n@@ @@\n{_marked('-', edit['before'])}{_marked('+', edit['after'])}"
        case "Create":
            return f"--- /dev/null\n+++ b/{edit['path']}\n@@ @@\n{_marked('+', edit['content'])}"
        case "Delete":
            return f"--- a/{edit['path']}\n+++ /dev/null\n"
        case _:
            return f"--- a/{edit['path']}\n+++ b/{edit['to']}\n"


def _marked(mark: str, kept: Mapping[str, str]) -> str:
    return "".join(f"{mark}{line}\n" for line in kept["text"].splitlines())
