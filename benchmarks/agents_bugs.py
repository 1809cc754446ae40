"""Small bugs for whole searches with a model: a project of four functions, of which one or two are broken.

Each function knows lines that are right, plainly wrong, and wrong in a way that the tests do not show.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

TESTS = "tests/test_all.py"
CHECK = f"pytest -q {TESTS}"


@dataclass(frozen=True, slots=True)
class Place:
    """A function of one line: what may stand there, and two calls with what they give."""

    name: str
    path: str
    header: str
    right: str
    broken: str
    wrong: tuple[str, ...]
    overfit: str  # passes the tests, and is wrong for other inputs
    calls: tuple[tuple[str, str], ...]

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything that may stand there."""
        return (self.right, self.broken, *self.wrong, self.overfit)

    def standing(self, text: str) -> str:
        """Which of them does, in a text that shows the function."""
        return next(line for line in self.lines if f"{line}\n" in f"{text}\n")

    def source(self, line: str) -> str:
        """The function, with this line."""
        return f"def {self.header}:\n    {line}\n"

    def tests(self) -> str:
        """Two tests that pass where the right line stands, or the overfit one."""
        cases = enumerate(self.calls, 1)
        return "\n\n".join(f"def test_{self.name}_{number}():\n    assert {call} == {value}\n" for number, (call, value) in cases)


PLACES = (
    Place(
        "clamp",
        "pkg/amounts.py",
        "clamp(value, low, high)",
        "return max(low, min(value, high))",
        "return min(low, max(value, high))",
        ("return max(low, value)", "return min(low, high)"),
        "return high",
        (("clamp(9, 1, 5)", "5"), ("clamp(7, 2, 6)", "6")),
    ),
    Place(
        "interest",
        "pkg/amounts.py",
        "interest(amount, rate, years)",
        "return amount * (1 + rate) ** years",
        "return amount * (1 + rate * years)",
        ("return amount * (1 + years) ** rate", "return amount * rate ** years"),
        "return amount * (1 + rate) ** min(years, 3)",
        (("interest(64, 0.5, 2)", "144"), ("interest(64, 0.5, 3)", "216")),
    ),
    Place(
        "initials",
        "pkg/lists.py",
        "initials(name)",
        'return "".join(word[0] for word in name.split()).upper()',
        "return name[0].upper()",
        ("return name[:2].upper()", "return name.split()[0].upper()"),
        "return (name[0] + name.split()[1][0]).upper()",
        (('initials("ada lovelace")', '"AL"'), ('initials("alan turing")', '"AT"')),
    ),
    Place(
        "median",
        "pkg/lists.py",
        "median(numbers)",
        "return sorted(numbers)[len(numbers) // 2]",
        "return numbers[len(numbers) // 2]",
        ("return sorted(numbers)[0]", "return sum(numbers) / len(numbers)"),
        "return sorted(numbers)[1]",
        (("median([3, 9, 1])", "3"), ("median([5, 2, 7])", "5")),
    ),
)


@dataclass(frozen=True, slots=True)
class Bug:
    """A project in which some functions are broken. `blind`: one test for all of them, so that no single edit shows any progress."""

    broken: tuple[Place, ...]
    blind: bool = False

    @property
    def kind(self) -> str:
        """What the results are told apart by."""
        return "two edits, one test" if self.blind else "two edits" if len(self.broken) > 1 else "one edit"

    @property
    def name(self) -> str:
        """The functions that are broken."""
        return "+".join(place.name for place in self.broken)

    @property
    def gold(self) -> Sequence[tuple[str, str, str]]:
        """The patch: path, line that stands there, line that belongs there."""
        return [(place.path, place.broken, place.right) for place in self.broken]

    @property
    def places(self) -> tuple[Place, ...]:
        """Every function of the project, the broken ones as this bug knows them."""
        own = {place.name: place for place in self.broken}
        return tuple(own.get(place.name, place) for place in PLACES)

    def files(self) -> dict[str, str]:
        """The project."""
        made = {"pkg/__init__.py": "", TESTS: self._tests()}
        for path in dict.fromkeys(place.path for place in self.places):
            inside = [place for place in self.places if place.path == path]
            made[path] = "\n\n".join(place.source(place.broken if place in self.broken else place.right) for place in inside)
        return made

    def _tests(self) -> str:
        imports = "\n".join(f"from {place.path[:-3].replace('/', '.')} import {place.name}" for place in self.places)
        shown = [place.tests() for place in self.places if not (self.blind and place in self.broken)]
        return "\n\n".join([f"{imports}\n", *shown, *([self._together()] if self.blind else [])])

    def _together(self) -> str:
        calls = [call for place in self.broken for call in place.calls]
        return f"def test_together():\n    got = [{', '.join(c for c, _ in calls)}]\n    assert got == [{', '.join(v for _, v in calls)}]\n"


CLAMP, INTEREST, INITIALS, MEDIAN = PLACES
BUGS = (
    Bug((CLAMP,)),
    Bug((INITIALS,)),
    Bug((CLAMP, INITIALS)),
    Bug((INTEREST, MEDIAN)),
    Bug((CLAMP, INITIALS), blind=True),
    Bug((INTEREST, MEDIAN), blind=True),
)


def check_out(bug: Bug, folder: Path) -> Path:
    """The bug as a git repository of one commit in the new `folder`."""
    for path, text in bug.files().items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    environment = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    commit = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com", "commit", "-q", "-m", "a bug")
    for arguments in (("init", "-q"), ("add", "-A"), commit):
        subprocess.run(["git", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL, env=environment)
    return folder
