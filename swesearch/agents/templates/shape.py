"""The look of a mended statement: does it parse, and is it the same code as another draft's, formatting aside?"""

from __future__ import annotations

import re
from functools import cache, cached_property

from tree_sitter import Parser

from swesearch.agents.templates.draft import Draft
from swesearch.agents.templates.source import File, Unit
from swesearch.code import parse

TOKEN = re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|\w+|\n[ \t]*|[^\w\s]")
PREFIX = {"elif_clause": "if 0: pass\n", "else_clause": "if 0: pass\n", "except_clause": "try: pass\n", "finally_clause": "try: pass\n"}
SUFFIX = {"decorator": "\ndef f(): pass"}
OPEN_ENDED = re.compile(r"^(if|elif|else|while|for|with|async|def|class|try|except|finally|match|case)\b.*:\s*$", re.S)


@cache
def _parser() -> Parser:
    return Parser(parse.parse(b"").language)


class Shape:
    """A draft laid over its unit: the header of a compound statement, or a whole simple one."""

    def __init__(self, file: File, unit: Unit, draft: Draft) -> None:
        self._file, self._unit, self._draft = file, unit, draft

    @cached_property
    def _region(self) -> tuple[int, int]:
        node = self._unit.node
        body = next((c.start_byte for c in node.children if c.type in {"block", "elif_clause", "else_clause"}), node.end_byte)
        return min(node.start_byte, self._draft.start), max(min(body, node.end_byte), self._draft.end)

    def _text(self, after: str) -> str:
        start, end = self._region
        whole = self._file.slice(start, self._draft.start) + after + self._file.slice(self._draft.end, end)
        return whole.replace("\r\n", "\n").replace("\n" + self._file.indent(self._unit.node), "\n")

    @cached_property
    def key(self) -> object:
        """Equal for drafts that make the same tokens of the same statement."""
        return self._file.path, self._region[0], tuple(TOKEN.findall(self._text(self._draft.after).strip()))

    @property
    def result(self) -> object:
        """Equal for drafts that make the same file, whatever statement they started from."""
        data, after = self._file.data, self._draft.after.encode("utf-8", "surrogateescape")
        return self._file.path, hash(data[: self._draft.start] + after + data[self._draft.end :])

    @property
    def parses(self) -> bool:
        """Whether the statement parses, or did not parse before either; and is not what it was."""
        new, old = self._text(self._draft.after), self._text(self._file.slice(self._draft.start, self._draft.end))
        if TOKEN.findall(new.strip()) == TOKEN.findall(old.strip()):
            return False
        return not self._broken(new) or self._broken(old)

    def _broken(self, text: str) -> bool:
        text = text.strip() or "pass"
        if OPEN_ENDED.match(text):
            text += " pass" if not text.startswith(("try", "match")) else "\n    pass\nfinally: pass"
        kind = self._unit.node.type
        if text.startswith(("elif", "else", "except", "finally")):
            text = PREFIX.get(kind, "") + text
        whole = text + SUFFIX.get(kind, "")
        return _parser().parse(whole.encode("utf-8", "surrogateescape")).root_node.has_error
