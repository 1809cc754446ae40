"""The code in an issue that can be run: what people paste to show a bug. Found by form alone, run by nobody here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from swesearch.code.touched import UNREADABLE

FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*([\w+-]*)[^\n]*\n(.*?)^[ \t]*(?:```|~~~)[ \t]*$", re.MULTILINE | re.DOTALL)
PYTHON = {"", "py", "python", "python3", "pycon", "ipython", "py3", "pytb"}
PROMPT = re.compile(r"^\s*(?:>>>|In\s?\[\d*\]:) ?(.*)$")
GOES_ON = re.compile(r"^\s*(?:\.\.\.|\.\.\.:|\s+\.+:) ?(.*)$")
ANSWER = re.compile(r"^\s*Out\s?\[\d*\]: ?")
INDENTED = re.compile(r"(?:^(?: {4}|\t)[^\n]*\n|^[ \t]*\n)+", re.MULTILINE)
LONGEST, MOST = 20_000, 40  # characters of an issue that are read; statements that are kept
LEAST = 2  # characters of an answer that says something


@dataclass(frozen=True, slots=True)
class Examples:
    """Statements in the order of the issue, test files, and the lines that are said to be, or to have to be, the answer."""

    statements: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    answers: frozenset[str] = frozenset()


def examples(issue: str) -> Examples:
    """What can be run of an issue, and what it says comes out."""
    text = issue[:LONGEST].replace("\r\n", "\n").replace("\xa0", " ")
    statements: list[str] = []
    tests: list[str] = []
    answers: set[str] = set()
    for block in _blocks(text):
        code, said = _split(block)
        answers |= said
        if re.search(r"^\s*def test_", code, re.MULTILINE):
            tests.append(code)
        else:
            statements += _statements(code)
    inline = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", FENCE.sub("\n", text))
    statements += [code for code in inline if _is_question(code)]
    answers |= set(map(plain, inline))
    return Examples(tuple(statements[:MOST]), tuple(tests[:3]), frozenset(answer for answer in answers if len(answer) >= LEAST))


def plain(text: str) -> str:
    """A line without what differs from run to run: addresses, and how it is spaced."""
    return " ".join(re.sub(r"0x[0-9a-fA-F]{6,}", "0x", text).split())


def _blocks(text: str) -> Iterator[str]:
    """Pieces of an issue that may be Python: fenced, or sessions and indented pieces outside of fences."""
    for language, body in FENCE.findall(text):
        if language.lower() in PYTHON:
            yield _dedented(body)
    rest = FENCE.sub("\n", text)
    rows = rest.split("\n")
    if any(PROMPT.match(row) for row in rows):
        first = next(n for n, row in enumerate(rows) if PROMPT.match(row))
        yield "\n".join(rows[first:])
    else:
        for match in INDENTED.finditer(rest + "\n"):
            yield _dedented(match[0])


def _dedented(body: str) -> str:
    rows = body.split("\n")
    margin = min((len(row) - len(row.lstrip()) for row in rows if row.strip()), default=0)
    return "\n".join(row[margin:] for row in rows)


def _split(block: str) -> tuple[str, set[str]]:
    """The code of a block, and the lines that are its answers."""
    rows = block.split("\n")
    if any(PROMPT.match(row) for row in rows):
        return _session(rows)
    kept = _longest_code(rows)
    return "\n".join(rows[:kept]), _answers([*rows[kept:], *(row.partition("#")[2] for row in rows[:kept])])


def _session(rows: list[str]) -> tuple[str, set[str]]:
    code: list[str] = []
    other: list[str] = []
    inside = False
    for row in rows:
        begun, more = PROMPT.match(row), GOES_ON.match(row)
        if begun:
            code.append(begun[1])
        elif inside and more:
            code.append(more[1])
        else:
            other.append(ANSWER.sub("", row))
        inside = bool(begun or (inside and more))
    return "\n".join(code), _answers(other)


def _answers(rows: list[str]) -> set[str]:
    return {plain(row.strip("# ")) for row in rows if row.strip()}


def _longest_code(rows: list[str]) -> int:
    """How many of the first lines are Python that does something; what follows is output or prose."""
    for count in range(len(rows), 0, -1):
        if rows[count - 1].strip() and _does_something("\n".join(rows[:count])):
            return count
    return 0


def _does_something(code: str) -> bool:
    try:
        body = ast.parse(code).body
    except UNREADABLE:
        return False
    if isinstance(body[-1], ast.AnnAssign) and body[-1].value is None:  # "ValueError: no" is no code, though it could be
        return False
    return any(
        isinstance(node, ast.Call | ast.Import | ast.ImportFrom | ast.BinOp | ast.Assign) for part in body for node in ast.walk(part)
    )


def _is_question(code: str) -> bool:
    """Whether a piece of text is an expression whose value could be asked for: a call with arguments, or a computation."""
    try:
        body = ast.parse(code, mode="eval").body
    except UNREADABLE:
        return False
    computed = isinstance(body, ast.BinOp | ast.UnaryOp | ast.Compare | ast.Subscript)
    return computed or (isinstance(body, ast.Call) and bool(body.args or body.keywords))


def _statements(code: str) -> list[str]:
    """The statements of a piece of code; of one that does not parse as a whole, those lines that do."""
    try:
        return [ast.unparse(node) for node in ast.parse(code).body]
    except UNREADABLE:
        found = []
        for row in code.split("\n"):
            try:
                found += [ast.unparse(node) for node in ast.parse(row.strip()).body]
            except UNREADABLE:
                continue
        return found
