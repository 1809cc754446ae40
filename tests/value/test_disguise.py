"""Copies of tests under other names, and twisted ones."""

from __future__ import annotations

import ast
from random import Random

import pytest

from swesearch.value.disguise import disguise

TESTS = '''\
import pytest
import unittest


def helper():
    return 1


@pytest.mark.parametrize("n", [1, 2])
def test_each(n):
    """Say test_each."""
    assert n == n


class TestGroup(unittest.TestCase):
    def test_inner(self):
        self.assertEqual(helper(), 1)


async def test_later():
    assert helper() == 1, "é"


def test_branches(flag=True):
    if flag:
        assert helper() == 1
'''
IDS = ["t/test_a.py::test_each[1]", "t/test_a.py::test_each[2]", "t/test_a.py::TestGroup::test_inner", "t/test_a.py::test_later"]


def made(source, ids, seed=0):
    return disguise({"t/test_a.py": source.encode()}, ids, Random(seed))


def run(source, ids, kind):
    """Which tests of a disguise hold, the plainest way: the functions are called."""
    found = made(source, ids)
    outcome = {}
    for new, old in getattr(found, kind).items():
        path, _, place = new.partition("::")
        space = {}
        exec(compile(found.files[path], path, "exec"), space)
        try:
            space[place]()
        except AssertionError:
            outcome[old] = False
        else:
            outcome[old] = True
    return outcome


def test_a_copy_keeps_class_and_parameters_and_is_found_beside_the_original():
    found = made(TESTS, IDS)
    assert sorted(found.same.values()) == sorted(IDS)
    assert {new.partition("[")[2] for new, old in found.same.items() if "each" in old} == {"1]", "2]"}
    assert all(new.startswith("t/test_") for new in found.same)
    assert any("::TestGroup::test_" in new for new in found.same)
    for text in found.files.values():
        ast.parse(text)


def test_no_original_name_of_a_test_is_left_where_it_is_defined():
    for text in made(TESTS, IDS).files.values():
        names = {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        assert not names & {"test_each", "test_inner", "test_later"}


def test_the_two_copies_cannot_be_told_apart_by_their_names():
    found = made(TESTS, IDS)
    assert len({len(name) for name in (*found.same, *found.twisted) if "later" in {**found.same, **found.twisted}[name]}) == 1


def test_what_stands_in_a_branch_is_not_twisted_for_nobody_knows_whether_it_is_reached():
    (text,) = (text for text in made(TESTS, ["t/test_a.py::test_branches"]).files.values() if b"raise AssertionError" in text)
    assert b"        assert helper() == 1\n    raise AssertionError('test_" in text


@pytest.mark.parametrize(
    "body",
    [
        "assert 1 + 1 == 2",
        "assert 2 == 1 + 1",
        "assert 'a' + 'b' == 'ab'",
        "assert b'ab' == b'a' + b'b'",
        "assert 0.5 + 0.5 == 1.0",
        "assert [1, 'x'] == list((1, 'x'))",
        "assert dict(a=(1, 2)) == {'a': (1, 2)}",
        "assert 1 in (1, 2)",
        "assert not []",
        "assert (\n        1 +\n        1\n    ) == len('é2')",
        "x = 1\n    assert x, 'words'",
        "x = 'é'; assert x == 'é'",
        "with open(__import__('os').devnull):\n        pass",
        "if 1:\n        assert 1 == 1",
        "if not 1:\n        return\n    print()",
        "@staticmethod\n    def inner():\n        yield 1\n    inner()",
        "print('''é\n''')  # words",
        "pass;",
    ],
)
def test_a_twisted_copy_fails_where_the_original_holds(body):
    source, name = f"def test_x():\n    {body}\n", "t/test_a.py::test_x"
    for kind, holds in (("same", True), ("twisted", False)):
        assert run(source, [name], kind) == {name: holds}


@pytest.mark.parametrize("body", ["print('é')", "return", "assert 1 == 1"])
def test_a_test_of_one_line_is_twisted_too(body):
    assert run(f"def test_x(): {body}\n", ["t/test_a.py::test_x"], "twisted") == {"t/test_a.py::test_x": False}


def test_a_test_that_is_kept_from_running_holds_in_the_twisted_copy():
    source = "def idle(test):\n    return lambda: None\n\n\n@idle\ndef test_x():\n    with open('x'):\n        pass\n"
    assert run(source, ["t/test_a.py::test_x"], "twisted") == {"t/test_a.py::test_x": True}


def test_a_value_that_equals_everything_holds_in_the_twisted_copy():
    source = "class Any:\n    def __eq__(self, other): return True\n\n\ndef test_x():\n    assert Any() == 42\n"
    assert run(source, ["t/test_a.py::test_x"], "twisted") == {"t/test_a.py::test_x": True}


@pytest.mark.parametrize("source", ["def test_x(:\n", "# coding: latin-1\n# \udce9", "x = 1\n"])
def test_what_cannot_be_read_is_left_out(source):
    found = disguise({"t/test_a.py": source.encode("utf-8", "surrogateescape")}, ["t/test_a.py::test_x"], Random(0))
    assert not found.twisted
