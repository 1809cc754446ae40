"""What is looked at before a candidate is handed over, in a sandbox that nothing has run in. One thing that does not hold is enough."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sandbox.base import Sandbox, TestOutcome, TestRun
from sandbox.plain import PlainRun
from swesearch.base import State
from swesearch.value.checks import BAD, CheckRun
from swesearch.value.disguise import Disguise
from swesearch.value.impact import reached
from swesearch.value.tests import broken_so_far, broken_tests

DISGUISED = 20  # failing tests of a check that are run again under other names
REACHED = 12  # test files that are compared where all together are too many
ADDRESS = re.compile(r"0x[0-9a-f]+")
FAILED, BROKEN = 1, 2  # pytest's exit status where tests failed, and where some could not be collected


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was looked at, whether it holds, and what was seen."""

    holds: bool
    words: str


def to_the_first_doubt(found: Iterable[Proof]) -> Iterator[Proof]:
    """Proofs up to the first that does not hold."""
    for proof in found:
        yield proof
        if not proof.holds:
            return


def proofs(check: CheckRun, state: State, box: Sandbox) -> Iterator[Proof]:
    """What is looked at for one check in the files that it names, from near to far. Raises SandboxUnavailable."""
    run = check.verify(state, box)
    yield _check_proof(check, run, box.name)
    yield from _disguise_proof(check, state, box, run)
    yield from _plain_proof(check, state, box, run)
    if check.baseline.passing or not check.is_whole:
        yield _nearby_proof(check, run if check.is_whole else check.whole_files(state, box), box)


def _check_proof(check: CheckRun, run: TestRun, box: str) -> Proof:
    """The user's own command, which failed on the root, passes."""
    words = " ".join(check.check.command)
    if run.passed:
        return Proof(True, f"`{words}` failed before and passes now, in a fresh {box} sandbox ({_count(run)})")
    return Proof(False, f"`{words}` does not pass in a fresh {box} sandbox ({run.status})")


def _disguise_proof(check: CheckRun, state: State, box: Sandbox, run: TestRun) -> Iterator[Proof]:
    """The tests pass under names that the code cannot know, and fail where they are twisted."""
    passed = {outcome.id for outcome in run.outcomes if outcome.outcome == "passed"}
    tests = check.disguised([name for name in check.baseline.failing if name in passed][:DISGUISED])
    if not tests.files:
        return
    suspects = _suspects(tests, check.in_disguise(state, box, tests))
    if suspects and (guilty := suspects & _comparable(check, tests, check.in_disguise(check.root, box, tests))):
        yield Proof(False, f"passes under its own name only, or whatever the test expects: {', '.join(sorted(guilty)[:3])}")
    elif suspects:
        yield Proof(True, "the tests were not run under other names: they depend on their own")
    else:
        twisted = f", and fails where they are twisted so that they must ({len(tests.twisted)})" if tests.twisted else ""
        yield Proof(True, f"passes under random names too ({len(tests.same)}){twisted}")


def _suspects(tests: Disguise, run: TestRun) -> set[str]:
    """Tests whose copy does not pass, or whose twisted copy does; all of them where the run is no evidence."""
    if run.status != "complete":
        return {*tests.same.values()}
    passed = {outcome.id for outcome in run.outcomes if outcome.outcome == "passed"}
    return {name for copy, name in tests.same.items() if copy not in passed} | {
        tests.twisted[copy] for copy in tests.twisted if copy in passed
    }


def _comparable(check: CheckRun, tests: Disguise, before: TestRun) -> set[str]:
    """The tests whose copies fail on the root exactly as they do themselves: another name made no difference there."""
    known = {tests.same[outcome.id]: outcome for outcome in before.outcomes if outcome.id in tests.same}
    return (
        {name for name, outcome in known.items() if _alike(check.baseline.failing[name], outcome)} if before.status == "complete" else set()
    )


def _alike(original: TestOutcome, copy: TestOutcome) -> bool:
    return copy.outcome in BAD and _failure(original) == _failure(copy)


def _failure(outcome: TestOutcome) -> tuple[str, str, list[int]]:
    """Error, message without addresses in memory, lines."""
    return outcome.error, ADDRESS.sub("", outcome.message), [frame.line for frame in outcome.frames]


