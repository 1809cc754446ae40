"""The task's checks on states of its repository: what fails on the root, what passes near it, and both on any other state."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from random import SystemRandom
from typing import Literal

from sandbox.base import Command, File, Files, Frame, Limits, Sandbox, TestOutcome, TestRun
from sandbox.commands import job_of
from sandbox.environment import missing_module
from sandbox.plain import PlainRun, run_plain
from sandbox.pytests import LEVELS, TestJob, Warm, run_tests
from swesearch.base import Check, CheckPasses, CheckUnusable, State
from swesearch.store import Store
from swesearch.value.disguise import Disguise, disguise
from swesearch.value.protect import protected

COMMAND = "command"  # the one test id of a check that is not a Python test command
COLLECTION = "collection"  # the one test id of a check whose tests cannot be collected because of the bug
TRACEBACK = re.compile(r'File "([^"]+)", line (\d+), in (\S+)')
COLLECTED = re.compile(r"(^|/)(test_[^/]*|[^/]*_test)\.py$")  # what pytest looks into, where nothing else is configured
VALUED = frozenset({"-o", "-k", "-m", "-p", "-c", "-W", "-n", "--tb", "--maxfail", "--deselect", "--ignore", "--rootdir", "--durations"})
BAD = frozenset({"failed", "error"})
CUT = "Timeout"  # the error of a test that was cut short
QUICK = 0.4  # CPU seconds for a test on the root, where nothing shows that it needs more
TRACED, SLOWER = 1.2, 2.0  # for a test that hangs, where lines or types are recorded: at most, and times what a candidate's test may use
TRACING = 40.0  # times what a test took that did not hang: recording makes it 10 to 20 times as slow, and a loaded machine more
PER_TEST = 6  # a test that seems to hang gets this fraction of what a whole run may use, before it is believed: levenshtein needs 4 s of 60
SLOW, SLOW_BESIDE = 0.1, 20.0  # a failing test is slow that takes longer than both: so many seconds, so many times the fastest
TYPICAL = 0.03  # CPU seconds that a test is taken to need where all of them hang
SLACK, FLOOR, SHORTEST = 5.0, 2.0, 0.2  # a candidate may use this many times the root's CPU seconds; no less for a run, for a test


Widen = Callable[[TestJob], tuple[str, ...]]  # what to run instead of the job's own arguments


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a check says about the root."""

    failing: Mapping[str, TestOutcome]  # by test id: they are to pass (FAIL_TO_PASS)
    passing: tuple[str, ...]  # ids near them that pass and shall go on to do so (PASS_TO_PASS)
    limits: Limits  # for a candidate's run
    per_test: float  # CPU seconds for each of its tests


