"""Where no check is given: tests written from the issue stand in for it, shown to fail on the code as it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePosixPath

from sandbox.base import Limits, TestRun
from swesearch.agents.reproducer import Reproducer, ReproductionTest
from swesearch.base import Check, Create, State
from swesearch.dialogue import Model
from swesearch.runs import Run
from swesearch.solve.briefing import plain
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.value.checks import CheckRun
from swesearch.value.protect import is_test

NAME = "test_swesearch_reproduction_{}.py"
Attempted = Callable[[str, bytes], TestRun]
FOLDER = "reproduction"  # in the run's folder: the tests that are shipped with the patch


def reproduce(run: Run, bench: Bench, model: Model, record: Record) -> Bench:
    """The bench with the tests in its root: the first is the check, the others are for comparing candidates.

    They are files of the tests, so no candidate can change them, and no patch holds them. Raises NoReproduction, ModelUnavailable.
    """
    record.append("phase", name="reproduce", detail="writing tests that fail because of the issue")
    limits = Limits(seconds=run.settings.sandbox.seconds)

    def check(root: State, path: str) -> CheckRun:
        return CheckRun(bench.store, bench.sandbox, root, Check(("pytest", "-q", path)), limits)

    def attempt(path: str, source: bytes) -> TestRun:
        state = bench.store.apply(bench.root, [Create(path, source)])
        return check(state, path).verify(state, bench.sandbox)

    tests = _known(record) or _written(run, bench, model, record, attempt)
    root = bench.store.apply(bench.root, [Create(test.path, test.source) for test in tests])
    _ship(run, tests)
    record.append("reproduced", root=root.tree, tests=[_row(test) for test in tests])
    first, *others = (check(root, test.path) for test in tests)
    return replace(bench, root=root, checks=(first,), variants=tuple(others))


def _written(run: Run, bench: Bench, model: Model, record: Record, attempt: Attempted) -> tuple[ReproductionTest, ...]:
    folder = _folder(bench)
    paths = [str(folder / NAME.format(number)) for number in range(1, run.settings.agents.variants + 1)]
    found = Reproducer(model, plain(run.task, record), attempt, paths).reproduce()
    for words in found.dropped:
        record.append("warning", text=f"a reproduction test was dropped: {words}")
    for test in found.tests:
        record.show("phase", name="reproduce", detail=f"{test.path} fails: {test.reason}")
    return found.tests


def _folder(bench: Bench) -> PurePosixPath:
    """Where most of the repository's tests are; its top where there are none."""
    folders = Counter(PurePosixPath(path).parent for path in bench.store.files(bench.root) if is_test(path) and path.endswith(".py"))
    return max(folders, key=lambda folder: (folders[folder], -len(folder.parts)), default=PurePosixPath())


def _known(record: Record) -> tuple[ReproductionTest, ...]:
    """What an earlier session of the run wrote."""
    known = record.kept("reproduced")
    rows = known["tests"] if known else ()
    return tuple(ReproductionTest(r["path"], r["source"].encode(), r["reason"], tuple(r["failing"])) for r in rows)


def _row(test: ReproductionTest) -> dict[str, object]:
    return {"path": test.path, "source": test.source.decode(), "reason": test.reason, "failing": list(test.failing)}


def _ship(run: Run, tests: tuple[ReproductionTest, ...]) -> None:
    """Put the tests beside the patch. Their names are ours, whatever folder they are meant for."""
    folder = run.folder / FOLDER
    folder.mkdir(exist_ok=True)
    for test in tests:
        (folder / PurePosixPath(test.path).name).write_bytes(test.source)
