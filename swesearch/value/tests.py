"""The terms that run tests: the failing ones must pass, the passing ones near them must go on to pass."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from sandbox.base import Frame, TestOutcome, TestRun
from swesearch.base import Attempt, Measurement, State
from swesearch.value.checks import BAD, COLLECTION, CheckRun
from swesearch.value.protect import is_test

LATER = 0.5  # of a test that still fails, but further on in its own body
COLLECTED = 0.5  # of tests that can be collected now, but fail
NO_NETWORK = re.compile(
    r"Temporary failure in name resolution|Name or service not known|nodename nor servname provided"
    r"|getaddrinfo failed|No address associated with hostname|Network is unreachable"
)


class Failing:
    """The share of the failing tests that now pass; one that fails later than before counts half. A gate where nothing was gained.

    `hasty`: where the parent made no progress, tests are run up to the first failure only. For candidates that are many and cheap:
    progress in a later test is not seen then.
    """

    name = "failing"

    def __init__(self, checks: Sequence[CheckRun], weight: float = 1.0, hasty: bool = True) -> None:
        self.weight = weight
        self._checks = checks
        self._hasty = hasty

    def measure(self, state: State, parent: Attempt | None) -> Measurement:
        """Run the tests that fail on the root."""
        stop = self._hasty and not (parent and _score(parent, self.name))
        runs = [(check.baseline.failing, check.failing(state, stop=stop)) for check in self._checks]
        gained = sum(_gain(before, run) for before, run in runs)
        score = gained / sum(len(before) for before, _ in runs)
        passed = [o.id for _, run in runs for o in run.outcomes if o.outcome == "passed"]
        facts = {"passed": passed, "levels": [run.level for _, run in runs]}
        words = "\n".join(filter(None, (_words(run) for _, run in runs)))
        return Measurement(self.name, score, blocked=not score, solved=score == 1.0, feedback=words, facts=facts)


class Nearby:
    """The share of the tests in the same files that still pass. A gate where one is broken: such a state is not built upon."""

    name = "nearby"

    def __init__(self, checks: Sequence[CheckRun], weight: float = 0.3) -> None:
        self.weight = weight
        self._checks = checks

    def measure(self, state: State, parent: Attempt | None) -> Measurement:  # noqa: ARG002 - the seam's shape
        """Run the passing tests near the failing ones. A skipped test is neutral."""
        broken = [name for check in self._checks for name in broken_tests(check.baseline.passing, check.nearby(state))]
        total = sum(len(check.baseline.passing) for check in self._checks) or 1
        words = f"newly failing: {', '.join(broken[:5])}" if broken else ""
        solved = False if broken else None
        score, facts = 1 - len(broken) / total, {"broken": broken[:20]}
        return Measurement(self.name, score, blocked=bool(broken), solved=solved, feedback=words, facts=facts)


def broken_tests(passing: Sequence[str], run: TestRun | None) -> list[str]:
    """Those of `passing` that `run` does not show to pass or to be skipped.

    A parameter may be in a test's name that is another each time, as the hour: for one that is gone, one that has come does.
    """
    if run is None:
        return []
    fine = {o.id for o in run.outcomes if o.outcome not in BAD} if run.status in ("complete", "timeout") else set()
    come = Counter(name.partition("[")[0] for name in fine.difference(passing) if "[" in name)
    gone = set(passing).difference(o.id for o in run.outcomes)
    return [name for name in passing if name not in fine and not (name in gone and _taken(come, name))]


def broken_so_far(passing: Sequence[str], run: TestRun) -> list[str]:
    """The tests that pass no more; what a run did not come to before its time was up is not known to be broken."""
    if run.status != "timeout":
        return broken_tests(passing, run)
    return [outcome.id for outcome in run.outcomes if outcome.outcome in BAD and outcome.id in passing]


def _taken(come: Counter[str], name: str) -> bool:
    """Whether a test of the same function has come, which then stands for this one alone."""
    function = name.partition("[")[0]
    come[function] -= 1
    return come[function] >= 0


def _gain(before: Mapping[str, TestOutcome], run: TestRun) -> float:
    """How many of the failing tests are mended, counting half where one gets further."""
    if COLLECTION in before:
        return 1.0 if run.passed else COLLECTED if run.status == "complete" else 0.0
    if run.status not in ("complete", "timeout"):
        return 0.0
    return sum(_gain_of(before[outcome.id], outcome) for outcome in run.outcomes if outcome.id in before)


def _gain_of(before: TestOutcome, after: TestOutcome) -> float:
    if after.outcome == "passed":
        return 1.0
    old, new = _place(before), _place(after)
    later = after.outcome in BAD and old and new and old.path == new.path and old.function == new.function and new.line > old.line
    return LATER if later else 0.0


def _place(outcome: TestOutcome) -> Frame | None:
    """Where in the test itself it failed: the outermost frame of a test file."""
    return next((frame for frame in outcome.frames if is_test(frame.path)), None)


def _score(attempt: Attempt, name: str) -> float:
    return next((term.score for term in attempt.evaluation.terms if term.name == name), 0.0)


def _words(run: TestRun) -> str:
    bad = next((o for o in run.outcomes if o.outcome in BAD), None)
    if bad:
        return f"{bad.id}: {bad.error}: {bad.message}"[:1000]
    return "" if run.status == "complete" else f"{run.status}: {run.detail}"[:1000]


def wants_network(outcome: TestOutcome) -> bool:
    """Whether a test failed where a network was wanted, which sandboxes do not have."""
    return outcome.outcome in BAD and bool(NO_NETWORK.search(outcome.message))
