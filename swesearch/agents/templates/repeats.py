"""What helped in one line, done in the others that read the same: a slip that was copied is to be mended in every copy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from swesearch.base import Action, Replace
from swesearch.code.parse import line_at, line_span

SHORTEST = 8  # bytes of a line that is not the same by chance
MOST = 20  # places; what stands more often is no copy
TRUST = 0.5  # prior that all of them want it; as much is left for each by itself


def repeats(action: Action, read: Callable[[str], bytes]) -> Iterator[Action]:
    """What `action` made of its line, for the other lines of the file that read as this one did: all of them, then each by itself.

    `read` gives the files of the state that `action` led to. Nothing where it was more than one edit of one line.
    """
    edit = action.edits[0] if len(action.edits) == 1 else None
    if not isinstance(edit, Replace) or edit.start is None:
        return
    data = read(edit.path)
    old, new = _lines(data, edit.start, edit)
    places = _places(data, old) if len(old) >= SHORTEST and b"\n" not in old + new else []
    edits = [Replace(edit.path, old, new, place) for place in places]
    lines = [line_at(data, place) for place in places]
    if len(edits) > 1:
        moved = (Replace(e.path, old, new, e.start + n * (len(new) - len(old))) for n, e in enumerate(edits) if e.start is not None)
        yield Action(tuple(moved), f"the same in lines {', '.join(map(str, lines))} of {edit.path}", TRUST)
    for each, line in zip(edits, lines, strict=True):
        yield Action((each,), f"the same in line {line} of {edit.path}", TRUST / len(edits))


def _lines(data: bytes, start: int, edit: Replace) -> tuple[bytes, bytes]:
    """The line of an edit as it was and as it is, without the white space around."""
    end = start + len(edit.after)
    first, last = line_span(data, line_at(data, start)), line_span(data, line_at(data, end))
    head, tail = data[first.start : start], data[end : last.end]
    return (head + edit.before + tail).strip(), (head + edit.after + tail).strip()


def _places(data: bytes, line: bytes) -> list[int]:
    """Where a line stands, whatever its indentation; nowhere where that is too often."""
    found = [match.start(1) for match in re.finditer(rb"(?m)^[ \t]*(" + re.escape(line) + rb")[ \t\r]*$", data)]
    return found if len(found) <= MOST else []
