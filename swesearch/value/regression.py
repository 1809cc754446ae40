"""Where nothing says what is broken: the tests near a change that pass on the root must go on to pass."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import PurePosixPath

from sandbox.base import Files, Limits, Sandbox, TestRun
from sandbox.pytests import TestJob, Warm, run_tests
from swesearch.base import Attempt, Measurement, State
from swesearch.store import Store
from swesearch.value.protect import is_test, protected
from swesearch.value.tests import broken_tests

TEST_NAME = re.compile(r"(?:test|unittest)_(.+)|(.+)_test|tests?")
PER_TEST = 10.0  # seconds for one test: a candidate that hangs is found out, and a slow test is left out on the root
MOST = 4  # test files


class Regression:
    """The share of the passing tests of some test files that still pass on a state. No gate: a right change may end an old promise."""

    name = "regression"

    def __init__(self, store: Store, sandbox: Sandbox, root: State, tests: Sequence[str], limits: Limits, weight: float = 1.0) -> None:
        """`tests`: paths of test files; see `near`."""
        self.weight, self.tests, self.root = weight, tuple(tests), root
        self._store, self._sandbox, self._limits = store, sandbox, limits
        self._warm, self._lock = Warm(), threading.Lock()
        self._archived: bytes | None = None

    @cached_property
    def passing(self) -> tuple[str, ...]:
        """The tests that pass on the root. Raises SandboxUnavailable."""
        return tuple(outcome.id for outcome in self.baseline.outcomes if outcome.outcome == "passed")

    @cached_property
    def baseline(self) -> TestRun:
        """The tests on the root, as far as they come within the limits."""
        return self.run(self.root, self.tests)

    def run(self, state: State, arguments: Sequence[str]) -> TestRun:
        """Test files or ids on a state, in whose place the root's own test files stand. Raises SandboxUnavailable."""
        source = (("PYTHONPATH", "src"),) if any(path.startswith("src/") for path in self._store.files(self.root)) else ()
        job = TestJob(("-q", *arguments), source, module=True, seconds=PER_TEST)
        return run_tests(self._sandbox, self.files(state), job, self._limits, self._warm)

    def files(self, state: State) -> Files:
        """`state` as a sandbox takes it."""
        known = self._store.files(self.root)
        changed = {path: file for path, file in self._store.changed(self.root, state).items() if not protected(path, known)}
        return Files(self.root.tree, self._archive, changed)

    def measure(self, state: State, parent: Attempt | None) -> Measurement:  # noqa: ARG002 - the seam's shape
        """Run the tests on `state`. Nothing is known where there are none that pass on the root."""
        with self._lock:
            passing = self.passing if self.tests else ()
        if not passing:
            return Measurement(self.name, 0.0, known=False, feedback="no test near the change passes on the code as it is")
        run = self.run(state, self.tests)
        broken = broken_tests(passing, run)
        words = f"newly failing: {', '.join(broken[:5])}" if broken else ""
        facts = {"broken": broken[:20], "count": len(broken), "passing": len(passing), "status": run.status}
        return Measurement(self.name, 1 - len(broken) / len(passing), feedback=words, facts=facts)

    def _archive(self) -> bytes:
        if self._archived is None:
            self._archived = self._store.archive(self.root)
        return self._archived


def near(changed: Iterable[Collection[str]], files: Iterable[str], most: int = MOST) -> tuple[str, ...]:
    """The test files that belong to what candidates change, those wanted by most candidates first. `changed`: paths, by candidate."""
    tests = [path for path in files if _is_test_file(path)]
    votes: Counter[str] = Counter()
    for paths in changed:
        best: Counter[str] = Counter()
        for source in paths:
            if source.endswith(".py") and not is_test(source):
                best.update({test: score for test in tests if (score := kinship(source, test)) > 0})
        votes.update({test: 1 + score for test, score in best.most_common(2)})
    return tuple(test for test, _ in votes.most_common(most))


def kinship(source: str, test: str) -> float:
    """How closely a test file's name and place belong to a source file's; 0 where only the folders above are shared."""
    code, tests = PurePosixPath(source), PurePosixPath(test)
    stem = code.parent.name if code.stem == "__init__" else code.stem
    match = TEST_NAME.fullmatch(tests.stem)
    about = (match[1] or match[2] or "") if match else ""
    same = about.strip("_") == stem.strip("_")
    part = not same and about != "" and bool({*about.split("_")} & {*stem.split("_")})
    beside = len({*code.parts[:-1]} & {*tests.parts[:-1]}) / max(1, len(code.parts) - 1)
    return (2.0 if same else 0.5 if part else 0.0) * (0.5 + beside) + (0.25 * beside if _sibling(code, tests) else 0.0)


def _sibling(code: PurePosixPath, tests: PurePosixPath) -> bool:
    """Whether the test lies in a test folder beside the source, as in sympy/core/tests."""
    return code.parent in (tests.parent, tests.parent.parent) and code.parent != PurePosixPath()


def _is_test_file(path: str) -> bool:
    name = PurePosixPath(path)
    return name.suffix == ".py" and is_test(path) and TEST_NAME.fullmatch(name.stem) is not None