class CheckRun:
    """One check on states of one repository. A state's edits to the check's own files are laid aside before each run."""

    def __init__(self, store: Store, sandbox: Sandbox, root: State, check: Check, limits: Limits, where: str = "") -> None:
        self.check = check
        self._where = where or "the environment"
        self.store = store
        self._sandbox = sandbox
        self.root = root
        self._limits = limits
        self._warm = Warm()
        self._archived: bytes | None = None
        self._known: dict[tuple[str, ...], TestRun] = {}  # what tests elsewhere do on the root, by what pytest is told
        self._lock, self._asking = threading.Lock(), threading.Lock()
        job = job_of(check.command, self._exists)
        self._job = job and replace(job, module=True, env=self._import_path(job), seconds=QUICK)

    @cached_property
    def baseline(self) -> Baseline:
        """The check on the root. Raises CheckPasses, CheckUnusable or SandboxUnavailable."""
        first = self._patient(self._fresh(self.root, self._sandbox, _as_given, QUICK, self._warm))
        failing = self._failing(first)
        again = self._again(first, failing)
        known = {outcome.id: outcome.outcome for outcome in again.outcomes}
        if (
            again.status == "complete"
            and (steady := {name: o for name, o in failing.items() if known.get(name) in (None, *BAD)}) != failing
        ):
            failing = steady or self._refuse("it is flaky: it failed once and passed once on the same code")
        failing = _cheap_first(failing)
        passing = tuple(name for name, outcome in known.items() if outcome == "passed" and name not in failing)
        return Baseline(failing, passing, self._candidate_limits(first, again), self._per_test(first, again))

    def _patient(self, run: TestRun) -> TestRun:
        """`run`, or the same with more time for each test where one of those that were cut short turns out to be only slow."""
        cut = [outcome.id for outcome in run.outcomes if outcome.error == CUT]
        if not cut or self._job is None:
            return run
        quick, self._job = self._job, replace(self._job, seconds=self._patience)
        if any(outcome.error == CUT for outcome in self._run(self.root, self._limits, only=cut[:1]).outcomes):
            self._job = quick
            return run
        return self.verify(self.root, self._sandbox)

    @property
    def _patience(self) -> float:
        """CPU seconds for a test where a wrong verdict would be worse than a long wait."""
        return self._limits.seconds / PER_TEST

    def _again(self, first: TestRun, failing: Mapping[str, TestOutcome]) -> TestRun:
        """A second run on the root, as warm as candidates will be: of the whole files that the check names, but not of tests known to hang.

        Where it does not bear out the first a cold one is asked, and warm runs are believed no more if that sides with the first.
        """
        whole = self.is_whole and first.status == "complete"
        quick = [name for name in first.collected if name not in failing or failing[name].error != CUT] if whole else []
        if self._job is None or (whole and not quick):
            return first
        again = self._run(self.root, self._limits, only=quick)
        if again.level != "fresh" and not _bears_out(again, first):
            warm, self._warm = self._warm, Warm(refused=dict.fromkeys(LEVELS[:-1], "it tells of the root what a cold run does not"))
            again = self._run(self.root, self._limits, only=quick)
            self._warm = self._warm if _bears_out(again, first) else warm
        return again

    def failing(self, state: State, *, stop: bool) -> TestRun:
        """The tests that fail on the root, run on `state`; up to the first failure if `stop`."""
        return self._tried(state, tuple(self.baseline.failing), stop=stop)

    def nearby(self, state: State) -> TestRun | None:
        """The tests in the same files that pass on the root, run on `state`; None where there are none."""
        return self._tried(state, self.baseline.passing, stop=False) if self.baseline.passing else None

    def _tried(self, state: State, only: Sequence[str], *, stop: bool) -> TestRun:
        """A candidate's run: little time for an endless loop. What passes is verified with all the time there is."""
        return self._run(state, self.baseline.limits, only=only, stop=stop, seconds=self.baseline.per_test)

    def traced(self, state: State, trace: Literal["lines", "types"], focus: Mapping[str, Sequence[int]], only: Sequence[str]) -> TestRun:
        """`only` these tests on `state`, with executed lines or runtime types recorded. A check that is no Python test has no trace."""
        aim = tuple((path, tuple(lines)) for path, lines in focus.items())
        failing = [outcome for name, outcome in self.baseline.failing.items() if name in only]
        run = self._run(state, self._limits, only=tuple(only), trace=trace, focus=aim, seconds=self._tracing(failing))
        return run if state != self.root else replace(run, outcomes=tuple(self._as_untraced(outcome) for outcome in run.outcomes))

    def _tracing(self, failing: Sequence[TestOutcome]) -> float:
        """CPU seconds for a test under a tracer."""
        if any(outcome.error == CUT for outcome in failing):
            return min(TRACED, SLOWER * self.baseline.per_test)
        return min(self._limits.seconds / 2, max(TRACED, TRACING * max((outcome.seconds for outcome in failing), default=0.0)))

    def _as_untraced(self, outcome: TestOutcome) -> TestOutcome:
        """What a test of the root says without a tracer, where it was cut short under one."""
        known = self.baseline.failing.get(outcome.id)
        return replace(known, lines=outcome.lines) if known and outcome.error == CUT else outcome

    def verify(self, state: State, sandbox: Sandbox) -> TestRun:
        """The plain check as the user gave it, in a process of its own in `sandbox`."""
        return self._fresh(state, sandbox, _as_given, self._patience)

    def plainly(self, state: State, sandbox: Sandbox) -> PlainRun | None:
        """The check by its own command and nothing of ours; None where it is no Python test, and always run so."""
        if self._job is None:
            return None
        path = dict(self._job.env).get("PYTHONPATH", "")
        return run_plain(sandbox, self.files(state), self.check.command, self._limits, path, plugins=self._warm.autoload is not False)

    def disguised(self, names: Sequence[str]) -> Disguise:
        """Copies of tests under names that nobody can know."""
        paths = dict.fromkeys(name.partition("::")[0] for name in names if "::" in name)
        sources = {path: self.store.read(self.root, path) for path in paths if self._exists(path)}
        return disguise(sources, names, SystemRandom())

    def in_disguise(self, state: State, sandbox: Sandbox, tests: Disguise) -> TestRun:
        """These tests on `state`, all together, in a process of their own in `sandbox`."""
        assert self._job
        job = replace(self._job, args=(*_no_targets(self._job), *tests.files), only=(*tests.same, *tests.twisted), seconds=self._patience)
        files = self.files(state)
        changed = {**files.changed, **{path: File(source) for path, source in tests.files.items()}}
        return run_tests(sandbox, replace(files, changed=changed), job, self._limits)

    @property
    def is_whole(self) -> bool:
        """Whether the check runs all tests of the files that it names."""
        return self._job is None or list(_files(self._job)) == _targets(self._job)

    def whole_files(self, state: State, sandbox: Sandbox) -> TestRun:
        """All tests in the files that the check names, in a process of their own in `sandbox`."""
        return self._elsewhere(state, sandbox, _whole_files, ())

    def instead(self, state: State, path: str, source: bytes) -> TestRun:
        """The tests of `source` on `state`, where it stands in for the test file `path`. They have little time: they are many."""
        if self._job is None:
            return TestRun("empty")
        options = (*_no_targets(self._job), path)
        job = replace(self._job, args=options, seconds=min(self.baseline.per_test, SHORTEST))
        limits = replace(self.baseline.limits, cpu_seconds=FLOOR)
        files = self.files(state)
        warm = Warm(self._warm.modules, self._warm.own, self._warm.autoload, refused={"swap": "its tests are not those of the root"})
        changed = {**files.changed, path: File(source)}
        return run_tests(self._sandbox, replace(files, changed=changed), job, limits, warm)

    def rest(self, state: State, sandbox: Sandbox) -> TestRun | None:
        """The repository's tests in other files, in a process of its own in `sandbox`; None where the check is no Python test."""
        return self._elsewhere(state, sandbox, _other_files, ()) if self._job and self._others else None

    def near(self, state: State, sandbox: Sandbox, paths: Sequence[str], only: Sequence[str] = ()) -> TestRun:
        """The tests in these files, the first ones first, as far as they come; or `only` these of them. The check's own are left out."""
        others = tuple(path for path in paths if self._job and path not in _files(self._job))
        return self._elsewhere(state, sandbox, lambda job: (*_no_targets(job), *others), only) if others else TestRun("empty")

    def _elsewhere(self, state: State, sandbox: Sandbox, widen: Widen, only: Sequence[str]) -> TestRun:
        """Tests beyond those that the check names. What they do on the root is asked once."""
        assert self._job
        asked = widen(self._job)
        if state != self.root:
            return self._fresh(state, sandbox, widen, self._patience, only=only)
        with self._asking:
            if asked not in self._known:
                self._known[asked] = self._fresh(state, sandbox, widen, self._patience)
            return self._known[asked]

    @cached_property
    def _others(self) -> bool:
        """Whether the repository has test files that the check does not name."""
        named = _files(self._job) if self._job else ()
        return any(COLLECTED.search(path) and path not in named for path in self.store.files(self.root))

    def files(self, state: State) -> Files:
        """`state` as a sandbox takes it, the check's own files as they are in the root."""
        known = self.store.files(self.root)
        outside = {name.partition(".")[0] for name in self._warm.modules or ()} - {*self._warm.own}
        changed = {path: file for path, file in self.store.changed(self.root, state).items() if not protected(path, known, outside)}
        return Files(self.root.tree, self._archive, changed)

    def _run(self, state: State, limits: Limits, only: Sequence[str] = (), **how: object) -> TestRun:
        """The whole of the files that the check names, or `only` these tests of them, as warm as can be."""
        if self._job is None:
            return self._plain(self._sandbox, state, limits)
        wanted = () if COLLECTION in only else tuple(only)
        job = replace(self._job, args=_whole_files(self._job), only=wanted, **how)  # type: ignore[arg-type]
        return run_tests(self._sandbox, self.files(state), job, limits, self._warm)

    def _fresh(
        self, state: State, sandbox: Sandbox, widen: Widen, seconds: float, learns: Warm | None = None, only: Sequence[str] = ()
    ) -> TestRun:
        """A run in a process of its own."""
        if self._job is None:
            return self._plain(sandbox, state, self._limits)
        job = replace(self._job, args=widen(self._job), seconds=seconds, only=tuple(only))
        return run_tests(sandbox, self.files(state), job, self._limits, learns)

    def _plain(self, sandbox: Sandbox, state: State, limits: Limits) -> TestRun:
        """A check that is no Python test: its exit status is all there is."""
        result = sandbox.run(self.files(state), Command(self.check.command), limits)
        if result.status != "done":
            return TestRun(result.status, result=result)
        words = (result.stderr or result.stdout)[-4096:].decode(errors="replace")
        failed = TestOutcome(COMMAND, "failed", error=f"exit status {result.exit_code}", message=words, frames=self._frames(words))
        outcome = failed if result.exit_code else TestOutcome(COMMAND, "passed")
        return TestRun("complete", (outcome,), (COMMAND,), detail=words, result=result)

    def _import_path(self, job: TestJob) -> tuple[tuple[str, str], ...]:
        """The job's variables, with src/ on the import path: the code under test is not installed, or elsewhere and unedited."""
        env = dict(job.env)
        if self._exists("src") and not self._exists("src/__init__.py"):
            env["PYTHONPATH"] = ":".join(filter(None, (env.get("PYTHONPATH"), "src")))
        return tuple(env.items())

    def _frames(self, words: str) -> tuple[Frame, ...]:
        """The traceback that a command printed, as far as it names files of the repository."""
        found = []
        for path, line, function in TRACEBACK.findall(words):
            inside = next((name for name in _endings(path) if self._exists(name)), None)
            found += [Frame(inside, int(line), function)] if inside else []
        return tuple(found)

    def _archive(self) -> bytes:
        with self._lock:
            self._archived = self._archived or self.store.archive(self.root)
            return self._archived

    def _exists(self, path: str) -> bool:
        files = self.store.files(self.root)
        return path in files or any(name.startswith(path.rstrip("/") + "/") for name in files)

    def _failing(self, run: TestRun) -> Mapping[str, TestOutcome]:
        """What fails on the root, by test id. Raises CheckPasses or CheckUnusable."""
        if run.passed:
            raise CheckPasses(f"`{self._words}` already passes: there is nothing to repair")
        if run.status == "broken" and not self._missing(run.detail):
            return {COLLECTION: TestOutcome(COLLECTION, "error", message=run.detail, frames=run.frames)}
        if run.status not in ("complete", "timeout"):
            self._refuse(f"{run.status}: {run.detail}" if run.detail else run.status)
        if self._job is None and run.result and run.result.exit_code in (126, 127):
            self._refuse(f"the command is not in {self._where}: {run.detail.strip()}")
        failing = {outcome.id: outcome for outcome in run.outcomes if outcome.outcome in BAD}
        for outcome in failing.values():
            self._missing(outcome.message if outcome.error in ("ModuleNotFoundError", "ImportError") else "")
        return failing or self._refuse(run.detail or "every test was skipped")

    def _missing(self, detail: str) -> bool:
        """False, or raises CheckUnusable where a module is not installed."""
        module = missing_module(detail)
        if module and not any(self._exists(place) for place in (module, f"{module}.py", f"src/{module}", f"src/{module}.py")):
            self._refuse(f"the module {module} is not installed in {self._where}; --python, --setup or --image name one that has it")
        return False

    def _refuse(self, why: str) -> Mapping[str, TestOutcome]:
        raise CheckUnusable(f"`{self._words}` cannot be used on this code: {why}")

    @property
    def _words(self) -> str:
        return " ".join(self.check.command)

    def _per_test(self, *runs: TestRun) -> float:
        """Many times what the slowest test on the root took that did not hang."""
        took = [outcome.seconds for run in runs for outcome in run.outcomes if outcome.error != CUT]
        return max(SHORTEST, SLACK * max(took, default=TYPICAL))

    def _candidate_limits(self, *runs: TestRun) -> Limits:
        """Enough for whatever the root's tests needed, and little for an endless loop."""
        used = max((run.result.cpu_seconds for run in runs if run.result and run.status == "complete"), default=0.0)
        seconds = min(self._limits.seconds, max(FLOOR, used * SLACK))
        return replace(self._limits, seconds=min(self._limits.seconds, 3 * seconds), cpu_seconds=seconds)


