"""The words of the bot. A `Report` is all that ever passes from the process that runs code to the one that holds the token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Literal

FORMAT = 1  # of the report


@dataclass(frozen=True, slots=True)
class Text:
    """What a text of a report may be: its longest length, and a pattern that all of it must match."""

    most: int
    like: str = "(?s).*"


@dataclass(frozen=True, slots=True)
class Most:
    """How long a list of a report may be."""

    items: int


PATH = r"(?!/)(?!.*//)(?!(.*/)?\.{1,2}(/|$))[^\x00-\x1f\x7f\\]*"  # relative, in its shortest form, or empty
LONGEST_PATH = 400

Commit = Annotated[str, Text(40, r"[0-9a-f]{40}")]
FilePath = Annotated[str, Text(LONGEST_PATH, PATH)]
Line = Annotated[str, Text(500)]
Ending = Literal[
    "clean",  # tests that the change reaches were run, the nearest ones at least, and none is broken by it
    "findings",
    "untouched",  # the change reaches no test
    "unknown",  # it could not be found out; the notes say why
]
Kind = Literal[
    "broke",  # passes on the base, fails on the head
    "own",  # came with the pull request, and fails on the head
]
How = Literal[
    "search",  # found by searching
    "undo",  # the pull request without some of its lines
]


def can_be_told(path: str) -> bool:
    """Whether a path may stand in a report."""
    return len(path) <= LONGEST_PATH and path.isprintable() and re.fullmatch(PATH, path) is not None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Lines of one file of the head, 1-based, and the text to put in their place; no text deletes them."""

    path: FilePath
    first: int
    last: int
    text: Annotated[str, Text(4000)]


@dataclass(frozen=True, slots=True)
class Fix:
    """A change that makes the tests of a finding pass and breaks none that was run."""

    how: How
    why: Annotated[str, Text(300)]
    patch: Annotated[str, Text(20_000)]
    suggestions: Annotated[tuple[Suggestion, ...], Most(8)] = ()  # all of the patch, or none where it is no change of a few lines
    evidence: Annotated[tuple[Line, ...], Most(10)] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """Tests that fail by one cause, the command that shows it, and how often it was shown."""

    kind: Kind
    command: Annotated[str, Text(2000)]
    runs: int  # of the command: it failed each time on the head, and each time passed on the base if the base has the tests
    tests: Annotated[tuple[Line, ...], Most(20)]
    others: int = 0  # tests that fail alike, and are not named
    error: Annotated[str, Text(200)] = ""
    message: Annotated[str, Text(3000)] = ""
    path: FilePath = ""  # where in the head
    line: int = 0
    fixes: Annotated[tuple[Fix, ...], Most(3)] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one review."""

    base: Commit  # where the pull request left its base branch
    head: Commit
    ending: Ending
    tests: int = 0  # that were run on the head
    findings: Annotated[tuple[Finding, ...], Most(3)] = ()
    others: int = 0  # proven findings beyond the most that are told
    notes: Annotated[tuple[Line, ...], Most(20)] = ()  # what could not be found out, and what was left out on purpose
    flaky: Annotated[tuple[Line, ...], Most(20)] = ()  # tests that failed and passed on the same code: never a finding
    seconds: float = 0.0
    evaluations: int = 0  # states that searches looked at
    tokens: int = 0
    dollars: float = 0.0
    format: int = FORMAT
