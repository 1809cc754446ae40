"""What a traced run sees: executed lines per test, and the types of what stands on chosen lines."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from sandbox.base import Environment, Kind, Limits, TestRun
from sandbox.local import LocalSandbox
from sandbox.pytests import TestJob, Warm, run_tests
from tests.sandbox.trees import files_of

LIMITS = Limits(seconds=30)
CODE = """import os


class Slotted:
    __slots__ = ("depth",)

    def __init__(self):
        self.depth = 3


class Holder:
    def __init__(self, size):
        self.size = size
        self.names = ["a", "b"]

    @property
    def trap(self):
        raise SystemExit("a property was read")

    def __repr__(self):
        raise SystemExit("a repr was asked for")

    def __getattr__(self, name):
        raise SystemExit("an attribute was asked for")

    def use(self, slotted):
        total = self.size + slotted.depth
        if total > 100:
            return 0
        return os.sep.lower() + total


def forever():
    count = 0
    while True:
        count += 1
        if count < 0:
            return
"""
TREE = {
    "code.txt": "",
    "holding.py": CODE,
    "test_holding.py": "import threading\n"
    "from holding import Holder, Slotted, forever\n"
    "def test_use(): Holder(1).use(Slotted())\n"
    "def test_make(): Holder(1)\n"
    "def test_thread():\n"
    "    thread = threading.Thread(target=Holder, args=(1,)); thread.start(); thread.join()\n"
    "def test_forever(): forever()\n",
}

TOLD = """import sys
from swesearch_probe.tracing import lines_of


def plain():
    return [1]


def closed(found=()):
    for number in range(2):

        def inner():
            return number

        found += (inner(),)
    return found


def yielding():
    for number in range(2):
        yield number


def test_told():
    told = {}

    def trace(frame, event, _):
        if event == "line":
            told.setdefault(frame.f_code, set()).add(frame.f_lineno)
        return trace

    sys.settrace(trace)
    for function in (plain, closed, yielding):
        list(function())
    sys.settrace(None)
    assert len(told) == 4
    assert {code: lines_of(code) for code in told} == told
"""


@pytest.fixture(scope="module")
def box() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Environment(python=sys.executable), slots=1)
    yield sandbox
    sandbox.close()


def lines(run: TestRun) -> dict[str, tuple[int, ...]]:
    return {o.id.rpartition("::")[2]: o.lines.get("holding.py", ()) for o in run.outcomes}


@pytest.fixture(scope="module")
def types(box: LocalSandbox) -> TestRun:
    job = TestJob(only=("test_holding.py::test_use",), trace="types", focus=(("holding.py", ()),))
    return run_tests(box, files_of(TREE), job, LIMITS)


def test_each_test_has_the_lines_that_it_executed(box: LocalSandbox) -> None:
    job = TestJob(only=tuple("test_holding.py::" + name for name in ("test_use", "test_make", "test_thread")), trace="lines")
    run = run_tests(box, files_of(TREE), job, LIMITS)
    assert run.status == "complete"
    seen = lines(run)
    assert seen["test_use"] == (8, 13, 14, 27, 28, 30)
    assert seen["test_make"] == (13, 14)
    assert seen["test_thread"] == (13, 14)
    assert seen[""][:3] == (1, 4, 5)
    assert not {27, 34} & set(seen[""])


def test_the_tests_own_lines_are_told_and_nothing_from_outside(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(TREE), TestJob(only=("test_holding.py::test_make",), trace="lines"), LIMITS)
    made = next(o for o in run.outcomes if o.id.endswith("test_make"))
    assert made.lines["test_holding.py"] == (4,)
    assert {path for o in run.outcomes for path in o.lines} == {"holding.py", "test_holding.py"}


def test_the_lines_of_imports_are_no_test_that_passed(box: LocalSandbox) -> None:
    run = run_tests(box, files_of({"test_a.py": "import pytest\n@pytest.mark.skip\ndef test_a(): pass\n"}), TestJob(trace="lines"), LIMITS)
    assert "" in {o.id for o in run.outcomes}
    assert not run.passed


def test_the_lines_that_are_waited_for_are_those_that_a_tracer_is_told(box: LocalSandbox) -> None:
    run = run_tests(box, files_of({"test_told.py": TOLD}), TestJob(), LIMITS)
    assert run.passed, [o.message for o in run.outcomes]


def test_a_run_that_is_cut_short_has_told_what_it_saw(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(TREE), TestJob(trace="lines"), Limits(seconds=3))
    assert run.status == "timeout"
    assert lines(run)["test_forever"] == (34, 35, 36, 37)
    assert lines(run)["test_make"] == (13, 14)


def test_a_warm_run_sees_the_same_lines(box: LocalSandbox) -> None:
    warm = Warm()
    job = TestJob(only=("test_holding.py::test_use",), trace="lines")
    runs = [run_tests(box, files_of(TREE), job, LIMITS, warm) for _ in range(2)]
    assert [run.level for run in runs] == ["fresh", "imports"]
    assert lines(runs[0]) == lines(runs[1])


def test_variables_attributes_and_chains_have_their_types(types: TestRun) -> None:
    seen = {text: kinds[0] for text, kinds in types.types["holding.py:27"].items()}
    assert {text: kind.name for text, kind in seen.items()} == {
        "self": "Holder",
        "slotted": "Slotted",
        "self.size": "int",
        "self.names": "list",
        "slotted.depth": "int",
    }
    assert seen["self.names"].sample == "['a', 'b']"
    assert seen["slotted.depth"].sample == "3"


def test_a_module_on_a_line_is_told_with_what_is_taken_from_it(types: TestRun) -> None:
    seen = types.types["holding.py:30"]
    assert seen["os"][0].name == "module"
    assert (seen["os.sep"][0].name, seen["os.sep"][0].sample) == ("str", "'/'")
    assert "lower()" in seen["os.sep"][0].attributes


def test_attributes_are_found_without_running_the_code_of_their_class(types: TestRun) -> None:
    assert types.status == "complete"
    assert types.types["holding.py:27"]["self"] == (Kind("Holder", ("size", "names", "trap", "use()")),)
    assert types.types["holding.py:27"]["slotted"] == (Kind("Slotted", ("depth",)),)


def test_only_the_lines_asked_for_and_the_frames_of_the_failure_are_profiled(box: LocalSandbox) -> None:
    job = TestJob(only=("test_holding.py::test_use",), trace="types", focus=(("holding.py", (28,)),))
    run = run_tests(box, files_of(TREE), job, LIMITS)
    assert set(run.types) == {"holding.py:28", "holding.py:30", "test_holding.py:3"}


def test_one_line_tells_a_bounded_number_of_kinds(box: LocalSandbox) -> None:
    tree = {"test_a.py": "def test_a():\n    for x in [1, 'a', None, 2.0, b'', (), 3] * 1000:\n        y = x\n"}
    run = run_tests(box, files_of(tree), TestJob(trace="types", focus=(("test_a.py", ()),)), LIMITS)
    assert [kind.name for kind in run.types["test_a.py:3"]["x"]] == ["int", "str", "NoneType", "float"]
