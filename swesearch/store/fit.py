"""Where a replacement fits, and if it does not, why not: in words that a model or a person can act on."""

from __future__ import annotations

from swesearch.base import EditError, Replace

SHOWN = 5  # line numbers that are named


def replaced(edit: Replace, content: bytes) -> bytes:
    """The content after the edit. Raises EditError where it does not fit exactly once or makes no difference."""
    if edit.before == edit.after:
        raise EditError(f"{edit.path}: the edit makes no difference: the text before and after is the same")
    start = _only_place(edit, content) if edit.start is None else _given_place(edit, content, edit.start)
    return content[:start] + edit.after + content[start + len(edit.before) :]


def _given_place(edit: Replace, content: bytes, start: int) -> int:
    if not 0 <= start <= len(content):
        raise EditError(f"{edit.path}: byte {start} is outside the file, which has {len(content)} bytes")
    if content[start : start + len(edit.before)] != edit.before:
        raise EditError(f"{edit.path}: the text to replace does not stand at byte {start}")
    return start


def _only_place(edit: Replace, content: bytes) -> int:
    if not edit.before and content:
        raise EditError(f"{edit.path}: the text to replace is empty; name a text that occurs once, or give a byte offset")
    start = content.find(edit.before)
    if start < 0:
        raise EditError(f"{edit.path}: the text to replace does not occur in the file{_near_miss(edit.before, content)}")
    if content.find(edit.before, start + 1) >= 0:
        where = _lines(edit.before, content)
        raise EditError(f"{edit.path}: the text to replace occurs several times, {where}; take in more lines around it")
    return start


def _lines(before: bytes, content: bytes) -> str:
    """Where a text occurs, overlaps counted."""
    lines: list[str] = []
    at = content.find(before)
    while at >= 0 and len(lines) <= SHOWN:
        lines.append(str(content.count(b"\n", 0, at) + 1))
        at = content.find(before, at + 1)
    return "at lines " + ", ".join(lines[:SHOWN]) + (" and more" if len(lines) > SHOWN else "")


def _near_miss(before: bytes, content: bytes) -> str:
    """A hint where the text would fit but for line ends or white space."""
    if b"\r\n" in content and b"\r\n" not in before and before.replace(b"\n", b"\r\n") in content:
        return ": its lines end in CRLF, those of the text in LF"
    wanted = [line.split() for line in before.splitlines()]
    lines = [line.split() for line in content.splitlines()]
    if any(wanted) and (at := next((i for i in range(len(lines)) if lines[i : i + len(wanted)] == wanted), None)) is not None:
        return f": at line {at + 1} it would fit but for white space; copy that exactly"
    return ""
