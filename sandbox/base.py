"""The words of the sandbox: files in, facts out. Knows nothing of search, of models, or of what a bug is.

SandboxError                    the request is wrong (a path that escapes, an empty command)
`-- SandboxUnavailable          we could not find out: dead engine, dead box, full disk. Never a test result
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Status = Literal["done", "timeout", "memory", "tampered"]
Outcome = Literal["passed", "failed", "error", "skipped", "xfailed", "xpassed"]


class SandboxError(Exception):
    """The request to the sandbox is wrong."""


class SandboxUnavailable(SandboxError):
    """We could not find out. Says what is missing and how to get it; retry or stop resumable, never score."""


@dataclass(frozen=True, slots=True)
class Environment:
    """How to run a repository's Python inside a box. The host paths are mounted read-only at their own path."""

    image: str | None = None  # Docker image; None: the base image with Python 3
    python: str = "python3"  # interpreter inside the box
    version: str = ""  # "3.11" where known
    mounts: tuple[str, ...] = ()  # host folders: interpreter prefix, virtual environment
    site: tuple[str, ...] = ()  # site-packages folders put at the end of sys.path, .pth files honoured
    why: str = ""  # how it was found, for the user to read


@dataclass(frozen=True, slots=True)
class Quota:
    """What a whole box may use; fixed when it is made."""

    memory: int = 2 << 30  # bytes, swap included
    processes: int = 256
    cpus: float = 1.0
    workspace: int = 512 << 20  # bytes of the work tree's tmpfs
    temporary: int = 256 << 20  # bytes of /tmp's tmpfs
    inodes: int = 200_000
    open_files: int = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. The whole process tree is killed at a limit."""

    seconds: float = 60.0  # wall clock
    cpu_seconds: float | None = None
    output: int = 1 << 20  # bytes kept of stdout and of stderr: head and tail


@dataclass(frozen=True, slots=True)
class File:
    """A file's bytes. A symlink's bytes are its target."""

    data: bytes
    executable: bool = False
    symlink: bool = False


@dataclass(frozen=True, slots=True)
class Files:
    """A file tree: a base that a box keeps, and what differs from it."""

    base: str  # content id of the base tree
    archive: Callable[[], bytes]  # the base as an uncompressed tar, called only when a box does not hold it
    changed: Mapping[str, File | None] = field(default_factory=dict)  # laid over the base; None deletes


@dataclass(frozen=True, slots=True)
class Command:
    """What to run in the work tree: either `argv`, or a `job` for the box's own test runner (see sandbox/pytests.py)."""

    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    job: bytes = b""  # JSON for sandbox/probe/runner.py
    warm: Literal["", "imports", "collected", "midway"] = ""  # which zygote may serve the job
    preload: bytes = b""  # JSON that makes that zygote; equal bytes share one


@dataclass(frozen=True, slots=True)
class Result:
    """What a run did. `report` is what came over the runner's private channel, never stdout."""

    status: Status
    exit_code: int | None
    stdout: bytes = b""
    stderr: bytes = b""
    report: bytes = b""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    truncated: bool = False  # output went over the limit; head and tail are kept
    refused: str = ""  # a zygote could not serve the job: nothing was run


class Sandbox(Protocol):
    """Files in, facts out, nothing left behind. Safe to call from several threads."""

    name: str  # "docker", "bubblewrap", "local"
    slots: int  # how many runs go on at once

    def run(self, files: Files, command: Command, limits: Limits) -> Result:
        """Run `command` in a clean copy of `files`. Raises SandboxUnavailable where we could not find out."""
        ...

    def close(self) -> None:
        """Remove every box. May be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Frame:
    """A traceback entry: path inside the work tree (or absolute outside it), 1-based line, function name."""

    path: str
    line: int
    function: str


@dataclass(frozen=True, slots=True)
class TestOutcome:
    """What one test did, by its pytest node id."""

    __test__ = False  # not a test class, whatever pytest thinks of the name

    id: str
    outcome: Outcome
    seconds: float = 0.0
    error: str = ""  # exception class name, "" when it passed
    message: str = ""  # at most 4 KB
    frames: tuple[Frame, ...] = ()  # outermost first
    lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # executed lines per work-tree file, when traced


@dataclass(frozen=True, slots=True)
class Kind:
    """A runtime type seen for an expression: its name, and its public attribute names with "()" on callables."""

    name: str
    attributes: tuple[str, ...] = ()
    sample: str = ""  # repr of one value, at most 80 characters


@dataclass(frozen=True, slots=True)
class TestRun:
    """What a test command did, test by test, read from a channel the tests cannot forge cheaply.

    Only `complete` is evidence: every expected test reported, in sequence, consistent with the exit status, canaries as they should be.
    """

    __test__ = False

    status: Literal["complete", "timeout", "memory", "crashed", "empty", "broken", "usage", "tampered"]
    outcomes: tuple[TestOutcome, ...] = ()
    collected: tuple[str, ...] = ()
    detail: str = ""  # for broken (collection error), usage, crashed: what was said, at most 4 KB
    frames: tuple[Frame, ...] = ()  # where a collection error was raised
    types: Mapping[str, Mapping[str, tuple[Kind, ...]]] = field(default_factory=dict)  # "path:line" -> expression -> kinds
    modules: tuple[str, ...] = ()  # modules loaded from outside the work tree, for the zygote
    level: Literal["fresh", "imports", "midway", "swap"] = "fresh"  # how it was run
    result: Result | None = None

    @property
    def passed(self) -> bool:
        """Whether this is a pass: complete, at least one test passed, none failed."""
        seen = {outcome.outcome for outcome in self.outcomes}
        return self.status == "complete" and "passed" in seen and not seen & {"failed", "error"}
