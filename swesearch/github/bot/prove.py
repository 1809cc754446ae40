"""From failures on the head to findings: each with the command that shows it, shown again and again on both sides."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sandbox.base import Frame, Sandbox, TestOutcome
from swesearch.github.bot.base import Finding, Kind, can_be_told
from swesearch.github.bot.trials import COLLECTION, Seen, Side, tells_of_the_box
from swesearch.report.text import safe
from swesearch.value.checks import BAD
from swesearch.value.protect import is_test

NAMED, FILES = 20, 3  # tests that a finding names and its command runs; files where no single test can be named
LONGEST, COMMAND = 500, 1900  # characters of a test's name, and of all in a command
PROOF_SECONDS = 120.0  # for one run of a command
Lines = Mapping[str, frozenset[int]]  # path -> lines of the head that the pull request added or changed


@dataclass(frozen=True, slots=True)
class Suspect:
    """A test that fails on the head and may be broken by the change."""

    kind: Kind
    outcome: TestOutcome


@dataclass(frozen=True, slots=True)
class Sorted:
    """What the failures on the head are, those left out that the base has too."""

    suspects: tuple[Suspect, ...]
    notes: tuple[str, ...]


def suspects(head: Side, failed: Mapping[str, TestOutcome], before: Seen, base: Side) -> Sorted:
    """Which failures the change may have caused. `before`: what the tests in the same files do on the base."""
    found, notes, old = [], [], 0
    known = {(outcome.error, _first(outcome.message)) for outcome in before.bad.values()}
    for name, outcome in failed.items():
        path = name.partition("::")[0]
        if tells_of_the_box(outcome, head.has):
            notes.append(f"{name} cannot be judged here: {outcome.error}: {_first(outcome.message)}")
        elif path in before.unknown and name not in before.outcomes:
            notes.append(f"{name} fails, and on the base it is not known: {before.unknown[path]}")
        elif kind := _kind(name, outcome, before, base):
            if kind == "own" and (outcome.error, _first(outcome.message)) in known:
                old += 1  # fails as tests beside it fail on the base
            else:
                found.append(Suspect(kind, outcome))
        else:
            old += 1
    if old:
        notes.append(f"{old} failing test{'s' if old > 1 else ''} left out: the base has them too")
    return Sorted(tuple(found), tuple(notes))


def _kind(name: str, outcome: TestOutcome, before: Seen, base: Side) -> Kind | None:
    """What a failure on the head is; None where the base fails too."""
    if name in before.outcomes:
        return "broke" if before.outcomes[name].outcome == "passed" else None
    if name == outcome.id and "::" not in name:  # the whole file
        passed = [o for o in before.outcomes.values() if o.id.startswith(f"{name}::") and o.outcome == "passed"]
        return "broke" if passed else None if base.has(name) else "own"
    return None if name.partition("::")[0] in before.outcomes else "own"


def grouped(found: Sequence[Suspect]) -> list[list[Suspect]]:
    """Suspects by what probably is one cause each: the same error, raised at the same place. Those that break most come first."""
    groups: dict[object, list[Suspect]] = {}
    for suspect in found:
        frame = _inner(suspect.outcome)
        place: object = (frame.path, frame.function) if frame else _first(suspect.outcome.message)
        whole = "::" not in suspect.outcome.id
        groups.setdefault((suspect.kind, suspect.outcome.error, place, whole), []).append(suspect)
    return sorted(groups.values(), key=lambda group: (group[0].kind != "broke", -len(group)))


@dataclass(frozen=True, slots=True)
class Proof:
    """What repeating came to: a finding if tests did the same each time, and the tests that did not."""

    finding: Finding | None = None
    flaky: tuple[str, ...] = ()


def prove(group: Sequence[Suspect], head: Side, base: Side, runs: int, changed: Lines) -> Proof:
    """Run the command of a group `runs` times on each side, in new sandboxes. Raises SandboxUnavailable."""
    ids = _named(group)
    steady = _steady(ids, head, runs, fails=True)
    if group[0].kind == "broke" and steady:
        steady = _steady(steady, base, runs, fails=False)
    flaky = tuple(name for name in ids if name not in steady)
    if not steady:
        return Proof(flaky=flaky)
    first = next(suspect.outcome for suspect in group if suspect.outcome.id in steady)
    frame = _place(first, changed)
    frame = frame if frame and can_be_told(frame.path) else None
    return Proof(
        Finding(
            kind=group[0].kind, command=command(steady), runs=runs, tests=steady,
            others=len(group) - len(ids), error=cut(first.error, 200), message=cut(first.message, 3000),
            path=frame.path if frame else "", line=frame.line if frame else 0,
        ),
        flaky,
    )  # fmt: skip


def _named(group: Sequence[Suspect]) -> tuple[str, ...]:
    """The tests that are named: as many as make a command that can be read and copied."""
    whole = "::" not in group[0].outcome.id
    short = [name for name in (suspect.outcome.id for suspect in group) if cut(name, LONGEST) == name]
    ends = accumulate(len(shlex.quote(name)) + 1 for name in short)
    fitting = [name for name, end in zip(short, ends, strict=True) if end <= COMMAND]
    return tuple(fitting[: FILES if whole else NAMED])


def command(ids: Sequence[str]) -> str:
    """What a person types to see the failure."""
    return shlex.join(("python", "-m", "pytest", "-q", *ids))


def cut(text: str, most: int) -> str:
    """`text` in at most `most` characters, each of them printable: the beginning, and that it goes on."""
    shown = safe(text)
    return shown if len(shown) <= most else shown[: most - 3] + "..."


def _steady(ids: Sequence[str], side: Side, runs: int, fails: bool) -> tuple[str, ...]:
    """Those of `ids` that fail (or pass) in each of `runs` runs of their own."""
    box, left = side.fresh(), tuple(ids)
    try:
        for _ in range(runs):
            if left:
                did = _did(left, side, box)
                left = tuple(name for name in left if did.get(name) is fails)
    finally:
        box.close()
    return left


def _did(ids: Sequence[str], side: Side, box: Sandbox) -> dict[str, bool]:
    """Whether each of `ids` failed, as far as one run tells."""
    tests = [name for name in ids if "::" in name]
    found = {}
    for name in (name for name in ids if "::" not in name):  # a file that shows no single test has the process to itself
        run = side.run([name], PROOF_SECONDS, sandbox=box)
        if run.status in (*COLLECTION, "complete"):
            found[name] = run.status in COLLECTION
    together = side.run(tests, PROOF_SECONDS, sandbox=box) if tests else None
    if together and together.status in ("complete", "timeout"):
        found |= {outcome.id: outcome.outcome in BAD for outcome in together.outcomes}
    return found


def _place(outcome: TestOutcome, changed: Lines) -> Frame | None:
    """Where to point: the innermost line that the pull request changed, else a file that it changed, else the code, else the test."""
    inner = [*reversed(outcome.frames)]
    code = [frame for frame in inner if not is_test(frame.path)]
    ways = ((f for f in inner if f.line in changed.get(f.path, ())), (f for f in code if f.path in changed), code, inner[-1:])
    return next((frame for way in ways for frame in way), None)


def _inner(outcome: TestOutcome) -> Frame | None:
    """Where the error came from: the innermost frame that is no test."""
    return next((frame for frame in reversed(outcome.frames) if not is_test(frame.path)), None)


def _first(message: str) -> str:
    return cut(message.partition("\n")[0], 200)
