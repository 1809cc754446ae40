"""Where nothing says what is broken: the tests near a change that pass on the root must go on to pass."""

from __future__ import annotations

import ast
import re
import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from itertools import accumulate
from pathlib import PurePosixPath

from sandbox.base import File, Files, Limits, Sandbox, TestRun
from sandbox.pytests import TestJob, run_tests
from swesearch.base import Attempt, Measurement, State
from swesearch.code.touched import UNREADABLE, program
from swesearch.store import Store
from swesearch.value.protect import is_test, protected
from swesearch.value.tests import broken_so_far

TEST_NAME = re.compile(r"(?:test|unittest)_(.+)|(.+)_test|tests?")
WORD = re.compile(r"[A-Za-z_]\w*")
PER_TEST = 5.0  # CPU seconds for one test: a candidate that hangs is found out, and a slow test is left out on the root
CHOSEN, TOGETHER = 25, 3.0  # tests that are tried on the root; seconds that those which are run on each candidate take there
MOST = 3  # test files
PART = 4  # letters that say something of a name


class Trials:
    """Test files near the change, and new ones that show something, run together on states: one process for each state.

    Its processes are fresh: a zygote pays for hundreds of candidates, and here there are a few.
    """

    def __init__(
        self,
        store: Store,
        sandbox: Sandbox,
        root: State,
        tests: Sequence[str],
        new: Mapping[str, bytes],
        names: Collection[str],
        limits: Limits,
    ) -> None:
        """`tests`: paths of test files, see `near`; `new`: test files to add; `names`: functions and classes that candidates change."""
        self.tests, self.new, self.root = tuple(tests), dict(new), root
        self._store, self._sandbox, self._limits, self._names = store, sandbox, limits, frozenset(names)
        self._lock = threading.Lock()
        self._runs: dict[object, TestRun] = {}
        self._archived: bytes | None = None

    def on(self, state: State) -> TestRun:
        """The chosen tests and the new ones on a state; asked once for states that are the same program. Raises SandboxUnavailable."""
        wanted, key = (*self.chosen, *self.added), self._program(state)
        if key not in self._runs:
            self._runs[key] = self._run(state, self.tests, wanted) if wanted else TestRun("empty")
        return self._runs[key]

    def _program(self, state: State) -> object:
        texts = self._store.texts(self.root, state)
        return frozenset((path, program(path, after) if before and after else after) for path, before, after in texts if not is_test(path))

    @property
    def chosen(self) -> tuple[str, ...]:
        """The tests that pass on the root, as many as are quick enough together. Raises SandboxUnavailable."""
        good = [outcome for outcome in self.before.outcomes if outcome.outcome == "passed" and not self._is_new(outcome.id)]
        quick = sorted(good, key=lambda outcome: outcome.seconds)
        ends = accumulate(outcome.seconds for outcome in quick)
        return tuple(outcome.id for outcome, end in zip(quick, ends, strict=True) if end <= TOGETHER)

    @property
    def added(self) -> tuple[str, ...]:
        """The tests of the new files. Raises SandboxUnavailable."""
        return tuple(name for name in self.before.collected if self._is_new(name))

    @property
    def before(self) -> TestRun:
        """The new tests and those about what changes on the root, as far as they come within the limits. Raises SandboxUnavailable."""
        with self._lock:
            if self.root not in self._runs:
                run = self._run(self.root, self._about)
                self._runs[self.root] = run if run.status != "usage" else self._run(self.root, self.tests)
            return self._runs[self.root]

    def _run(self, state: State, targets: Sequence[str], only: Sequence[str] = ()) -> TestRun:
        if not self.new and not targets:
            return TestRun("empty")
        source = (("PYTHONPATH", "src"),) if any(path.startswith("src/") for path in self._store.files(self.root)) else ()
        job = TestJob(("-q", *self.new, *targets), source, module=True, only=tuple(only), seconds=PER_TEST)
        return run_tests(self._sandbox, self._files(state), job, self._limits)

    @cached_property
    def _about(self) -> tuple[str, ...]:
        """The tests that speak most of what changes, as pytest calls them; the first of each file where none does."""
        found = [
            (-len(self._names & words), place, f"{path}::{name}")
            for path in self.tests
            for place, (name, words) in enumerate(_tests_of(self._store.read(self.root, path)))
        ]
        return tuple(name for _, _, name in sorted(found)[:CHOSEN])

    def _files(self, state: State) -> Files:
        """`state` as a sandbox takes it, its tests as they are in the root."""
        known = self._store.files(self.root)
        changed = {path: file for path, file in self._store.changed(self.root, state).items() if not protected(path, known)}
        return Files(self.root.tree, self._archive, {**changed, **{path: File(data) for path, data in self.new.items()}})

    def _archive(self) -> bytes:
        if self._archived is None:
            self._archived = self._store.archive(self.root)
        return self._archived

    def _is_new(self, test: str) -> bool:
        return test.partition("::")[0] in self.new


class Regression:
    """The share of the passing tests near the change that still pass. No gate: a right change may end an old promise."""

    name = "regression"

    def __init__(self, trials: Trials, weight: float = 1.0) -> None:
        self.weight, self._trials = weight, trials

    def measure(self, state: State, parent: Attempt | None) -> Measurement:  # noqa: ARG002 - the seam's shape
        """Run the tests on `state`. Nothing is known where there are none that pass on the root."""
        passing = self._trials.chosen
        if not passing:
            return Measurement(self.name, 0.0, known=False, feedback="no test near the change passes on the code as it is")
        run = self._trials.on(state)
        broken = broken_so_far(passing, run)
        words = f"newly failing: {', '.join(broken[:5])}" if broken else ""
        facts = {"broken": broken[:20], "count": len(broken), "passing": len(passing), "status": run.status}
        return Measurement(self.name, 1 - len(broken) / len(passing), feedback=words, facts=facts)


def _tests_of(source: bytes) -> Iterator[tuple[str, frozenset[str]]]:
    """The tests of a file as pytest names them, each with the names in it."""
    try:
        body = ast.parse(source).body
    except UNREADABLE:
        return
    classes = [node for node in body if isinstance(node, ast.ClassDef) and _holds_tests(node)]
    inside = [("", node) for node in body] + [(f"{one.name}::", node) for one in classes for node in one.body]
    for above, node in inside:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield above + node.name, frozenset(WORD.findall(ast.unparse(node)))


def _holds_tests(node: ast.ClassDef) -> bool:
    return node.name.startswith("Test") or any(ast.unparse(base).endswith("TestCase") for base in node.bases)


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
