"""Unified diffs as edits: read as `git apply` and `patch --fuzz=5` read them, and fitted to a file by their context.

A hunk is looked for where it says it is, then nearer to farther from there, then with less and less of its outer context.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from swesearch.base import Create, Delete, Edit, EditError, Rename, Replace

HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
FUZZ = 5  # lines of outer context that may differ, as in the official grading's last command
NOWHERE = b"/dev/null"
Read = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines with their sign: b" " kept, b"-" taken out, b"+" put in."""

    start: int  # 1-based line in the old file
    rows: tuple[tuple[bytes, bytes], ...]

    @property
    def old(self) -> list[bytes]:
        """The lines as they were."""
        return [line for sign, line in self.rows if sign != b"+"]

    @property
    def new(self) -> list[bytes]:
        """The lines as they are to be."""
        return [line for sign, line in self.rows if sign != b"-"]

    def trimmed(self, lines: int) -> tuple[int, Hunk]:
        """How many lines of context were left out at the top, and the hunk without at most `lines` at either end."""
        first = next((n for n, (sign, _) in enumerate(self.rows) if sign != b" "), 0)
        last = next((n for n, (sign, _) in enumerate(reversed(self.rows)) if sign != b" "), 0)
        top, bottom = min(first, lines), min(last, lines)
        return top, Hunk(self.start + top, self.rows[top : len(self.rows) - bottom])


@dataclass(slots=True)
class Change:
    """What a diff does to one file. No `old` path: it is new. No `new` path: it is deleted."""

    old: str | None
    new: str | None
    executable: bool = False
    binary: bool = False
    hunks: list[Hunk] = field(default_factory=list)

    @property
    def paths(self) -> set[str]:
        """Every path that it touches."""
        return {path for path in (self.old, self.new) if path}


def changes(patch: str) -> list[Change]:
    """The changes of a unified diff, file by file. Raises EditError where it is none."""
    try:
        rows = patch.encode("utf-8", "surrogateescape").split(b"\n")
    except UnicodeEncodeError as error:
        raise EditError("this is no unified diff: it holds half a character") from error
    found = list(_Reader(rows).changes())
    if patch.strip() and not found:
        raise EditError("this is no unified diff: it has no file header")
    return found


def edits_of(change: Change, read: Read) -> list[Edit]:
    """The edits that carry out one change; `read` knows the files. Raises EditError where it does not fit."""
    name = change.new or change.old or ""
    if change.binary:
        raise EditError(f"{name}: a binary patch cannot be replayed")
    before = read(change.old) if change.old else b""
    if before is None:
        raise EditError(f"{change.old}: there is no such file")
    if change.new is None:
        return [Delete(name)]
    if change.old is None:
        return [Create(name, _patched(name, b"", change.hunks), change.executable)]
    moved: list[Edit] = [Rename(change.old, name)] if change.old != name else []
    return [*moved, *(Replace(name, *where) for where in reversed(fitted(name, before, change.hunks)))]


def fitted(path: str, content: bytes, hunks: Sequence[Hunk]) -> list[tuple[bytes, bytes, int]]:
    """(before, after, byte offset) of what each hunk changes, from top to bottom. Raises EditError."""
    lines = _lines(content)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found, floor, drift = [], 0, 0
    for number, hunk in enumerate(hunks, 1):
        place, part = _place(lines, hunk, floor, drift)
        if part is None:
            raise EditError(f"{path}: hunk {number} (line {hunk.start}) does not fit")
        drift = place - (part.start - 1)
        floor = place + len(part.old)
        top, core = part.trimmed(len(part.rows))
        found.append((b"".join(lines[place + top : place + top + len(core.old)]), b"".join(core.new), starts[place + top]))
    return found


def _place(lines: Sequence[bytes], hunk: Hunk, floor: int, drift: int) -> tuple[int, Hunk | None]:
    """The line where a hunk fits, and as much of the hunk as does."""
    for fuzz in range(FUZZ + 1):
        _, part = hunk.trimmed(fuzz)
        old = part.old
        guess = max(floor, part.start - 1 + drift) if old else min(part.start, len(lines))
        for place in sorted(range(floor, len(lines) - len(old) + 1), key=lambda at: abs(at - guess)):
            if lines[place : place + len(old)] == old:
                return place, part
    return 0, None


