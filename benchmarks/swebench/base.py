"""The words of SWE-bench evaluations. Everything that knows an answer stays in this package: `swesearch` never imports it.

BenchError                 exit 2    the request or its input is wrong; says how to mend it
"We could not find out" is `sandbox.base.SandboxUnavailable` (exit 4): graded as "error", never as "unresolved".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from swesearch.base import Cost

Mode = Literal["issue", "check", "recorded"]
Status = Literal["resolved", "unresolved", "empty", "unapplied", "error"]


class BenchError(Exception):
    """The request, or a row, a prediction or an address in it, is wrong."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Instance:
    """A row of a SWE-bench data set, whichever of its forms it came in."""

    id: str
    repo: str  # "owner/name"
    base_commit: str
    issue: str
    version: str
    created: str  # ISO 8601
    patch: str  # what upstream did
    test_patch: str
    fail_to_pass: tuple[str, ...]
    pass_to_pass: tuple[str, ...]
    kind: str = "swebench"  # the form: swebench, multilingual, live, rebench, pro
    row: Mapping[str, Any] = field(default_factory=dict, compare=False)  # as it was read


@dataclass(frozen=True, slots=True)
class Place:
    """An instance made ready: an image that holds its environment and its base commit, and a checkout for the search."""

    image: str  # Docker image; /testbed in it is the repository at base_commit, and no later commit exists in it
    python: str  # the environment's interpreter in the image
    repo: Path  # the same commit on the host: a git repository of depth 1
    workdir: str = "/testbed"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What somebody hands in for an instance."""

    instance: str
    model: str
    patch: str


@dataclass(frozen=True, slots=True)
class Grade:
    """The verdict on a patch, by the official rules. "error" means that it could not be found out."""

    instance: str
    patch_key: str  # hash of the patch: one grading per patch
    status: Status
    fail_to_pass: tuple[int, int] = (0, 0)  # passed, of all
    pass_to_pass: tuple[int, int] = (0, 0)
    why: str = ""
    seconds: float = 0.0
    log: str = ""  # path of the test log, relative to the results' folder


@dataclass(frozen=True, slots=True)
class Finalist:
    """A patch that a search could have handed over, best first."""

    patch: str
    verified: bool
    value: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of searching on one instance."""

    instance: str
    exit_status: str  # "Submitted", "LimitsExceeded", "TimeExceeded", or the name of an error
    patch: str  # "" where nothing is handed over
    finalists: tuple[Finalist, ...] = ()
    cost: Cost = field(default_factory=Cost)
    run: str = ""  # id of the swesearch run
    error: str = ""  # an infrastructure failure, in one line: nothing is said of the code
    mode: Mode = "issue"  # "check": the failing tests were given, which nobody has in real life
    confidence: float | None = None  # the stated chance that the patch is right
