"""What an issue's own examples do on a state: run as at a prompt, compared with what they do on the root and with what the issue says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from sandbox.base import TestOutcome, TestRun
from swesearch.base import Attempt, Measurement, State
from swesearch.code.examples import Examples, plain
from swesearch.value.regression import Trials

STATEMENTS, TESTS = "test_swesearch_examples.py", "test_swesearch_example_{}.py"
MARK, RAISES = "observed:", "raises "


class ExampleRuns:
    """A term: do the issue's examples change, do they stop to fail, and do they say now what the issue says? 0.25 where nothing changes."""

    name = "examples"

    def __init__(self, trials: Trials, answers: frozenset[str], weight: float = 1.0) -> None:
        """`trials` have been given `example_files` of the examples; `answers`: what the issue says, see code/examples.py."""
        self.weight, self._trials, self._answers = weight, trials, answers

    def measure(self, state: State, parent: Attempt | None) -> Measurement:  # noqa: ARG002 - the seam's shape
        """Run the examples on `state`. Nothing is known where none of them can be run."""
        before = self._shown(self._trials.before)
        if not before:
            return Measurement(self.name, 0.0, known=False, feedback="the issue has no example that can be run")
        run = self._trials.on(state)
        shown = self._shown(run)
        if run.status == "timeout":  # nothing is said of what the run did not come to
            before = {test: text for test, text in before.items() if test in shown}
        found = compare(before, shown, self._answers)
        return Measurement(self.name, _score(found), facts={**found, "shown": shown, "before": before})

    def _shown(self, run: TestRun) -> dict[str, str]:
        """What the examples show in a run, by test."""
        return dict(_seen(outcome) for outcome in run.outcomes if outcome.id in self._trials.added)


def compare(before: Mapping[str, str], after: Mapping[str, str], answers: frozenset[str]) -> dict[str, int]:
    """How many examples changed, how many fail no more, how many fail now, and how many say now what the issue says."""
    both = [(before[test], after.get(test, RAISES + "nothing")) for test in before]
    old = {plain(line) for text, _ in both for line in text.split("\n")}
    return {
        "changed": sum(one != other for one, other in both),
        "mended": sum(RAISES in one and RAISES not in other for one, other in both),
        "hurt": sum(RAISES not in one and RAISES in other for one, other in both),
        "said": sum(bool(({plain(line) for line in other.split("\n")} & answers) - old) for one, other in both if one != other),
    }


def _score(found: Mapping[str, int]) -> float:
    if found["hurt"]:
        return 0.0
    return 1.0 if found["mended"] or found["said"] else 0.75 if found["changed"] else 0.25


def _seen(outcome: TestOutcome) -> tuple[str, str]:
    _, mark, text = outcome.message.partition(MARK)
    if mark:
        return outcome.id, text.strip()
    first = plain(outcome.message.split("\n")[0]) if outcome.message else ""
    return outcome.id, "passes" if outcome.outcome == "passed" else f"{RAISES}{outcome.outcome} {outcome.error}: {first}"


def example_files(examples: Examples, homes: Sequence[str]) -> dict[str, bytes]:
    """The test files that show what examples do. `homes`: modules in which names are looked up that the issue does not explain."""
    found = [(TESTS.format(number), text.encode("utf-8", "replace")) for number, text in enumerate(examples.tests)]
    if examples.statements:
        interact = Path(__file__).with_name("interact.py").read_text("utf-8")
        source = f"{interact}\n\n_swe_arrange({list(examples.statements)!r}, {list(homes)!r})\n"
        found.append((STATEMENTS, source.encode("utf-8", "replace")))
    return dict(found)


def homes_of(changed: Sequence[str], tests: Sequence[str]) -> tuple[str, ...]:
    """Modules to look names up in: the packages of what changes, from the top down, the changed modules, and tests near them."""
    found: dict[str, None] = {}
    for path in changed:
        parts = _module(path)
        for end in range(1, len(parts) + 1):
            found.setdefault(".".join(parts[:end]))
    for path in tests:
        found.setdefault(".".join(_module(path)))
    return tuple(name for name in found if name)


def _module(path: str) -> tuple[str, ...]:
    """A file's module, as seen from the repository's root or from src."""
    parts = PurePosixPath(path).with_suffix("").parts
    parts = parts[1:] if parts[:1] == ("src",) else parts
    return parts[:-1] if parts[-1:] == ("__init__",) else parts