def _patched(path: str, content: bytes, hunks: Sequence[Hunk]) -> bytes:
    for before, after, start in reversed(fitted(path, content, hunks)):
        content = content[:start] + after + content[start + len(before) :]
    return content


def _lines(content: bytes) -> list[bytes]:
    """Lines with their ends; only a line feed ends one."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]] + ([last] if (last := content.rpartition(b"\n")[2]) else [])


class _Reader:
    """Reads a diff line by line."""

    def __init__(self, rows: list[bytes]) -> None:
        self._rows, self._at = rows, 0

    def changes(self) -> Iterator[Change]:
        now: Change | None = None
        while (row := self._next()) is not None:
            if row.startswith(b"diff --git "):
                if now:
                    yield now
                now = _headed(row)
            elif row.startswith(b"--- ") and self._rows[self._at : self._at + 1] and self._rows[self._at].startswith(b"+++ "):
                names = _path(row[4:]), _path((self._next() or b"")[4:])
                if now and not now.hunks and now.paths & {*names}:
                    now.old, now.new = names
                else:
                    if now:
                        yield now
                    now = Change(*names)
            elif now and row.startswith(b"@@"):
                now.hunks.append(self._hunk(row))
            elif now:
                _mark(now, row)
        if now:
            yield now

    def _next(self) -> bytes | None:
        self._at += 1
        return self._rows[self._at - 1] if self._at <= len(self._rows) else None

    def _hunk(self, header: bytes) -> Hunk:
        match = HUNK.match(header)
        if not match:
            raise EditError(f"no hunk header: {header[:60]!r}")
        old, new = (int(count) if count is not None else 1 for count in match.group(2, 4))
        rows: list[tuple[bytes, bytes]] = []
        while old or new:
            row = self._next()
            if row is None or (row and row[:1] not in b" -+\\"):
                raise EditError(f"the hunk {match[0].decode()} ends too early")
            sign, text = (row[:1], row[1:]) if row else (b" ", b"")
            if sign == b"\\":
                if not rows:
                    raise EditError(f"the hunk {match[0].decode()} begins with the end of a file")
                rows[-1] = (rows[-1][0], rows[-1][1].removesuffix(b"\n"))
                continue
            old, new = old - (sign != b"+"), new - (sign != b"-")
            rows.append((sign, text + b"\n"))
        if self._rows[self._at : self._at + 1] and self._rows[self._at].startswith(b"\\") and rows:
            rows[-1] = (rows[-1][0], rows[-1][1].removesuffix(b"\n"))
        if old < 0 or new < 0:
            raise EditError(f"the hunk {match[0].decode()} has too many lines")
        return Hunk(int(match[1]), tuple(rows))


def _headed(row: bytes) -> Change:
    """A change from `diff --git a/x b/x`, where both names are the same or told later."""
    names = row.removeprefix(b"diff --git ").split(b" b/")
    old = _path(names[0])
    return Change(old, _path(b"b/" + names[-1]) if len(names) > 1 else old)


def _mark(change: Change, row: bytes) -> None:
    """What an extended header line says."""
    if row.startswith(b"new file mode"):
        change.old, change.executable = None, row.endswith(b"755")
    elif row.startswith(b"deleted file mode"):
        change.new = None
    elif row.startswith(b"rename from "):
        change.old = row[12:].decode("utf-8", "surrogateescape")
    elif row.startswith(b"rename to "):
        change.new = row[10:].decode("utf-8", "surrogateescape")
    elif row.startswith((b"GIT binary patch", b"Binary files ")):
        change.binary = True


def _path(name: bytes) -> str | None:
    """A path without its a/ or b/, and without what stands behind a tab; None for /dev/null."""
    plain = name.split(b"\t")[0].strip().strip(b'"')
    if plain == NOWHERE:
        return None
    return re.sub(rb"^[ab]/", b"", plain).decode("utf-8", "surrogateescape")
