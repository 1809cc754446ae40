"""What a test command did, test by test: real processes, no stand-ins."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.base import Environment, Frame, Limits, TestOutcome, TestRun
from sandbox.local import LocalSandbox
from sandbox.plain import run_plain
from sandbox.pytests import TestJob, Warm, run_tests
from tests.sandbox.trees import files_of

LIMITS = Limits(seconds=30)
JOB = TestJob(("tests",), module=True)
PROJECT = {
    "shop/__init__.py": "",
    "shop/price.py": "def total(items):\n    return sum(items)\n\n\ndef broken(items):\n    raise LookupError('no ' + items)\n",
    "tests/test_price.py": """
import unittest
import pytest
from shop.price import broken, total

@pytest.fixture
def rotten():
    raise KeyError("rotten")

@pytest.fixture
def leaky():
    yield
    raise OSError("leak")

def test_passes(): assert total([1, 2]) == 3
def test_fails(): assert total([1, 2]) == 4
def test_raises(): broken("tea")
def test_setup_fails(rotten): pass
def test_teardown_fails(leaky): pass
@pytest.mark.skip(reason="not today")
def test_skipped(): pass
@pytest.mark.xfail
def test_xfails(): assert False
@pytest.mark.xfail
def test_xpasses(): pass
@pytest.mark.xfail(strict=True)
def test_strictly_xpasses(): pass
@pytest.mark.parametrize("n", [1, 2])
def test_many(n): assert n

class TestOld(unittest.TestCase):
    def test_fails(self): self.assertEqual(total([1]), 2)
    def test_skips(self): self.skipTest("later")
    def test_passes(self): self.assertEqual(total([1]), 1)
