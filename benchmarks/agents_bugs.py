"""Small bugs for whole searches with a model: a project of four functions, of which one or two are broken.

Each function knows lines that are right, plainly wrong, and wrong in a way that the tests do not show.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TESTS = "tests/test_all.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A line of a function, and what may stand there."""

    name: str  # of the function
    path: str
    right: str
    broken: str
    wrong: tuple[str, ...]
    overfit: str  # passes the tests, and is wrong for other inputs
    indent: int = 4
    window: tuple[int, int] = (0, 0)  # the lines to look at; (0, 0): the whole file

    @property
    def lines(self) -> tuple[str, ...]:
        """Everything that may stand there."""
        return (self.right, self.broken, *self.wrong, self.overfit)

    def standing(self, text: str) -> str:
        """Which of them does, in a text that shows the function."""
        return next(line for line in self.lines if f"{line}\n" in f"{text}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place(Spot):
    """A function of one line, and two calls with what they give."""

    header: str
    calls: tuple[tuple[str, str], ...]

    def source(self, line: str) -> str:
        """The function, with this line."""
        return f"def {self.header}:\n    {line}\n"

    def tests(self) -> str:
        """Two tests that pass where the right line stands, or the overfit one."""
        cases = enumerate(self.calls, 1)
        return "\n\n".join(f"def test_{self.name}_{number}():\n    assert {call} == {value}\n" for number, (call, value) in cases)


PLACES = (
    Place(
        name="clamp",
        path="pkg/amounts.py",
        header="clamp(value, low, high)",
        right="return max(low, min(value, high))",
        broken="return min(low, max(value, high))",
        wrong=("return max(low, value)", "return min(low, high)"),
        overfit="return high",
        calls=(("clamp(9, 1, 5)", "5"), ("clamp(7, 2, 6)", "6")),
    ),
    Place(
        name="interest",
        path="pkg/amounts.py",
        header="interest(amount, rate, years)",
        right="return amount * (1 + rate) ** years",
        broken="return amount * (1 + rate * years)",
        wrong=("return amount * (1 + years) ** rate", "return amount * rate ** years"),
        overfit="return amount * (1 + rate) ** min(years, 3)",
        calls=(("interest(64, 0.5, 2)", "144"), ("interest(64, 0.5, 3)", "216")),
    ),
    Place(
        name="initials",
        path="pkg/lists.py",
        header="initials(name)",
        right='return "".join(word[0] for word in name.split()).upper()',
        broken="return name[0].upper()",
        wrong=("return name[:2].upper()", "return name.split()[0].upper()"),
        overfit="return (name[0] + name.split()[1][0]).upper()",
        calls=(('initials("ada lovelace")', '"AL"'), ('initials("alan turing")', '"AT"')),
    ),
    Place(
        name="median",
        path="pkg/lists.py",
        header="median(numbers)",
        right="return sorted(numbers)[len(numbers) // 2]",
        broken="return numbers[len(numbers) // 2]",
        wrong=("return sorted(numbers)[0]", "return sum(numbers) / len(numbers)"),
        overfit="return sorted(numbers)[1]",
        calls=(("median([3, 9, 1])", "3"), ("median([5, 2, 7])", "5")),
    ),
)


@dataclass(frozen=True, slots=True)
class Bug:
    """A project in which some functions are broken. `blind`: one test for all of them, so that no single edit shows any progress."""

    broken: tuple[Place, ...]
    blind: bool = False
    check: str = f"pytest -q {TESTS}"
    python: str = sys.executable

    @property
    def kind(self) -> str:
        """What the results are told apart by."""
        return "two edits, one test" if self.blind else "two edits" if len(self.broken) > 1 else "one edit"

    @property
    def name(self) -> str:
        """The functions that are broken."""
        return "+".join(place.name for place in self.broken)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every function of the project, the broken ones as this bug knows them."""
        own = {place.name: place for place in self.broken}
        return tuple(own.get(place.name, place) for place in PLACES)

    def check_out(self, folder: Path) -> Path:
        """A git repository of one commit in the new `folder`."""
        for path, text in self.files().items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        _commit(folder)
        return folder

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


def _commit(folder: Path) -> None:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    commit = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.com", "commit", "-q", "-m", "a bug")
    for arguments in (("init", "-q"), ("add", "-A"), commit):
        subprocess.run(["git", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL, env=environment)
