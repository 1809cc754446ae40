"""Which paths may stand in a state. The rules are git's own for a path in the index, on every file system it protects."""

from __future__ import annotations

import re

# Characters that HFS+ leaves out when it compares names (git's utf8.c, next_hfs_char).
_IGNORED = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
_SEPARATORS = re.compile(r"[\\:]")
LONGEST_NAME, LONGEST_PATH = 255, 4000  # bytes: Linux and macOS refuse more


def refusal(path: str) -> str:
    """Why git would not take this path, or "" where it would."""
    if not path:
        return "the path is empty"
    if "\0" in path:
        return "the path holds a NUL byte"
    for name in path.split("/"):
        if why := _bad_name(name):
            return why
    return ""


def edit_refusal(path: str) -> str:
    """Why an edit may not name this path, or "" where it may. Stricter than `refusal`: no backslash, no over-long name."""
    if path.startswith("/"):
        return "the path is absolute; it must be relative to the repository"
    if "\\" in path:
        return "the path holds a backslash; folders are separated by /"
    try:
        raw = encode(path)
    except UnicodeEncodeError:
        return "the path is not valid text"
    if len(raw) > LONGEST_PATH or any(len(name) > LONGEST_NAME for name in raw.split(b"/")):
        return "the path is too long"
    return refusal(path)


def encode(path: str) -> bytes:
    """The path's bytes. Bytes that are not UTF-8 are kept as surrogates in the text, as `os.fsdecode` does."""
    return path.encode("utf-8", "surrogateescape")


def decode(raw: bytes) -> str:
    """The path as text; the inverse of `encode`."""
    return raw.decode("utf-8", "surrogateescape")


def _bad_name(name: str) -> str:
    if name in ("", ".", ".."):
        return "the path leaves the repository or is not in its shortest form" if name else "the path has an empty part"
    # NTFS takes backslashes as separators, ends a name at a colon and drops trailing dots and spaces; "git~1" is its short name of .git.
    parts = [part.rstrip(" .").casefold() for part in _SEPARATORS.split(name.translate(_IGNORED))]
    return "the path touches .git" if any(part in (".git", "git~1") for part in parts) else ""
