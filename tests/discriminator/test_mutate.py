from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.base import File, Files, Limits, TestOutcome, TestRun
from sandbox.commands import TestJob
from sandbox.local import LocalSandbox
from sandbox.pytests import run_tests
from swesearch.base import State
from swesearch.discriminator import observer
from swesearch.discriminator.mutate import behaviour, observing, original
from tests.discriminator.project import Project

CODE = """\
def clip(value, low, high):
    return max(low, min(value, high))

class Stack:
    def __init__(self, items): self.items = items
    def top(self, default=None): return self.items[-1] if self.items else default
    def each(self, step): return iter(self.items[::step])
"""
TESTS = '''\
"""Tests of everything."""
from __future__ import annotations
import unittest
import pytest
from code_ import Stack, clip

def test_clip():
    assert clip(5, 0, 3) == 3

def test_other():
    raise RuntimeError("never run")

@pytest.mark.parametrize("value", [7, -2])
def test_many(value):
    assert 0 <= clip(value, low=0, high=3) <= 3

class TestStack(unittest.TestCase):
    def setUp(self):
        self.stack = Stack([1, 2, 3])

    def test_top(self):
        self.assertEqual(self.stack.top(default="none"), 3)
        self.assertEqual(list(Stack([1, 2]).each(1)), [1, 2])

    def test_step(self):
        with self.assertRaises(ValueError):
            self.stack.each(0)
'''
FILES = {"code_.py": CODE, "test_code.py": TESTS}


def observe(sandbox: LocalSandbox, project: Project, state: State, tests: list[str]) -> TestRun:
    source = observing(project.store.read(project.root, "test_code.py"), tests)
    assert source is not None
    changed = project.store.changed(project.root, state) | {"test_code.py": File(source)}
    files = Files(project.root.tree, lambda: project.store.archive(project.root), changed)
    return run_tests(sandbox, files, TestJob(("test_code.py",), module=True), Limits(60))


def test_what_the_code_does_on_changed_inputs_is_seen(make_project, sandbox: LocalSandbox) -> None:
    project = make_project(FILES)
    run = observe(sandbox, project, project.root, ["test_clip"])
    assert run.status == "complete"
    shown = behaviour(run.outcomes)
    assert all(test.startswith("test_code.py::test_clip__0_") for test in shown)
    assert "clip(6, 0, 3) | gives 3 | compares 3, 3" in shown.values()
    assert "clip(5, 0, 4) | gives 4 | compares 4, 3" in shown.values()
    assert len(set(shown.values())) == len(shown) >= 8


def test_candidates_that_differ_only_off_the_tests_are_told_apart(make_project, sandbox: LocalSandbox) -> None:
    project = make_project(FILES)
    alike = project.state({"code_.py": CODE.replace("max(low, min(value, high))", "min(high, max(value, low))")})
    odd = project.state({"code_.py": CODE.replace("max(low, min(value, high))", "high if value == 5 else value")})
    root, same, other = (behaviour(observe(sandbox, project, state, ["test_clip"]).outcomes) for state in (project.root, alike, odd))
    assert {test for test in root if root[test] != same[test]} == {test for test in root if "clip(5, 0, -3)" in root[test]}
    assert sum(root[test] != other[test] for test in root) > 3


def test_unittest_classes_parameters_generators_and_expected_errors_are_observed(make_project, sandbox: LocalSandbox) -> None:
    project = make_project(FILES)
    run = observe(sandbox, project, project.root, ["test_many[7]", "TestStack::test_top", "TestStack::test_step"])
    assert run.status == "complete"
    shown = behaviour(run.outcomes)
    assert {original(test) for test in shown} == {
        "test_code.py::test_many[7]",
        "test_code.py::test_many[-2]",
        "test_code.py::TestStack::test_top",
        "test_code.py::TestStack::test_step",
    }
    assert any("top(default='')" in seen and "gives 3" in seen for seen in shown.values())
    assert any("Stack([])" in seen and "compares [], [1, 2]" in seen for seen in shown.values())
    assert any("each(1)" in seen and "raises" in seen for seen in shown.values())


def test_the_same_code_shows_the_same_twice(make_project, sandbox: LocalSandbox) -> None:
    project = make_project(FILES | {"code_.py": CODE + "\nclip = lambda *a, **k: (object(), {'x', 'y', 'z'}, Stack([clip]))\n"})
    first, second = (behaviour(observe(sandbox, project, project.root, ["test_clip"]).outcomes) for _ in range(2))
    assert first == second
    assert any("<object object at 0x>" in seen for seen in first.values())


@pytest.mark.parametrize(
    "source", [b"def test_x(): pass", b"def test_x(): assert len([1]) == 1", b"print 'old'", b"def other(): f(1)", b""]
)
def test_a_file_without_a_call_to_change_gives_nothing(source: bytes) -> None:
    assert observing(source, ["test_x"]) is None


def test_no_more_changes_are_made_than_allowed() -> None:
    calls = "\n".join(f"    f({number})" for number in range(50))
    source = observing(f"def test_x():\n{calls}\n".encode(), ["test_x"], variants=10)
    assert source is not None
    assert b"[('', 'test_x', [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 1)]" in source


def test_skipped_changes_say_nothing_and_crashes_say_what_they_are() -> None:
    seen = TestOutcome("t.py::test_x__0_0", "failed", error="AssertionError", message="observed: f(1) | gives 2")
    outcomes = [seen, replace(seen, id="t.py::test_x__0_1", outcome="skipped", message="no such change")]
    outcomes += [replace(seen, id="t.py::test_x__0_2", error="Timeout", message=""), replace(seen, id="t.py::test_y")]
    assert behaviour(outcomes) == {"t.py::test_x__0_0": "f(1) | gives 2", "t.py::test_x__0_2": "failed Timeout"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, [4, 2, 0, -3]),
        (True, [False]),
        (None, [0, ""]),
        ("ab", ["", "abab", "AB", "ba", "b"]),
        ([1, 2], [[], [2, 1], [1, 2, 2], [2], [2, 2], [0, 2], [-1, 2], [1, 3], [1, 1], [1, 0], [1, -2]]),
        ({"a": 1}, [{}, {"a": 2}, {"a": 0}, {"a": -1}]),
        (object(), []),
    ],
)
def test_a_value_is_changed_in_one_place_at_a_time(value: object, expected: list[object]) -> None:
    changes = [args[0] for args, _ in observer._swe_changes(((value,), {}))]
    assert [change for n, change in enumerate(changes) if change not in changes[:n]] == expected


def test_nothing_deep_or_endless_is_changed() -> None:
    endless: list[object] = []
    endless.append(endless)
    assert len(list(observer._swe_changes(((endless,), {})))) < 50


def test_the_observer_is_python_3_6() -> None:
    ast.parse(Path(observer.__file__).read_bytes(), feature_version=(3, 6))
