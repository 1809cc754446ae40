"""Editing code, through the store: an edit fits exactly, or says why it does not."""

from __future__ import annotations

from swesearch.agents.tools.ability import Ability, define
from swesearch.agents.tools.looking import view
from swesearch.agents.workspace import Workspace, encoded
from swesearch.base import Create, Delete, EditError, Rename, Replace
from swesearch.code.parse import errors, language_of, line_at, line_starts

AROUND = 3  # lines shown before and after a change


def replace(workspace: Workspace, path: str, before: str, after: str) -> str:
    """Put a text in the place of another that occurs once."""
    content = workspace.read(path)
    old, new = (_as_in(content, text) for text in (before, after))
    workspace.edit(Replace(path, old, new))
    return _changed(workspace, path, content.find(old), len(new))


def insert(workspace: Workspace, path: str, line: int, text: str) -> str:
    """Put whole lines after a line."""
    content = workspace.read(path)
    starts = [*line_starts(content), len(content)] if not content.endswith(b"\n") else list(line_starts(content))
    if not 0 <= line < len(starts):
        raise EditError(f"{path} has {len(starts) - 1} lines: line must be from 0 to {len(starts) - 1}")
    at = starts[line]
    new = _as_in(content, text if text.endswith("\n") else f"{text}\n")
    if at and not content[:at].endswith(b"\n"):
        new = _as_in(content, "\n") + new  # the last line had no end
    workspace.edit(Replace(path, b"", new, start=at))
    return _changed(workspace, path, at, len(new))


def create(workspace: Workspace, path: str, content: str) -> str:
    """Add a file."""
    workspace.edit(Create(path, encoded(content)))
    return f"{path} was created with {len(content.splitlines())} lines{_syntax(workspace, path)}"


def delete(workspace: Workspace, path: str) -> str:
    """Remove a file."""
    workspace.edit(Delete(path))
    return f"{path} was deleted"


def rename(workspace: Workspace, path: str, to: str) -> str:
    """Move a file."""
    workspace.edit(Rename(path, to))
    return f"{path} is now {to}"


def undo(workspace: Workspace) -> str:
    """Take the last edit back."""
    return f"the last edit, to {workspace.undo().path}, was taken back; {len(workspace.edits)} are left"


def _as_in(content: bytes, text: str) -> bytes:
    """The text with the line ends of a file that ends all its lines in CRLF: a model is not shown them."""
    raw = encoded(text)
    if b"\r" not in raw and b"\r\n" in content and content.count(b"\n") == content.count(b"\r\n"):
        return raw.replace(b"\n", b"\r\n")
    return raw


def _changed(workspace: Workspace, path: str, at: int, length: int) -> str:
    """The lines around a change, as they are now."""
    content = workspace.read(path)
    first, last = line_at(content, at), line_at(content, max(at, at + length - 1))
    return f"done{_syntax(workspace, path)}\n" + view(workspace, path, first - AROUND, last + AROUND)


def _syntax(workspace: Workspace, path: str) -> str:
    """A word of warning where a file does not parse any more."""
    content = workspace.read(path)
    wrong = errors(content) if language_of(path) == "python" else ()
    return f", but the file does not parse: look at line {line_at(content, wrong[0].start)}" if wrong else ""


PATH = ("string", "file, relative to the top of the repository")
EDITING = (
    Ability(
        define(
            "replace",
            "Change a file: put `after` where `before` stands. `before` must occur exactly once, white space included; "
            "take in lines around it until it does.",
            path=PATH,
            before=("string", "the text as it stands in the file, without line numbers"),
            after=("string", "the text that is to stand there; empty to take it out"),
        ),
        replace,
        edits=True,
    ),
    Ability(
        define(
            "insert",
            "Change a file: put whole lines after a line.",
            path=PATH,
            line=("integer", "the line after which the text goes; 0 for the beginning of the file"),
            text=("string", "the new lines, indented as they are to stand in the file"),
        ),
        insert,
        edits=True,
    ),
    Ability(
        define("create", "Add a new file.", path=PATH, content=("string", "the whole content")),
        create,
        edits=True,
    ),
)
RARE_EDITING = (
    Ability(define("delete", "Remove a file.", path=PATH), delete, edits=True),
    Ability(define("rename", "Move a file.", path=PATH, to=("string", "its new path")), rename, edits=True),
    Ability(define("undo", "Take the last edit back."), undo, edits=True),
)
