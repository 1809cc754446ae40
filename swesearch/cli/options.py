"""From what was typed to what the library takes. Pure: no file but an --issue @file is read here."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase

from swesearch.base import Check, UsageError

SECONDS = {"s": 1, "m": 60, "h": 3600}
TIME = re.compile(r"(\d+(?:\.\d+)?)([smh])")
DOLLARS = re.compile(r"\$(\d+(?:\.\d+)?)")
TOKENS = re.compile(r"(\d+(?:\.\d+)?)([kM]?)-tokens")
EVALUATIONS = re.compile(r"(\d+)(?:-evals)?")
THOUSANDS = {"": 1, "k": 1_000, "M": 1_000_000}


def parse_budget(texts: Iterable[str]) -> dict[str, float]:
    """Settings for "200" or "200-evals", "90s", "10m", "1h", "$1", "200k-tokens", or several joined by commas. Raises UsageError."""
    found: dict[str, float] = {}
    for text in (part.strip() for joined in texts for part in joined.split(",")):
        if amount := EVALUATIONS.fullmatch(text):
            found["budget.evaluations"] = int(amount[1])
        elif amount := TOKENS.fullmatch(text):
            found["budget.tokens"] = round(float(amount[1]) * THOUSANDS[amount[2]])
        elif amount := DOLLARS.fullmatch(text):
            found["budget.dollars"] = float(amount[1])
        elif amount := TIME.fullmatch(text):
            found["budget.seconds"] = float(amount[1]) * SECONDS[amount[2]]
        else:
            raise UsageError(f"--budget: {text!r} is none of 200 or 200-evals, 90s, 10m, 1h, $1, 200k-tokens; several are joined by commas")
    return found


def parse_checks(texts: Sequence[str], model: bool = False) -> tuple[Check, ...]:
    """The commands, split as a shell would, but never run by one; with a model there may be none. Raises UsageError."""
    if not texts and not model:
        raise UsageError(
            'no check: say what fails because of the bug, as in --check "pytest -q tests/test_x.py::test_y"; '
            "with --model, --issue is enough"
        )
    return tuple(Check(_split(text)) for text in texts)


def _split(text: str) -> tuple[str, ...]:
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"--check {text!r}: {error}") from error
    if not words:
        raise UsageError("--check: the command is empty")
    return words


def read_issue(text: str) -> str:
    """The issue's text; @FILE reads a file. Raises UsageError."""
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"--issue {text}: {error.strerror}") from error


def read_pictures(paths: Iterable[Path]) -> tuple[bytes, ...]:
    """The files' bytes. Raises UsageError."""
    try:
        return tuple(path.read_bytes() for path in paths)
    except OSError as error:
        raise UsageError(f"--picture {error.filename}: {error.strerror}") from error


def is_url(text: str) -> bool:
    """Whether a repository was named by an address instead of a folder."""
    return text.startswith(("https://", "http://"))


def repository(path: Path) -> Path:
    """The folder, as an absolute path. Raises UsageError where there is none."""
    if not path.is_dir():
        raise UsageError(f"{path}: {'not a folder' if path.exists() else 'no such folder'}")
    return path.resolve()


def home_folder(given: Path | None, environ: Mapping[str, str]) -> Path:
    """Where runs are kept: --home, $SWESEARCH_HOME, or swesearch in $XDG_STATE_HOME (~/.local/state)."""
    if given:
        return given.resolve()
    if chosen := environ.get("SWESEARCH_HOME"):
        return Path(chosen).resolve()
    state = environ.get("XDG_STATE_HOME")
    return (Path(state) if state else Path.home() / ".local" / "state") / "swesearch"


def letter(number: int) -> str:
    """The name of a result: A, B, ...; its number after Z."""
    return ascii_uppercase[number] if number < len(ascii_uppercase) else str(number)


def result_number(text: str) -> int:
    """0 for "A", "a" or "0". Raises UsageError."""
    if len(text) == 1 and text.upper() in ascii_uppercase:
        return ascii_uppercase.index(text.upper())
    if re.fullmatch(r"[0-9]{1,6}", text):
        return int(text)
    raise UsageError(f"{text!r} is no result: A is the best, B the next, or 0, 1, 2, ...")


def node_number(text: str) -> int:
    """7 for "n7" or "7". Raises UsageError."""
    if not re.fullmatch(r"n?[0-9]{1,9}", text):
        raise UsageError(f"{text!r} is no node: `swesearch show RUN` numbers them, as in n7")
    return int(text.removeprefix("n"))