""",
}


@pytest.fixture(scope="module")
def box() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Environment(python=sys.executable), slots=1)
    yield sandbox
    sandbox.close()


def outcomes(run: TestRun) -> dict[str, str]:
    return {o.id.rpartition("::")[2]: o.outcome for o in run.outcomes}


def only(run: TestRun) -> TestOutcome:
    (outcome,) = run.outcomes
    return outcome


def test_every_kind_of_outcome_is_told(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(PROJECT), JOB, LIMITS)
    assert run.status == "complete"
    assert {o.id.partition("::")[2]: o.outcome for o in run.outcomes} == {
        "test_passes": "passed",
        "test_fails": "failed",
        "test_raises": "failed",
        "test_setup_fails": "error",
        "test_teardown_fails": "error",
        "test_skipped": "skipped",
        "test_xfails": "xfailed",
        "test_xpasses": "xpassed",
        "test_strictly_xpasses": "failed",
        "test_many[1]": "passed",
        "test_many[2]": "passed",
        "TestOld::test_fails": "failed",
        "TestOld::test_skips": "skipped",
        "TestOld::test_passes": "passed",
    }
    assert run.collected == tuple(o.id for o in run.outcomes)
    assert not run.passed


def test_a_failure_names_its_class_its_words_and_its_frames_in_the_work_tree(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(PROJECT), replace(JOB, only=("tests/test_price.py::test_raises",)), LIMITS)
    failure = only(run)
    assert (failure.error, failure.message) == ("LookupError", "no tea")
    assert failure.frames == (Frame("tests/test_price.py", 17, "test_raises"), Frame("shop/price.py", 6, "broken"))


def test_the_frames_of_a_cause_come_after_those_of_its_effect(box: LocalSandbox) -> None:
    code = "def deep():\n    1 / 0\n\ndef test_a():\n    try: deep()\n    except ZeroDivisionError as error: raise KeyError from error\n"
    tree = {"test_a.py": code}
    failure = only(run_tests(box, files_of(tree), TestJob(), LIMITS))
    assert failure.error == "KeyError"
    assert failure.frames[-1] == Frame("test_a.py", 2, "deep")


def test_only_the_named_tests_run_in_the_order_they_are_named(box: LocalSandbox) -> None:
    names = ("tests/test_price.py::TestOld::test_passes", "tests/test_price.py::test_many[2]", "tests/test_price.py::test_passes")
    run = run_tests(box, files_of(PROJECT), replace(JOB, only=names), LIMITS)
    assert tuple(o.id for o in run.outcomes) == names
    assert run.passed


def test_a_run_that_is_to_stop_does_so_at_the_first_failure(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(PROJECT), replace(JOB, stop=True), LIMITS)
    assert run.status == "complete"
    assert outcomes(run) == {"test_passes": "passed", "test_fails": "failed"}


def test_a_test_that_is_no_longer_collected_is_no_pass(box: LocalSandbox) -> None:
    run = run_tests(
        box, files_of(PROJECT), replace(JOB, only=("tests/test_price.py::test_gone", "tests/test_price.py::test_passes")), LIMITS
    )
    assert run.status == "broken"
    assert "test_gone" in run.detail


def test_a_module_that_raises_while_imported_is_told_with_its_frames(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(PROJECT, {"shop/price.py": "import nothing_like_this\n"}), JOB, LIMITS)
    assert run.status == "broken"
    assert "nothing_like_this" in run.detail
    assert run.frames[-1] == Frame("shop/price.py", 1, "<module>")


def test_a_conftest_that_raises_is_told_with_its_frames(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(PROJECT, {"conftest.py": "\n{}['key']\n"}), JOB, LIMITS)
    assert run.status == "broken"
    assert run.frames[-1] == Frame("conftest.py", 2, "<module>")


def test_a_module_that_exits_while_imported_is_broken(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(PROJECT, {"shop/price.py": "import sys\nsys.exit(0)\n"}), JOB, LIMITS)
    assert run.status == "broken"
    assert "SystemExit" in run.detail


def test_nothing_collected_is_empty(box: LocalSandbox) -> None:
    run = run_tests(box, files_of({"tests/readme.txt": "none"}), JOB, LIMITS)
    assert run.status == "empty"
    assert not run.passed


def test_a_wrong_option_is_a_usage_error(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(PROJECT), replace(JOB, args=("--no-such-option",)), LIMITS)
    assert run.status == "usage"
    assert "--no-such-option" in run.detail


def test_a_missing_target_is_a_usage_error(box: LocalSandbox) -> None:
    run = run_tests(box, files_of(PROJECT), replace(JOB, args=("tests/nowhere.py",)), LIMITS)
    assert run.status == "usage"
    assert "nowhere.py" in run.detail


def test_an_environment_without_pytest_is_named(tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", with_pip=False)
    python = str(tmp_path / "bare" / "bin" / "python")
    bare = LocalSandbox(Environment(python=python), slots=1)
    try:
        run = run_tests(bare, files_of(PROJECT), JOB, LIMITS)
    finally:
        bare.close()
    assert run.status == "broken"
    assert python in run.detail
    assert "pytest" in run.detail


def test_an_endless_test_is_a_failure_by_timeout_and_the_tests_before_it_count(box: LocalSandbox) -> None:
    tree = {"test_a.py": "def test_a(): pass\ndef test_b():\n    while True: pass\ndef test_c(): pass\n"}
    run = run_tests(box, files_of(tree), TestJob(), Limits(seconds=2))
    assert run.status == "timeout"
    assert outcomes(run) == {"test_a": "passed", "test_b": "failed"}
    assert run.outcomes[1].error == "Timeout"
    assert not run.passed


@pytest.mark.parametrize("first", ["", "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"], ids=["plain", "ignored"])
def test_a_limit_on_cpu_time_is_a_timeout(box: LocalSandbox, first: str) -> None:
    tree = {"test_a.py": first + "def test_a():\n    while True: pass\n"}
    run = run_tests(box, files_of(tree), TestJob(), Limits(seconds=30, cpu_seconds=2))
    assert run.status == "timeout"
    assert only(run).error == "Timeout"


def test_a_limit_per_test_lets_the_others_run(box: LocalSandbox) -> None:
    tree = {
        "test_a.py": "import time\ndef test_a():\n    while True:\n        try: time.sleep(9)\n        except Exception: pass\n"
        "def test_b(): pass\n"
    }
    run = run_tests(box, files_of(tree), TestJob(seconds=0.5), LIMITS)
    assert run.status == "complete"
    assert outcomes(run) == {"test_a": "failed", "test_b": "passed"}
    assert run.outcomes[0].error == "Timeout"


def test_a_src_layout_needs_no_install(box: LocalSandbox) -> None:
    tree = {
        "src/pack/__init__.py": "def one(): return 1\n",
        "tests/test_one.py": "from pack import one\ndef test_one(): assert one() == 1\n",
    }
    assert run_tests(box, files_of(tree), TestJob(("tests",)), LIMITS).passed


@pytest.mark.parametrize("folder", ["", "src/", "lib/"])
def test_what_a_test_starts_elsewhere_finds_the_modules_that_the_test_finds(box: LocalSandbox, folder: str) -> None:
    """A command line tool is tested in a temporary folder, as `python -m pack`: by our run and by the plain one."""
    test = """
import subprocess, sys, tempfile

def test_tool():
    with tempfile.TemporaryDirectory() as folder:
        assert subprocess.check_output([sys.executable, "-m", "pack"], cwd=folder) == b"here\\n"