def _plain_proof(check: CheckRun, state: State, box: Sandbox, run: TestRun) -> Iterator[Proof]:
    """The repository's own command says the same, with nothing of ours in the process."""
    plain = check.plainly(state, box)
    if plain is None or not run.passed:
        return
    if plain.result.status == "done" and plain.result.exit_code == 0 and (plain.passed is None or plain.passed >= _passed(run)):
        yield Proof(True, "the same by the plain command, without our runner (exit status 0)")
        return
    before = check.plainly(check.root, box)
    others = before.bad - check.baseline.failing.keys() if before else frozenset()
    if before is None or not _shows(before, check):
        yield Proof(True, f"the plain command was not compared: on the code as it is it ends with {before.words if before else 'nothing'}")
    elif plain.result.exit_code == FAILED and plain.bad and plain.bad <= others:
        yield Proof(True, f"by the plain command {len(plain.bad)} tests go on to fail that pass with our runner")
    else:
        yield Proof(False, f"does not pass by the plain command, without our runner ({plain.words})")


def _shows(before: PlainRun, check: CheckRun) -> bool:
    """Whether the plain command shows the bug on the root."""
    named = before.result.exit_code in (FAILED, BROKEN) and before.bad & check.baseline.failing.keys()
    return bool(named) or before.result.status == "timeout"


def _nearby_proof(check: CheckRun, run: TestRun, box: Sandbox) -> Proof:
    """The tests around the failing ones go on to pass."""
    passing = check.baseline.passing
    if broken := broken_tests(passing, run) or _broken_slow(check, run, box):
        return Proof(False, f"newly failing in the same files: {', '.join(broken[:3])}")
    return Proof(True, f"{len(passing)} other tests in the same files still pass")


def _broken_slow(check: CheckRun, run: TestRun, box: Sandbox) -> list[str]:
    """Tests that fail, and were too slow to be known from the start: those that pass on the root with as much time."""
    known = {*check.baseline.failing, *check.baseline.passing}
    unknown = [outcome.id for outcome in run.outcomes if outcome.outcome in BAD and outcome.id not in known]
    if not unknown:
        return []
    passed = {outcome.id for outcome in check.whole_files(check.root, box).outcomes if outcome.outcome == "passed"}
    return [name for name in unknown if name in passed]


def rest_proofs(check: CheckRun, state: State, box: Sandbox) -> Iterator[Proof]:
    """The tests in other files: all where they run within the limits of one run, else those that the change reaches first.

    Raises SandboxUnavailable.
    """
    before = check.rest(check.root, box)
    if before is None or before.status == "empty":
        return
    if before.status != "complete":
        yield _reached_proof(check, state, box, before.status)
        return
    passing = [outcome.id for outcome in before.outcomes if outcome.outcome == "passed"]
    after = check.rest(state, box)
    if broken := broken_tests(passing, after):
        how = f" ({after.status}: {after.detail[:300]})" if after and after.status != "complete" else ""
        yield Proof(False, f"newly failing elsewhere: {', '.join(broken[:3])}{how}")
    else:
        yield Proof(True, f"none of the {len(passing)} passing tests in other files is broken")


def _reached_proof(check: CheckRun, state: State, box: Sandbox, status: str) -> Proof:
    """The tests nearest to the change, where all together do not come to an end on the code as it is."""
    before = check.near(check.root, box, reached(check.store, check.root, state)[:REACHED])
    passing = [outcome.id for outcome in before.outcomes if outcome.outcome == "passed"]
    others = f"on the code as it is they end as {status}"
    if not passing:
        return Proof(True, f"tests in other files were not compared: {others}")
    paths = tuple(dict.fromkeys(name.partition("::")[0] for name in passing))
    if broken := broken_so_far(passing, check.near(state, box, paths, passing)):
        return Proof(False, f"newly failing elsewhere: {', '.join(broken[:3])}")
    return Proof(True, f"none of {len(passing)} passing tests near the change is broken; the other files were not compared: {others}")


def _count(run: TestRun) -> str:
    return f"{_passed(run)} test{'s' if _passed(run) != 1 else ''}"


def _passed(run: TestRun) -> int:
    return sum(outcome.outcome == "passed" for outcome in run.outcomes)