def _bears_out(again: TestRun, first: TestRun) -> bool:
    """Whether a second run is complete and says the same of each test that the first ran, if the first was complete."""
    known = {outcome.id: outcome.outcome for outcome in again.outcomes}
    same = all(known.get(each.id) in (None, each.outcome) for each in first.outcomes)
    return same and again.status == (first.status if first.status in ("complete", "broken") else again.status)


def _cheap_first(failing: Mapping[str, TestOutcome]) -> dict[str, TestOutcome]:
    """In the tests' own order, but what is slow beside the others after them, and what hangs last: the first failure ends most runs."""
    slow = slow_beside(failing)
    return dict(sorted(failing.items(), key=lambda item: (item[1].error == CUT, item[0] in slow)))


def slow_beside(failing: Mapping[str, TestOutcome]) -> frozenset[str]:
    """The failing tests that end, but take long beside the fastest of them."""
    most = max(SLOW, SLOW_BESIDE * min((outcome.seconds for outcome in failing.values()), default=0.0))
    return frozenset(name for name, outcome in failing.items() if outcome.seconds > most and outcome.error != CUT)


def _endings(path: str) -> Iterator[str]:
    """The path, and what is left of it without its first folders: a box has the repository somewhere of its own."""
    parts = path.lstrip("/").split("/")
    yield from ("/".join(parts[start:]) for start in range(len(parts)))


def _as_given(job: TestJob) -> tuple[str, ...]:
    """The job's own arguments."""
    return job.args


def _targets(job: TestJob) -> list[str]:
    """What the job's arguments name to be run."""
    return [arg for before, arg in pairwise(("", *job.args)) if not arg.startswith("-") and before not in VALUED]


def _no_targets(job: TestJob) -> tuple[str, ...]:
    """The job's options alone: pytest finds its tests itself."""
    return tuple(arg for before, arg in pairwise(("", *job.args)) if arg.startswith("-") or before in VALUED)


def _other_files(job: TestJob) -> tuple[str, ...]:
    """The job's options, and its files left out."""
    return (*_no_targets(job), *(f"--ignore={path}" for path in _files(job)))


def _whole_files(job: TestJob) -> tuple[str, ...]:
    """The job's arguments with each target widened to its file."""
    return (*_no_targets(job), *_files(job))


def _files(job: TestJob) -> tuple[str, ...]:
    """The files of the job's targets, each once."""
    return tuple(dict.fromkeys(target.split("::")[0] for target in _targets(job)))