"""
    tree = {f"{folder}pack/__init__.py": "", f"{folder}pack/__main__.py": "print('here')\n", "tests/test_tool.py": test}
    path = folder.rstrip("/")
    assert run_tests(box, files_of(tree), TestJob(("tests",), (("PYTHONPATH", path),) if path == "lib" else ()), LIMITS).passed
    assert run_plain(box, files_of(tree), ("pytest", "tests"), LIMITS, path).passed == 1


def test_an_assignment_before_the_command_holds(box: LocalSandbox) -> None:
    tree = {"lib/pack.py": "", "test_a.py": "import os, pack\ndef test_a(): assert os.environ['COLOUR'] == 'red'\n"}
    assert run_tests(box, files_of(tree), TestJob(env=(("PYTHONPATH", "lib"), ("COLOUR", "red"))), LIMITS).passed


def test_a_plugin_that_the_configuration_speaks_to_is_loaded(box: LocalSandbox) -> None:
    """hypothesis brings a plugin; an option of its own is a usage error without it."""
    tree = {"pytest.ini": "[pytest]\naddopts = --hypothesis-seed=1\n", "test_a.py": "def test_a(): pass\n"}
    warm = Warm()
    assert run_tests(box, files_of(tree), TestJob(), LIMITS, warm).passed
    assert warm.autoload is True


def test_a_missing_fixture_is_named_after_the_environment_was_asked_for_it(box: LocalSandbox) -> None:
    warm = Warm()
    run = run_tests(box, files_of({"test_a.py": "def test_a(nowhere): pass\n"}), TestJob(), LIMITS, warm)
    assert (only(run).outcome, only(run).message) == ("error", "fixture 'nowhere' not found")
    assert warm.autoload is True


@pytest.mark.parametrize("strict", ["addopts = --strict-markers", "filterwarnings = error"])
def test_a_plugin_whose_mark_must_be_known_is_loaded(box: LocalSandbox, strict: str) -> None:
    """hypothesis brings a mark, too."""
    tree = {"pytest.ini": f"[pytest]\n{strict}\n", "test_a.py": "import pytest\n@pytest.mark.hypothesis\ndef test_a(): pass\n"}
    warm = Warm()
    assert run_tests(box, files_of(tree), TestJob(), LIMITS, warm).passed
    assert warm.autoload is True


def test_a_node_id_is_relative_to_the_root_whatever_the_folder(box: LocalSandbox) -> None:
    tree = {"pytest.ini": "[pytest]\n", "a/b/test_deep.py": "def test_deep(): pass\n"}
    run = run_tests(box, files_of(tree), TestJob(("a/b",), only=("a/b/test_deep.py::test_deep",)), LIMITS)
    assert run.passed


def test_a_message_is_cut_at_four_thousand_characters(box: LocalSandbox) -> None:
    run = run_tests(box, files_of({"test_a.py": "def test_a(): raise ValueError('x' * 10**6)\n"}), TestJob(), LIMITS)
    assert len(only(run).message) == 4096


def test_an_exception_that_cannot_be_printed_is_still_told(box: LocalSandbox) -> None:
    tree = {"test_a.py": "class E(Exception):\n    def __str__(self): raise KeyError\ndef test_a(): raise E\n"}
    assert only(run_tests(box, files_of(tree), TestJob(), LIMITS)).error == "E"


def test_a_test_that_forks_and_returns_from_both_is_told_once(box: LocalSandbox) -> None:
    tree = {"test_a.py": "import os\ndef test_a(): os.fork()\ndef test_b(): pass\n"}
    run = run_tests(box, files_of(tree), TestJob(), LIMITS)
    assert [o.id for o in run.outcomes] == list(dict.fromkeys(o.id for o in run.outcomes))
    assert run.status in ("complete", "crashed")


def test_fixtures_of_a_module_are_set_up_once_although_canaries_run_between(box: LocalSandbox) -> None:
    tree = {
        "test_a.py": """
import pytest
made = []
@pytest.fixture(scope="module", autouse=True)
def module(): made.append("module"); yield
@pytest.fixture(scope="class")
def klass(): made.append("class"); yield
class TestA:
    @pytest.mark.parametrize("n", range(5))
    def test_many(self, klass, n): assert made == ["module", "class"]
"""
    }
    assert run_tests(box, files_of(tree), TestJob(), LIMITS).passed


CLASSES = """
import pytest
def test_a(): pass
@pytest.mark.skip(reason="not here")
class TestSkipped:
    def test_b(self): pass
    def test_c(self): pass
class TestRun:
    def setup_method(self): self.ready = True
    def test_d(self): assert self.ready
    def test_e(self): assert self.ready
"""


@pytest.fixture(scope="module")
def old_pytest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter with a pytest of 2021."""
    folder = tmp_path_factory.mktemp("old") / "venv"
    venv.create(folder, with_pip=True)
    python = str(folder / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "-q", "pytest==6.2.5"], check=True)
    return python


@pytest.mark.parametrize("old", [False, True])
def test_wherever_canaries_come_to_lie_honest_code_is_not_tampered_with(old: bool, request: pytest.FixtureRequest) -> None:
    python = request.getfixturevalue("old_pytest") if old else sys.executable
    box = LocalSandbox(Environment(python=python), slots=1)
    runs = [run_tests(box, files_of({"test_a.py": CLASSES}), TestJob(), LIMITS) for _ in range(12)]
    box.close()
    assert {run.status for run in runs} == {"complete"}
    assert all(Counter(outcomes(run).values()) == {"passed": 3, "skipped": 2} for run in runs)


def test_a_hook_that_skips_everything_is_no_pass_and_no_tampering(box: LocalSandbox) -> None:
    tree = {"conftest.py": "import pytest\ndef pytest_runtest_setup(item): pytest.skip('all')\n", "test_a.py": "def test_a(): pass\n"}
    run = run_tests(box, files_of(tree), TestJob(), LIMITS)
    assert (run.status, outcomes(run), run.passed) == ("complete", {"test_a": "skipped"}, False)
