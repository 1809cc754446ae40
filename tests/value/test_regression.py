"""Tests near a change, and the examples of an issue, on real states in real processes."""

from __future__ import annotations

import sys

import pytest

from sandbox.base import Environment, Limits
from sandbox.local import LocalSandbox
from swesearch.base import Replace
from swesearch.code.examples import examples
from swesearch.store import Store
from swesearch.value.examples import ExampleRuns, example_files, homes_of
from swesearch.value.regression import Regression, Trials, near

FILES = {
    "pkg/__init__.py": "from pkg.core import half\n",
    "pkg/core.py": "def half(number):\n    return number // 2\n\n\ndef double(number):\n    return number * 2\n",
    "tests/test_core.py": (
        "from pkg.core import double, half\n\n\ndef test_half():\n    assert half(4) == 2\n\n\n"
        "def test_double():\n    assert double(2) == 4\n\n\ndef test_wrong():\n    assert half(3) == 1.5\n"
    ),
}
ISSUE = "half(3) gives 1:\n\n```python\n>>> half(3)\n1.5\n>>> half('4')\nTraceback\n```\n"


@pytest.fixture
def made(repo, tmp_path):
    store = Store.open(repo(FILES), tmp_path / "store.git")
    sandbox = LocalSandbox(Environment(python=sys.executable), slots=1)
    root = store.root()
    tests = ("tests/test_core.py",)
    found = examples(ISSUE)
    trials = Trials(store, sandbox, root, tests, example_files(found, homes_of(["pkg/core.py"], tests)), {"half"}, Limits(30.0))
    yield store, root, trials, found
    sandbox.close()
    store.close()


def changed(store, root, before, after):
    return store.apply(root, [Replace("pkg/core.py", before, after)])


def test_a_state_is_measured_by_the_tests_that_pass_on_the_root(made):
    store, root, trials, _ = made
    better, worse = changed(store, root, b"// 2", b"/ 2"), changed(store, root, b"number * 2", b"number * 3")

    assert set(trials.chosen) == {"tests/test_core.py::test_half", "tests/test_core.py::test_double"}
    assert Regression(trials).measure(better, None).score == 1.0
    assert Regression(trials).measure(worse, None).facts["broken"] == ["tests/test_core.py::test_double"]


def test_a_state_that_cannot_be_imported_breaks_everything(made):
    store, root, trials, _ = made

    assert Regression(trials).measure(changed(store, root, b"def half", b"def third"), None).score == 0.0


def test_examples_show_what_changed_and_that_it_is_what_the_issue_says(made):
    store, root, trials, found = made
    right = changed(store, root, b"number // 2", b"float(number) / 2")
    wrong = changed(store, root, b"number // 2", b"round(number / 2)")
    term = ExampleRuns(trials, found.answers)

    seen = {name: term.measure(state, None) for name, state in (("right", right), ("wrong", wrong))}

    assert [seen["right"].facts[name] for name in ("changed", "mended", "hurt", "said")] == [2, 1, 0, 1]
    assert [seen["wrong"].facts[name] for name in ("mended", "hurt", "said")] == [0, 0, 0]
    assert seen["right"].score > seen["wrong"].score


def test_names_that_the_issue_does_not_explain_are_found_in_the_package(made):
    _, _, trials, _ = made

    shown = [outcome.message for outcome in trials.before.outcomes if outcome.id in trials.added]

    assert shown[0] == "observed: 1"
    assert shown[1].startswith("observed: raises TypeError")


def test_without_tests_and_examples_nothing_is_known(made):
    store, root, _, _ = made
    nothing = Trials(store, None, root, (), {}, (), Limits(5.0))

    assert not Regression(nothing).measure(root, None).known
    assert not ExampleRuns(nothing, frozenset()).measure(root, None).known


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("src/flask/config.py", "tests/test_config.py"),
        ("src/_pytest/mark/structures.py", "testing/test_mark.py"),
        ("sympy/core/power.py", "sympy/core/tests/test_power.py"),
        ("pylint/checkers/misc.py", "tests/checkers/unittest_misc.py"),
        ("requests/sessions.py", "test_requests.py"),
        ("pkg/_util.py", "tests/util_test.py"),
    ],
)
def test_a_test_file_is_known_by_its_name_and_place(source, test):
    others = ("tests/test_zebra.py", "docs/test_data/a.txt", "src/contest.py")

    assert near([{source}], (source, test, *others)) == (test,)


def test_files_that_more_candidates_want_come_first():
    files = ("tests/test_a.py", "tests/test_b.py")

    assert near([{"a.py"}, {"b.py"}, {"b.py"}], files) == ("tests/test_b.py", "tests/test_a.py")
