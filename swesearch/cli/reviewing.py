"""What `swesearch bot` does in this process: read what was typed, call the library, say what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swesearch.base import Event, UsageError
from swesearch.cli.options import home_folder, parse_budget, repository
from swesearch.cli.running import interruptible
from swesearch.github.bot import wire
from swesearch.github.bot.render import sarif_of, text
from swesearch.github.bot.review import Request
from swesearch.github.bot.review import review as review_it
from swesearch.report.text import line

FAIL_ON = ("none", "finding")
INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class How:
    """Options that every review has."""

    sandbox: str | None = None
    model: str | None = None
    budget: tuple[str, ...] = ()
    preset: str = "standard"
    given: tuple[str, ...] = ()
    home: Path | None = None

    def request(self, repo: Path, base: str, head: str) -> Request:
        """What to review. Raises UsageError."""
        flags: Mapping[str, object] = {"sandbox.kind": self.sandbox, "model.name": self.model, **parse_budget(self.budget)}
        named = {key: value for key, value in flags.items() if value is not None}
        return Request(repository(repo), base, head, home_folder(self.home, os.environ), self.preset, self.given, named)


def review(repo: Path, base: str, head: str, report: Path | None, sarif: Path | None, fail_on: str, how: How) -> int:
    """Review two commits of a local repository. Returns the exit code."""
    if fail_on not in FAIL_ON:
        raise UsageError(f"--fail-on must be one of {', '.join(FAIL_ON)}, not {fail_on!r}")
    with interruptible() as stop:
        found = review_it(how.request(repo, base, head), tell, stop)
    write(report, wire.to_json(found))
    write(sarif, sarif_of(found))
    print(text(found))
    return INTERRUPTED if stop.is_set() else int(fail_on == "finding" and bool(found.findings))


def tell(event: Event) -> None:
    """Phases and warnings, for people, on stderr."""
    words = event.data.get("detail") or event.data.get("text")
    if event.kind in ("phase", "warning") and words:
        print(line(str(words)), file=sys.stderr)


def write(path: Path | None, data: bytes) -> None:
    """Write a file where one is wanted. Raises UsageError."""
    if path is None:
        return
    try:
        path.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
