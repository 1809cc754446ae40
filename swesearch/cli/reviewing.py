"""What `swesearch bot` does in this process: read what was typed, call the library, say what came of it."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swesearch.base import Event, UsageError
from swesearch.cli.options import home_folder, parse_budget, repository
from swesearch.cli.running import interruptible
from swesearch.github.access import connect, find_access
from swesearch.github.bot import events, wire
from swesearch.github.bot.post import post as post_it
from swesearch.github.bot.render import notices, sarif_of, summary, text, workflow_command
from swesearch.github.bot.review import Request
from swesearch.github.bot.review import review as review_it
from swesearch.report.text import line

FAIL_ON, CONCLUSIONS = ("none", "finding"), ("neutral", "failure")
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

    def flags(self) -> Mapping[str, object]:
        """Settings by their names. Raises UsageError."""
        flags: Mapping[str, object] = {"sandbox.kind": self.sandbox, "model.name": self.model, **parse_budget(self.budget)}
        return {key: value for key, value in flags.items() if value is not None}

    def options(self) -> tuple[str, ...]:
        """The same as words of a command, for another process."""
        named = [f"{key}={value}" for key, value in self.flags().items()]
        given = [each if "=" in each else str(Path(each).resolve()) for each in self.given]
        return ("--preset", self.preset, *(word for each in (*given, *named) for word in ("-c", each)))

    def request(self, repo: Path, base: str, head: str) -> Request:
        """What to review. Raises UsageError."""
        return Request(repository(repo), base, head, home_folder(self.home, os.environ), self.preset, self.given, self.flags())


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


def action(repo: Path, report: Path, sarif: Path | None, fail_on: str, how: How) -> int:
    """Review the pull request of the runner's event. Returns the exit code."""
    base, head = events.revisions(events.read_event(os.environ), os.environ)
    code = review(repo, base, head, report, sarif, fail_on, how)
    found = wire.from_json(report.read_bytes())
    _append("GITHUB_STEP_SUMMARY", summary(found) + "\n")
    _append("GITHUB_OUTPUT", f"conclusion={found.ending}\nfindings={len(found.findings)}\nreport={report}\n")
    for words in map(workflow_command, notices(found)):
        print(words)
    return code


def post(report: Path, conclusion: str, sarif: Path | None) -> int:
    """Post a report to the pull request of the runner's event. Returns the exit code."""
    if conclusion not in CONCLUSIONS:
        raise UsageError(f"--conclusion must be one of {', '.join(CONCLUSIONS)}, not {conclusion!r}")
    try:
        with report.open("rb") as file:
            found = wire.from_json(file.read(wire.LARGEST + 1))
    except OSError as error:
        raise UsageError(f"{report} cannot be read: {error.strerror}") from error
    write(sarif, sarif_of(found))
    repository = events.server(os.environ)
    api = connect(find_access(repository.host, os.environ))
    place = events.place(events.read_event(os.environ), api, repository)
    print(f"posted: {post_it(place, found, conclusion)}")
    return 0


def _append(variable: str, words: str) -> None:
    """Write to a file of the runner, where there is one."""
    if path := os.environ.get(variable):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(words)


def end_with_stdin() -> None:
    """End this process as soon as whoever started it is gone, however that ended: it has the other end of our stdin."""

    def wait() -> None:
        while os.read(0, 1 << 16):  # not through sys.stdin, whose lock an ending interpreter wants
            pass
        os._exit(INTERRUPTED)

    threading.Thread(target=wait, daemon=True).start()


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
