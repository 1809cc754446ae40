"""Looking at code: a file, a folder, a text, a name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate, islice

from swesearch.agents.clean import printed, visible
from swesearch.agents.tools.ability import Ability, define
from swesearch.agents.workspace import Workspace
from swesearch.base import EditError
from swesearch.code.parse import language_of
from swesearch.code.symbols import occurrences
from swesearch.store import EXECUTABLE, FILE

LINES, PAGE = 250, 50  # lines of a file, and places found, that are shown at once
WIDTH, HIT_WIDTH = 400, 200  # characters of a line, in a file and in a list
ROOM = 16_000  # characters of a file that are shown at once
BINARY = 8_000  # bytes in which a NUL makes a file binary, as for git
HIT = re.compile(r"(.+?):(\d+):(.*)")
LEFT_OUT = re.compile(rb"\n\[\.\.\. \d+ bytes left out \.\.\.\]\n[^\n]*")  # the sandbox's note, and the rest of a line that begins anywhere
FILES = 300  # files that are parsed for one name
LONGEST = 1 << 20  # bytes of a file that is parsed


def view(workspace: Workspace, path: str, start: int, end: int) -> str:
    """A file's lines, numbered; or what a folder holds."""
    path = path.removeprefix("./").strip("/") if path not in (".", "/") else ""
    if path not in workspace.store.files(workspace.state):
        return _folder(workspace, path)
    content = workspace.read(path)
    if b"\0" in content[:BINARY]:
        return f"{path} is a binary file of {len(content)} bytes"
    lines = content.decode("utf-8", "backslashreplace").replace("\r\n", "\n").removesuffix("\n").split("\n")
    first = max(start, 1)
    if first > len(lines):
        raise EditError(f"{path} has {len(lines)} lines")
    wanted = range(first, min(end if end >= first else len(lines), first + LINES - 1, len(lines)) + 1)
    shown = [f"{number:6}\t{_line(lines[number - 1])}" for number in wanted]
    shown = shown[: sum(size <= ROOM for size in accumulate(map(len, shown)))]
    last = first + len(shown) - 1
    left = f"\n(lines {last + 1} to {len(lines)} follow: view with start={last + 1})" if last < len(lines) else ""
    return f"{path}, lines {first} to {last} of {len(lines)}\n" + "\n".join(shown) + left


def search(workspace: Workspace, pattern: str, regex: bool, path: str, page: int) -> str:
    """Lines that hold a text, or fit an extended regular expression. Run by grep in the sandbox: a pattern may take for ever."""
    folder = path.removeprefix("./").strip("/")
    folder = "" if folder == "." else folder
    workspace.paths(folder)
    if not pattern or "\n" in pattern:
        raise EditError("the pattern must be a part of one line")
    result = workspace.execute("grep", "-rnIH", "-E" if regex else "-F", "-e", pattern, "--", f"./{folder}")
    if result.status != "done" or result.exit_code not in (0, 1):
        raise EditError(f"the search failed ({result.status}): {printed(result.stderr)[:300].strip() or 'no reason was given'}")
    output = LEFT_OUT.sub(b"", result.stdout) if result.truncated else result.stdout
    hits = [HIT.fullmatch(line) for line in printed(output).split("\n")]
    found = sorted((hit[1].removeprefix("./"), int(hit[2]), hit[3]) for hit in hits if hit)
    lines = [f"{name}:{number}: {_line(text.strip(), HIT_WIDTH)}" for name, number, text in found]
    return _paged(lines, page, "; there are more than are counted here, narrow the search" if result.truncated else "")


def symbols(workspace: Workspace, name: str, page: int) -> str:
    """Where a name is defined, set and used."""
    last = name.rsplit(".", 1)[-1]
    if not last.isidentifier():
        raise EditError(f"{name!r} is no name: give the name of a class, a function, a method or a variable")
    sources = [*islice(_sources(workspace, last.encode()), FILES + 1)]
    found: dict[str, list[str]] = {"defines": [], "sets": [], "uses": []}
    for path, source in sources[:FILES]:
        for place in occurrences(source, last):
            found[place.use].append(f"{path}:{place.line}: {place.use} {_line(place.text.strip(), HIT_WIDTH)}")
    note = f"; only the first {FILES} files that hold the name were read" if len(sources) > FILES else ""
    return _paged([line for lines in found.values() for line in lines], page, note)


def _sources(workspace: Workspace, word: bytes) -> Iterator[tuple[str, bytes]]:
    """The Python files that hold a word."""
    entries = workspace.store.files(workspace.state)
    for path in workspace.paths():
        if language_of(path) == "python" and entries[path].mode in (FILE, EXECUTABLE):
            source = workspace.read(path)
            if word in source and len(source) <= LONGEST:
                yield path, source


def _folder(workspace: Workspace, folder: str) -> str:
    below = [name[len(folder) + 1 if folder else 0 :] for name in workspace.paths(folder)]
    counts: dict[str, int] = {}
    for name in below:
        top, slash, _ = name.partition("/")
        counts[top + slash] = counts.get(top + slash, 0) + 1
    shown = [f"{visible(name)} ({count} files)" if name.endswith("/") else visible(name) for name, count in counts.items()]
    more = f"\n(and {len(shown) - LINES} more)" if len(shown) > LINES else ""
    return f"{folder or 'the repository'} holds\n" + "\n".join(shown[:LINES]) + more


def _paged(lines: list[str], page: int, note: str) -> str:
    if not lines:
        return f"nothing was found{note}"
    pages = -(-len(lines) // PAGE)
    page = min(max(page, 1), pages)
    shown = lines[(page - 1) * PAGE : page * PAGE]
    return f"{len(lines)} found, page {page} of {pages}{note}\n" + "\n".join(shown)


def _line(text: str, width: int = WIDTH) -> str:
    shown = visible(text)
    return shown if len(shown) <= width else f"{shown[:width]} [... {len(shown) - width} characters left out]"


LOOKING = (
    Ability(
        define(
            "search",
            "Find lines in the repository. Results come in pages.",
            pattern=("string", "what to look for, in one line"),
            regex=("boolean", "true: pattern is an extended regular expression (grep -E); false: it is plain text"),
            path=("string", "file or folder to search; empty for all"),
            page=("integer", "which page of the results, from 1"),
        ),
        search,
    ),
    Ability(
        define(
            "symbols",
            "Find where a class, function, method or variable is defined, set and used in Python code, definitions first.",
            name=("string", "the name; of a dotted name the last part counts"),
            page=("integer", "which page of the results, from 1"),
        ),
        symbols,
    ),
    Ability(
        define(
            "view",
            f"Show a file with line numbers, at most {LINES} lines at once; or list a folder. "
            "Line numbers and the tab after them are not part of the file.",
            path=("string", "file or folder, relative to the top of the repository; empty for the top"),
            start=("integer", "first line; 0 for the beginning"),
            end=("integer", "last line; 0 for as many as fit"),
        ),
        view,
    ),
)
