"""The words of swesearch: every data type, protocol and error. Imports nothing of ours.

    SwesearchError                      one clear line for the user; knows its exit code
    |-- UsageError            exit 2    the request is wrong; says how to mend it
    |-- EditError             (data)    an edit does not fit; goes back to the proposer as feedback
    |-- CheckPasses           exit 7    nothing to repair: the check already passes
    |-- CheckUnusable         exit 4    the check cannot run here; says what is missing
    |-- JournalError          exit 4    the record of a run cannot be read or written
    |-- StoreError            exit 4    the states of a run cannot be read or written
    `-- ModelUnavailable      exit 5    a provider lets us down for good: no network, no key, overload that lasts

"We could not find out" in a sandbox is `sandbox.base.SandboxUnavailable` (exit 4), never a score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol


class SwesearchError(Exception):
    """Root of every error that is told to the user in one line."""

    exit_code: ClassVar[int] = 1


class UsageError(SwesearchError):
    """The request cannot be carried out as it was put."""

    exit_code = 2


class EditError(SwesearchError):
    """An edit does not fit the state it is meant for. Says why, for the proposer to read."""


class CheckPasses(SwesearchError):
    """The check already passes on the root: there is nothing to repair."""

    exit_code = 7


class CheckUnusable(SwesearchError):
    """The check cannot run on the root, for a reason that is not the bug."""

    exit_code = 4


class JournalError(SwesearchError):
    """The record of a run cannot be read or written."""

    exit_code = 4


class StoreError(SwesearchError):
    """The states of a run cannot be read or written: a full disk, a git that fails."""

    exit_code = 4


class ModelUnavailable(SwesearchError):
    """A model cannot be had, and waiting did not help. The run stops and can be resumed; it is never a score."""

    exit_code = 5


@dataclass(frozen=True, slots=True)
class State:
    """A version of the code: the id of a git tree. Equal code is equal."""

    tree: str


@dataclass(frozen=True, slots=True)
class Replace:
    """Put `after` where `before` stands. Without `start`, `before` must occur exactly once in the file."""

    path: str
    before: bytes
    after: bytes
    start: int | None = None  # byte offset of `before` in the file as the edits before this one left it


@dataclass(frozen=True, slots=True)
class Create:
    """Add a file that must not exist yet."""

    path: str
    content: bytes
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a file that must exist."""

    path: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Move a file to a path that must be free."""

    path: str
    to: str


Edit = Replace | Create | Delete | Rename


@dataclass(frozen=True, slots=True)
class Action:
    """What a proposer wants done: edits in order, one line of why, and a prior in (0, 1] that feeds PUCT."""

    edits: tuple[Edit, ...]
    why: str = ""
    prior: float = 1.0

    def carry_out(self) -> Action:
        """An action is a plan that is carried out already."""
        return self


class Plan(Protocol):
    """Something worth trying, whose edits may still have to be worked out."""

    @property
    def prior(self) -> float:
        """The chance that it is right, in (0, 1]; feeds PUCT."""
        ...

    @property
    def why(self) -> str:
        """What is to be tried, in one line."""
        ...

    def carry_out(self) -> Action:
        """Work the edits out. May take minutes and cost money. Raises EditError where it was given up, ModelUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one term found: a score in [0, 1], whether it forbids going on, and what it has to say."""

    name: str
    score: float
    blocked: bool = False  # a gate at 0: later terms are not measured
    solved: bool | None = None  # what the task's checks say; None from terms that cannot know
    feedback: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)  # JSON-able evidence, kept in the journal
    known: bool = True  # False: this could not be found out; the score means nothing and has no say in the value


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a state is: a value in [0, 1], and whether every check passes with nothing newly broken."""

    value: float
    solved: bool = False
    terms: tuple[Measurement, ...] = ()
    feedback: str = ""
    seconds: float = 0.0  # what it took to find out


@dataclass(frozen=True, slots=True)
class Attempt:
    """One node of the search: what was done (None at the root), what came of it, and how good that is."""

    action: Action | None
    state: State
    evaluation: Evaluation
    hints: tuple[str, ...] = ()  # what the user said about it while the search went on: meant for it and all that follows


@dataclass(frozen=True, slots=True)
class Check:
    """A command that fails because of the bug and passes once it is mended."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """What to repair. Hidden tests have no place here, by design."""

    repo: Path
    checks: tuple[Check, ...]
    issue: str = ""
    pictures: tuple[bytes, ...] = ()  # of the issue
    url: str = ""  # of the issue, where it has one


@dataclass(frozen=True, slots=True)
class Candidate:
    """A finalist: an attempt with its patch, whether it was verified afresh, and what speaks for or against it."""

    attempt: Attempt
    patch: bytes
    verified: bool
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the discriminator says: candidates from best to worst, and why the first one is first."""

    ranking: tuple[Candidate, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run has used: evaluations, wall-clock seconds, tokens, US dollars."""

    evaluations: int = 0
    seconds: float = 0.0
    tokens: int = 0
    dollars: float = 0.0


@dataclass(frozen=True, slots=True)
class Solution:
    """What a run hands over. `best` is None where no candidate was verified."""

    best: Candidate | None
    alternatives: tuple[Candidate, ...]
    why: str
    cost: Cost
    confidence: float | None = None  # the chance that `best` is right, where there was a choice to be made


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run. The journal, the live view and --json all read these."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)  # JSON-able


class Memory(Protocol):
    """What was found out once and need not be paid for again: JSON-able values by key. The journal of a run is one."""

    def recall(self, key: str) -> Any:
        """What was kept under `key`; None where nothing was."""
        ...

    def keep(self, key: str, value: Any) -> None:
        """Keep `value` for good."""
        ...


class Proposer(Protocol):
    """Where ideas come from: templates, a planner with an executor, recorded patches."""

    rounds: int  # how often it may be asked about one node, each time with what became of the plans before

    def propose(self, path: Sequence[Attempt], siblings: Sequence[Attempt] = (), others: Sequence[Attempt] = ()) -> Iterable[Plan]:
        """Yield plans for the last attempt of `path`, most promising first. Lazily: later ones may never be asked for.

        `siblings` are the attempts that came of earlier plans for the same node, none the first time; `others` those of all branches.
        """
        ...


class Term(Protocol):
    """One way to measure a state."""

    name: str
    weight: float

    def measure(self, state: State, parent: Attempt | None) -> Measurement:
        """Measure `state`. `parent` tells how far it is worth going. Raises SandboxUnavailable where we could not find out."""
        ...


class Evaluator(Protocol):
    """How good is a state?"""

    def evaluate(self, state: State, parent: Attempt | None) -> Evaluation:
        """Value `state`, cached by tree id. Raises SandboxUnavailable where we could not find out."""
        ...


class Discriminator(Protocol):
    """Which candidate to hand in."""

    def pick(self, candidates: Sequence[Candidate]) -> Verdict:
        """Rank candidates from best to worst."""
        ...
