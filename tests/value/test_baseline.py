"""What a check says about the code as it is, and how it is asked."""

import sys

import pytest

from sandbox.base import Environment, Limits
from sandbox.commands import job_of
from sandbox.local import LocalSandbox
from swesearch.base import Check, Create
from swesearch.store import Store
from swesearch.value.checks import CheckRun, _other_files, _whole_files

CODE = """\
import os

BEGAN = os.getpid()


def double(number):
    return number + 1
"""
TESTS = """\
import os

import code_under_test as code


def test_double():
    assert code.double(2) == 4


def test_other():
    assert {condition}
"""


SLOW = """\
def double(number):
    for each in range(4_000_000):
        if each < 0:
            return number
    return undefined
"""
LAST = 5  # the line of it that fails
TENTH = """\
from time import process_time


def double(number):
    began = process_time()
    while process_time() - began < 1.2:
        pass
    return undefined
"""


@pytest.fixture
def check_run(tmp_path):
    boxes = []

    def make(condition, command=("pytest", "-q", "test_code.py"), code=CODE, seconds=30):
        repo = tmp_path / "repo"
        repo.mkdir()
        (repo / "code_under_test.py").write_text(code)
        (repo / "test_code.py").write_text(TESTS.format(condition=condition))
        boxes.append(LocalSandbox(Environment(python=sys.executable), slots=1))
        store = Store.open(repo, tmp_path / "store", plain=True)
        return CheckRun(store, boxes[0], store.root(), Check(command), Limits(seconds=seconds))

    yield make
    for box in boxes:
        box.close()


def test_the_second_run_on_the_root_is_as_warm_as_those_of_candidates(check_run):
    check = check_run("code.double(1) == 2")
    assert set(check.baseline.failing) == {"test_code.py::test_double"}
    assert check.failing(check.root, stop=False).level == "swap"


def test_where_a_warm_run_tells_of_the_root_what_a_cold_one_does_not_warm_runs_are_believed_no_more(check_run):
    check = check_run("os.getpid() == code.BEGAN")  # false in the fork of a process that had the module already
    assert check.baseline.passing == ("test_code.py::test_other",)
    assert check.nearby(check.root).level == "fresh"


def test_a_test_that_takes_a_tenth_of_all_the_time_fails_for_its_own_reason(check_run):
    """It does not count as hanging: every edit would, too."""
    check = check_run("True", code=TENTH, seconds=12)
    assert check.baseline.failing["test_code.py::test_double"].error == "NameError"
    assert check.baseline.per_test > 2


def test_a_test_that_a_tracer_makes_slow_is_given_the_time_to_fail_as_it_does_without(check_run):
    check = check_run("True", code=SLOW)
    (traced,) = check.traced(check.root, "lines", {}, tuple(check.baseline.failing)).outcomes[:1]
    assert (traced.error, LAST in traced.lines["code_under_test.py"]) == ("NameError", True)


def test_one_that_a_tracer_makes_too_slow_says_what_it_says_without(check_run):
    """That it was cut short tells nothing of the bug, and its traceback leads elsewhere."""
    check = check_run("True", code=SLOW, seconds=2)
    (traced,) = [test for test in check.traced(check.root, "lines", {}, tuple(check.baseline.failing)).outcomes if test.outcome == "failed"]
    assert (traced.error, traced.frames[-1].line) == ("NameError", LAST)


def test_a_new_module_does_not_stand_in_for_one_that_the_tests_take_from_elsewhere(check_run):
    """Tests that rely on a library would believe whatever a file of its name says."""
    check = check_run("__import__('idna').encode('a') == b'a'")
    assert set(check.baseline.failing) == {"test_code.py::test_double"}
    fake = b"import code_under_test\n\ncode_under_test.double = lambda number: 4\n"
    state = check.store.apply(check.root, [Create("idna/__init__.py", fake), Create("mine.py", b"x = 1\n")])
    assert list(check.files(state).changed) == ["mine.py"]


def test_an_options_value_is_no_file_of_tests(check_run):
    """Else what passes beside the failing tests would not be known, and could be broken unseen."""
    check = check_run("code.double(1) == 2", ("pytest", "-q", "-o", "addopts=", "-k", "t", "test_code.py"))
    assert set(check.baseline.failing) == {"test_code.py::test_double"}
    assert check.baseline.passing == ("test_code.py::test_other",)
    assert check.rest(check.root, check._sandbox).status == "empty"


def test_a_unittest_command_keeps_its_options_whatever_is_run_instead():
    job = job_of(["python", "-m", "unittest", "test_code.TestA", "test_code.TestB"], {"test_code.py"}.__contains__)
    options = job.args[: job.args.index("--noconftest") + 1]
    assert _whole_files(job) == (*options, "test_code.py")
    assert _other_files(job) == (*options, "--ignore=test_code.py")
