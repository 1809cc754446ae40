"""Text of a repository, made safe to print: no byte of it may steer the terminal."""

from __future__ import annotations

import unicodedata


def safe(text: str | bytes, keep: str = "\n\t") -> str:
    """`text` with everything that is not printable written out as an escape, but for the characters in `keep`.

    That is: control characters (which move the cursor, colour, set titles), marks that turn the direction of text or have no width
    (which make code look like other code), and bytes that are not UTF-8.
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8", "backslashreplace")
    return "".join(character if character in keep or _harmless(character) else _written_out(character) for character in text)


def line(text: str | bytes, width: int = 160) -> str:
    """`text` on one line of at most `width` characters, safe to print."""
    flat = " ".join(safe(text).split())
    return flat if len(flat) <= width else flat[: width - 3] + "..."


def _harmless(character: str) -> bool:
    return character.isprintable() or unicodedata.category(character) == "Zs"


def _written_out(character: str) -> str:
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
