"""Run tests on one side of a pull request: what each of them does, and what could not be found out."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from sandbox.base import File, Files, Limits, Sandbox, TestOutcome, TestRun
from sandbox.environment import missing_module
from sandbox.pytests import TestJob, run_tests
from swesearch.base import State
from swesearch.store import Store
from swesearch.value.checks import BAD
from swesearch.value.tests import wants_network

PER_TEST = 20.0  # CPU seconds for one test: one that takes longer counts as hanging
OVER = "the time for tests was over"
TOGETHER = 8  # files in one process: were it all of them, the nearest would wait until the farthest are collected
SLACK = 3  # times the CPU seconds, by the clock
LEAST = 2.0  # seconds that a run is worth beginning with
NOTHING: Mapping[str, File | None] = {}
ENDED = ("complete", "timeout")
COLLECTION = ("broken", "crashed")  # ways to end in which a test file shows no single test
FOREIGN = (  # errors that tell of the box, which has no network and no services, and not of the code
    *("ConnectionError", "ConnectionRefusedError", "ConnectTimeout", "gaierror", "URLError", "NewConnectionError", "MaxRetryError"),
    *("ProxyError", "SSLError", "TimeoutException", "ConnectError", "OperationalError", "FixtureLookupError"),
)
LACKING = (  # words that tell of it
    r"fixture '[^']*' not found",
    "async def functions are not natively supported",
)


@dataclass(slots=True)
class Seen:
    """What tests did, by id; a file that shows no single test stands for itself. `unknown`: files of which nothing is known, and why."""

    outcomes: dict[str, TestOutcome] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def bad(self) -> Mapping[str, TestOutcome]:
        """What failed."""
        return {name: outcome for name, outcome in self.outcomes.items() if outcome.outcome in BAD}


class Side:
    """A state of the repository and the sandbox for it. `fresh` makes another sandbox that nothing has run in."""

    def __init__(self, store: Store, state: State, sandbox: Sandbox, fresh: Callable[[], Sandbox]) -> None:
        self.store, self.state, self.sandbox, self.fresh = store, state, sandbox, fresh
        self._archive = cache(lambda: store.archive(state))
        self._source = any(path.startswith("src/") for path in store.files(state)) and "src/__init__.py" not in store.files(state)

    def has(self, path: str) -> bool:
        """Whether there is such a file, or a folder."""
        files = self.store.files(self.state)
        return path in files or any(name.startswith(f"{path}/") for name in files)

    def run(
        self, targets: Sequence[str], seconds: float, changed: Mapping[str, File | None] = NOTHING, sandbox: Sandbox | None = None
    ) -> TestRun:
        """pytest on these targets, in this order, in a process of its own, with other files laid over. Raises SandboxUnavailable.

        `seconds` are of CPU; by the clock it may take three times as long, for other things run on the machine.
        """
        env = (("PYTHONPATH", "src"),) if self._source else ()
        job = TestJob(("-q", "--continue-on-collection-errors", *targets), env, module=True, seconds=PER_TEST)
        files = Files(self.state.tree, self._archive, changed)
        return run_tests(sandbox or self.sandbox, files, job, Limits(SLACK * seconds, seconds))

    def look(self, paths: Sequence[str], seconds: float, changed: Mapping[str, File | None] = NOTHING) -> Seen:
        """What the tests in these files do, the first ones first, until the time is over. Raises SandboxUnavailable.

        While others wait, a process gets no more than half of the time that is left: one test that hangs does not cost them theirs.
        """
        until, seen, left, together = time.monotonic() + SLACK * seconds, Seen(), list(paths), True
        while left and (rest := until - time.monotonic()) >= LEAST:
            some = left[: TOGETHER if together else 1]
            run = self.run(some, rest / SLACK / (2 if len(left) > 1 else 1), changed)
            done = some if run.status == "complete" or len(some) == 1 else _told(run, some)
            together = together and bool(done)  # else it is not known which file ended the run: one by one
            self._take(seen, run, done)
            left = [path for path in left if path not in done]
        seen.unknown.update(dict.fromkeys(left, OVER))
        return seen

    def _take(self, seen: Seen, run: TestRun, paths: Sequence[str]) -> None:
        """Put down what a run says of files."""
        named = {outcome.id.partition("::")[0] for outcome in run.outcomes}
        if run.status in ENDED:
            _read(seen, run, paths)
        for path in paths if run.status not in ENDED else ():
            if path in named:
                seen.outcomes.update({each.id: each for each in run.outcomes if each.id.partition("::")[0] == path})
            else:
                _alone(seen, run, path, self.has)


def _told(run: TestRun, paths: Sequence[str]) -> list[str]:
    """The files that a run tells of which did not come to its end: those whose tests it ran, and the one that could not be collected."""
    broken = run.detail.partition(": ")[0].partition("::")[0]
    ran = {outcome.id.partition("::")[0] for outcome in run.outcomes}
    return [path for path in paths if path == broken or path in ran] if run.status in ("broken", "timeout") else []


def _read(seen: Seen, run: TestRun, paths: Sequence[str]) -> None:
    """Take over the outcomes of a run; files that it did not come to the end of are unknown too."""
    found = [outcome for outcome in run.outcomes if outcome.id]
    if run.status == "timeout":
        last = found[-1].id.partition("::")[0] if found else ""
        if found and found[-1].error == "Timeout":
            found.pop()  # cut short by the end of the whole run, which is not its own fault
        ended = {outcome.id.partition("::")[0] for outcome in found} - {last}
        seen.unknown.update({path: OVER for path in paths if path not in ended})
    seen.outcomes.update({outcome.id: outcome for outcome in found})


def _alone(seen: Seen, run: TestRun, path: str, has: Callable[[str], bool]) -> None:
    """A file whose tests could not be run one by one: broken by the code, or nothing that tells of it."""
    if module := _foreign(run.detail, has):
        seen.unknown[path] = f"the module {module} is not installed in the sandbox"
    elif run.status in COLLECTION:
        kind = run.detail.partition(": ")[2].partition(":")[0] if run.status == "broken" else "Crash"
        seen.outcomes[path] = TestOutcome(path, "error", error=kind, message=run.detail, frames=run.frames)
    elif run.status != "empty":
        seen.unknown[path] = f"{run.status}: {run.detail[:200]}"


def tells_of_the_box(outcome: TestOutcome, has: Callable[[str], bool]) -> bool:
    """Whether a failure may come of what the sandbox lacks: network, services, plugins, modules."""
    if outcome.error in FOREIGN or wants_network(outcome) or any(re.search(words, outcome.message) for words in LACKING):
        return True
    return outcome.error in ("ModuleNotFoundError", "ImportError") and bool(_foreign(outcome.message, has))


def _foreign(words: str, has: Callable[[str], bool]) -> str:
    """The module of somebody else that is said to be missing."""
    module = missing_module(words)
    homes = ("", "src/", "lib/")
    return module if module and not any(has(f"{home}{module}{end}") for home in homes for end in ("", ".py")) else ""
