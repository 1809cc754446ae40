"""What a user types, in pytest's words."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator

import pytest

from sandbox.base import Environment, Limits
from sandbox.commands import PLAIN, TestJob, job_of, words_of
from sandbox.local import LocalSandbox
from sandbox.pytests import run_tests
from tests.sandbox.trees import files_of

TREE = {
    "tests/__init__.py": "",
    "tests/test_a.py": "import unittest\n\nclass C(unittest.TestCase):\n"
    "    def test_x(self): self.assertTrue(1)\n    def test_y(self): self.fail('y')\n\n\n"
    "def test_not_unittest(): assert False\n",
    "tests/conftest.py": "raise RuntimeError('unittest does not know this file')\n",
}


def read(command: str) -> TestJob | None:
    return job_of(shlex.split(command), lambda path: path in TREE)


@pytest.mark.parametrize("tool", ["pytest", "py.test", "/opt/venv/bin/pytest", "pytest-3"])
def test_pytest_keeps_its_words(tool: str) -> None:
    assert read(tool + " -q -k 'a or b' tests/test_a.py::C") == TestJob(("-q", "-k", "a or b", "tests/test_a.py::C"))


@pytest.mark.parametrize("python", ["python", "python3", "python3.12", "/usr/bin/python3", "python -B -s"])
def test_pytest_as_a_module_has_the_root_on_its_path(python: str) -> None:
    assert read(python + " -m pytest -x tests") == TestJob(("-x", "tests"), module=True)


def test_assignments_before_the_command_are_kept() -> None:
    job = TestJob(("-q",), env=(("PYTHONPATH", "src"), ("TZ", "UTC")))
    assert read("PYTHONPATH=src TZ=UTC pytest -q") == job
    assert read("env PYTHONPATH=src TZ=UTC pytest -q") == job


@pytest.mark.parametrize(
    ("words", "targets"),
    [
        ("tests.test_a", ("tests/test_a.py",)),
        ("-v tests.test_a.C", ("tests/test_a.py::C",)),
        ("-f tests.test_a.C.test_x", ("-x", "tests/test_a.py::C::test_x")),
        ("tests/test_a.py", ("tests/test_a.py",)),
        ("tests", ("tests",)),
        ("", (".", "-o", "python_files=test*.py")),
        ("discover", (".", "-o", "python_files=test*.py")),
        ("discover -s tests -p 'check_*.py'", ("tests", "-o", "python_files=check_*.py")),
        ("discover tests", ("tests", "-o", "python_files=test*.py")),
    ],
)
def test_unittest_is_put_in_the_words_of_pytest(words: str, targets: tuple[str, ...]) -> None:
    job = read("python -m unittest " + words)
    assert job == TestJob(PLAIN + targets, module=True)


@pytest.mark.parametrize(
    "command",
    ["make test", "python setup.py test", "python -m nose", "python -O -m pytest", "python -c pass", "", "tox", "A=1",
     "python -m unittest no.such.thing", "python -m unittest --durations 3 tests"],
)  # fmt: skip
def test_anything_else_is_for_the_plain_way(command: str) -> None:
    assert read(command) is None


@pytest.fixture(scope="module")
def box() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Environment(python=sys.executable), slots=1)
    yield sandbox
    sandbox.close()


def test_a_unittest_command_runs_what_unittest_would(box: LocalSandbox) -> None:
    job = read("python -m unittest tests.test_a")
    assert job is not None
    run = run_tests(box, files_of(TREE), job, Limits(seconds=30))
    assert {o.id: o.outcome for o in run.outcomes} == {"tests/test_a.py::C::test_x": "passed", "tests/test_a.py::C::test_y": "failed"}


def test_a_discovery_finds_what_unittest_would(box: LocalSandbox) -> None:
    job = read("python -m unittest discover -s tests -t .")
    assert job is not None
    run = run_tests(box, files_of(TREE), job, Limits(seconds=30))
    assert [o.outcome for o in run.outcomes] == ["passed", "failed"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("pytest -q tests", "python3 -m pytest -q tests"),
        ("env A=1 B=2 py.test-3 x", "python3 -m pytest x"),
        ("/usr/bin/python3.9 -m unittest x", "python3 -m unittest x"),
        ("make test", "make test"),
    ],
)
def test_a_command_is_run_plainly_by_the_environments_own_python(command, words):
    assert words_of(command.split())[1] == tuple(words.split())


def test_assignments_before_a_command_are_told_apart_from_it():
    assert words_of(["A=1", "B=x=y", "pytest", "C=2"]) == ((("A", "1"), ("B", "x=y")), ("python3", "-m", "pytest", "C=2"))
