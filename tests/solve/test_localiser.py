"""Which tests are traced, on a real project."""

import sys

import pytest

from sandbox.base import Environment, Limits
from sandbox.local import LocalSandbox
from swesearch.base import Check, Replace
from swesearch.journal import Journal
from swesearch.solve.localiser import localiser
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.store import Store
from swesearch.value.checks import CheckRun

CODE = """\
from time import process_time


def quick():
    return 1 + 1


def slow():
    began = process_time()
    while process_time() - began < 0.3:
        pass
    return 2 + 2
"""
TESTS = """\
from work import quick, slow


def test_slow():
    assert slow() == 3


def test_quick():
    assert quick() == 1
"""
SLOW = 12  # the last line of `slow`


@pytest.fixture
def bench(tmp_path):
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "work.py").write_text(CODE)
    (repo / "test_code.py").write_text(TESTS)
    box = LocalSandbox(Environment(python=sys.executable), slots=1)
    store = Store.open(repo, tmp_path / "store", plain=True)
    check = CheckRun(store, box, store.root(), Check(("pytest", "-q", "test_code.py")), Limits(seconds=30))
    bench = Bench(store, check.root, box, lambda: box, (check,))
    yield bench
    bench.close()


def test_a_slow_test_is_traced_once_the_quick_ones_that_failed_beside_it_pass(bench, tmp_path):
    locate = localiser(bench, "", Record(Journal.create(tmp_path / "journal.db"), lambda _: None))
    better = bench.store.apply(bench.root, [Replace("work.py", b"1 + 1", b"1")])
    assert SLOW not in {each.line for each in locate(bench.root).lines}
    assert SLOW in {each.line for each in locate(better).lines}
