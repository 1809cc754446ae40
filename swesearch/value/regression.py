"""Where nothing says what is broken: the tests near a change that pass on the root must go on to pass."""

from __future__ import annotations

import ast
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, cached_property
from itertools import accumulate
from pathlib import PurePosixPath

from sandbox.base import File, Files, Limits, Sandbox, TestRun
from sandbox.pytests import TestJob, Warm, run_tests
from swesearch.base import Attempt, Measurement, State
from swesearch.store import Store
from swesearch.value.checks import BAD
from swesearch.value.protect import is_test, protected
from swesearch.value.tests import broken_tests

TEST_NAME = re.compile(r"(?:test|unittest)_(.+)|(.+)_test|tests?")
WORD = re.compile(r"[A-Za-z_]\w*")
PER_TEST = 5.0  # CPU seconds for one test: a candidate that hangs is found out, and a slow test is left out on the root
CHOSEN, TOGETHER = 60, 5.0  # tests that are run on each candidate, and seconds that they take on the root: there are many candidates
MOST = 3  # test files
PART = 4  # letters that say something of a name


class Regression:
    """The share of the passing tests of some test files that still pass on a state. No gate: a right change may end an old promise."""

    name = "regression"

    def __init__(
        self, store: Store, sandbox: Sandbox, root: State, tests: Sequence[str], names: Collection[str], limits: Limits, weight: float = 1.0
    ) -> None:
        """`tests`: paths of test files, see `near`; `names`: functions and classes that candidates change, see code/touched.py."""
        self.weight, self.tests, self.root, self._names = weight, tuple(tests), root, frozenset(names)
        self._store, self._sandbox, self._limits = store, sandbox, limits
        self._warm, self._lock = Warm(), threading.Lock()
        self._archived: bytes | None = None

    @cached_property
    def passing(self) -> tuple[str, ...]:
        """The chosen tests that pass on the root: those about what changes first, then the quick ones. Raises SandboxUnavailable."""
        good = [outcome for outcome in self.baseline.outcomes if outcome.outcome == "passed"]
        order = sorted(good, key=lambda outcome: (-self._relevance(outcome.id), outcome.seconds))[:CHOSEN]
        ends = accumulate(outcome.seconds for outcome in order)
        return tuple(outcome.id for outcome, end in zip(order, ends, strict=True) if end <= TOGETHER)

    def _relevance(self, test: str) -> int:
        """How many of the names that changes are about stand in a test."""
        path, _, name = test.partition("::")
        return len(self._names & self._words.get((path, name.split("[")[0].rpartition("::")[2]), frozenset()))

    @cached_property
    def _words(self) -> dict[tuple[str, str], frozenset[str]]:
        """The names in each test of the test files."""
        return {(path, name): words for path in self.tests for name, words in _tests_of(self._store.read(self.root, path))}

    @cached_property
    def baseline(self) -> TestRun:
        """The tests on the root, as far as they come within the limits."""
        return self.run(self.root)

    def run(self, state: State, only: Sequence[str] = ()) -> TestRun:
        """The test files on a state, or `only` these tests of them; they are as in the root. Raises SandboxUnavailable."""
        job = TestJob(("-q", *self.tests), self._import_path, module=True, only=tuple(only), seconds=PER_TEST)
        return run_tests(self._sandbox, self.files(state), job, self._limits, self._warm)

    def beside(self, state: State, new: Mapping[str, bytes]) -> TestRun:
        """New test files on a state, each of which takes a name that is free. Raises SandboxUnavailable."""
        job = TestJob(("-q", *new), self._import_path, module=True, seconds=PER_TEST)
        files = self.files(state)
        changed = {**files.changed, **{path: File(data) for path, data in new.items()}}
        warm = Warm(self._warm.modules, self._warm.own, self._warm.autoload, refused={"swap": "its tests are not those of the root"})
        return run_tests(self._sandbox, replace(files, changed=changed), job, self._limits, warm)

    @property
    def _import_path(self) -> tuple[tuple[str, str], ...]:
        return (("PYTHONPATH", "src"),) if any(path.startswith("src/") for path in self._store.files(self.root)) else ()

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
        run = self.run(state, passing)
        broken = _broken(passing, run)
        words = f"newly failing: {', '.join(broken[:5])}" if broken else ""
        facts = {"broken": broken[:20], "count": len(broken), "passing": len(passing), "status": run.status}
        return Measurement(self.name, 1 - len(broken) / len(passing), feedback=words, facts=facts)

    def _archive(self) -> bytes:
        if self._archived is None:
            self._archived = self._store.archive(self.root)
        return self._archived


def _broken(passing: Sequence[str], run: TestRun) -> list[str]:
    """The tests that pass no more; what a run did not come to before its time was up is not known to be broken."""
    if run.status != "timeout":
        return broken_tests(passing, run)
    return [outcome.id for outcome in run.outcomes if outcome.outcome in BAD]


def _tests_of(source: bytes) -> Iterator[tuple[str, frozenset[str]]]:
    """The tests of a file, each with the names in it."""
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except (SyntaxError, ValueError):
        return
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield node.name, frozenset(WORD.findall(ast.unparse(node)))


def near(changed: Iterable[Collection[str]], files: Iterable[str], most: int = MOST) -> tuple[str, ...]:
    """The test files that belong to what candidates change, those wanted by most candidates first. `changed`: paths, by candidate.

    Told by name and place: pkg/core.py belongs to tests/test_core.py. Where nothing does, the test file named after the package does.
    """
    tests = [path for path in files if _is_test_file(path)]
    named, votes, spare = cache(kinship), Counter[str](), Counter[str]()
    for paths in changed:
        best: Counter[str] = Counter()
        for source in paths:
            if source.endswith(".py") and not is_test(source):
                best.update({test: score for test in tests if (score := named(source, test)) > 0})
                spare.update(test for test in tests if _about(test) and _about(test) in PurePosixPath(source).parts[:-1])
        votes.update({test: 1 + score for test, score in best.most_common(2)})
    return tuple(test for test, _ in (votes or spare).most_common(most))


def kinship(source: str, test: str) -> float:
    """How closely a test file's name and place belong to a source file's; 0 where the names share no word."""
    code, tests = PurePosixPath(source), PurePosixPath(test)
    stem = (code.parent.name if code.stem == "__init__" else code.stem).strip("_")
    about = _about(test)
    shared = {*about.split("_")} & {*stem.split("_")} - {""}
    part = min(len(about), len(stem)) >= PART and (about in stem or stem in about)
    alike = 2.0 if about == stem else 0.5 if shared or part else 0.0
    beside = len({*code.parts[:-1]} & {*tests.parts[:-1]}) / max(1, len(code.parts) - 1)
    return alike * (0.5 + beside) if about else 0.0


def _about(test: str) -> str:
    """What a test file is named after."""
    match = TEST_NAME.fullmatch(PurePosixPath(test).stem)
    return (match[1] or match[2] or "").strip("_") if match else ""


def _is_test_file(path: str) -> bool:
    return path.endswith(".py") and is_test(path) and TEST_NAME.fullmatch(PurePosixPath(path).stem) is not None
