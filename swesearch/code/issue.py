"""What an issue's text mentions: files, names, tracebacks. A weak prior: people describe symptoms, not causes."""

from __future__ import annotations

import re
from dataclasses import dataclass

WORD = re.compile(r"[\w./\\-]+")
FRAME = re.compile(r'File "([^"\n]{1,500})", line (\d{1,9})')
QUOTED = re.compile(r"`([^`\n]{1,200})`")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*\(?")
CODELIKE = re.compile(r"\w\.\w|[a-z0-9]_\w|[a-z][A-Z]|\($")  # a.b, a_b, aB, a(
IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
FILE, NAME, LINE = 1.5, 2.0, 2.0  # what it is worth that the issue mentions the file, the function, the very line
LONGEST = 20_000  # characters of an issue that are read


@dataclass(frozen=True, slots=True)
class Mentions:
    """The code an issue speaks of: paths and traceback lines as written there, and identifiers."""

    paths: frozenset[str] = frozenset()
    frames: frozenset[tuple[str, int]] = frozenset()
    names: frozenset[str] = frozenset()

    def weight(self, path: str, function: str, line: int) -> float:
        """How much likelier a place is for being mentioned: 1 where it is not."""
        return (
            (FILE if any(_same(path, said) for said in self.paths) else 1.0)
            * (NAME if function.rsplit(".", 1)[-1] in self.names else 1.0)
            * (LINE if any(line == at and _same(path, said) for said, at in self.frames) else 1.0)
        )


def mentions(issue: str) -> Mentions:
    """Read an issue."""
    said = issue[:LONGEST]
    code = [*QUOTED.findall(said), *(word for word in DOTTED.findall(said) if CODELIKE.search(word))]
    words = (word.rstrip(".").replace("\\", "/") for word in WORD.findall(said))
    return Mentions(
        paths=frozenset(word for word in words if word.endswith((".py", ".pyi"))),
        frames=frozenset((path.replace("\\", "/"), int(line)) for path, line in FRAME.findall(said)),
        names=frozenset(name for piece in code for name in IDENTIFIER.findall(piece)),
    )


def _same(path: str, said: str) -> bool:
    """Whether a path in an issue, absolute or cut short, means a file of the repository."""
    return said == path or said.endswith("/" + path) or path.endswith("/" + said.lstrip("./"))
