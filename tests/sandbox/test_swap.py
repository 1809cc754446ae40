"""The same candidate does the same at every level: fresh, in a fork with pytest loaded, in a fork with changed functions swapped."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from sandbox.base import Limits, TestRun
from sandbox.local import LocalSandbox
from sandbox.pytests import TestJob, Warm, run_tests
from tests.sandbox.trees import files_of

ADDRESS = re.compile("0x[0-9a-f]+")
LIMITS = Limits(seconds=30)
JOB = TestJob(("tests",), module=True)

TOOLS = '''
import functools

LIMIT = 10


def logged(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        result = fn(*args, **kwargs)
        return result

    return wrapper


def once(fn):
    return functools.lru_cache(maxsize=None)(fn)


@logged
def double(n):
    return n * 2


@once
def triple(n):
    return n * 3


def adder(by):
    def add(n):
        return n + by

    return add


add_two = adder(2)


def table():
    return {"a": 1}


TABLE = table()


def capped(n, most=LIMIT):
    return min(n, most)


def lazy(n):
    """Say it."""
    return sorted(range(n), key=lambda i: -i)
'''
SHAPES = """from __future__ import annotations
import asyncio


class Shape:
    sides = 0

    def __init__(self, size):
        self.size = size

    @property
    def area(self):
        return 0

    @property
    def doubled(self):
        return self.area * 2

    @classmethod
    def unit(cls):
        return cls(1)

    @staticmethod
    def name():
        return "shape"

    def __eq__(self, other):
        return self.size == other.size

    def __secret(self):
        return 7

    def reveal(self):
        return self.__secret()


class Square(Shape):
    sides = 4

    def __init__(self, size):
        super().__init__(size)
        self.kind = "square"

    @property
    def area(self):
        return self.size * self.size

    def corners(self):
        for n in range(self.sides):
            yield n

    class Corner:
        def angle(self):
            return 90


async def fetch(n):
    await asyncio.sleep(0)
    return n


if True:
    def guarded(n):
        return -n


try:
    import nothing_like_it
except ImportError:
    def fallback(n):
        return n
"""
TESTS = """
import asyncio
import unittest
import pytest
from lib import shapes, tools
from lib.tools import double, triple

def test_double(): assert double(2) == 4
def test_triple(): assert triple(2) == 6
def test_adder(): assert tools.adder(1)(1) == 2
def test_made_at_import(): assert tools.add_two(1) == 3
def test_table(): assert tools.TABLE == {"a": 1}
def test_capped(): assert tools.capped(20) == 10
def test_lazy(): assert tools.lazy(3) == [2, 1, 0]
def test_area(): assert shapes.Square(3).area == 9
def test_doubled(): assert shapes.Square(3).doubled == 18
def test_unit(): assert shapes.Square.unit() == shapes.Square(1)
def test_name(): assert shapes.Square.name() == "shape"
def test_kind(): assert shapes.Square(1).kind == "square"
def test_corners(): assert list(shapes.Square(1).corners()) == [0, 1, 2, 3]
def test_angle(): assert shapes.Square.Corner().angle() == 90
def test_secret(): assert shapes.Shape(1).reveal() == 7
def test_fetch(): assert asyncio.run(shapes.fetch(1)) == 1
def test_guarded(): assert shapes.guarded(1) == -1
def test_fallback(): assert shapes.fallback(1) == 1
def test_fixture(square): assert square.area == 4
@pytest.mark.parametrize("n", [1, 2])
def test_each(n): assert double(n) == n + n
def test_temporary(tmp_path): (tmp_path / "a").write_text("x")
def test_output(capfd):
    print("hello")
    assert capfd.readouterr().out == "hello\\n"

class TestUnit(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.square = shapes.Square(2)
    def test_area(self): self.assertEqual(self.square.area, 4)
"""
BASE = {
    "lib/__init__.py": "",
    "lib/tools.py": TOOLS,
    "lib/shapes.py": SHAPES,
    "lib/unused.py": "def f():\n    return 1\n",
    "tests/conftest.py": "import pytest\nfrom lib.shapes import Square\n\n@pytest.fixture\ndef square():\n    return Square(2)\n",
    "tests/test_all.py": TESTS,
    "data.txt": "1\n",
}


def edit(path: str, *pairs: tuple[str, str]) -> dict[str, str | None]:
    text = BASE[path]
    for before, after in pairs:
        assert before in text
        text = text.replace(before, after, 1)
    return {path: text}


SWAPPED: Mapping[str, dict[str, str | None]] = {
    "nothing at all": {},
    "a function behind functools.wraps": edit("lib/tools.py", ("n * 2", "n * 5")),
    "the inner function of a decorator that ran": edit("lib/tools.py", ("        return result\n", "        return result + 1\n")),
    "a function behind lru_cache": edit("lib/tools.py", ("n * 3", "n * 4")),
    "a closure, also one made at import": edit("lib/tools.py", ("return n + by", "return n - by")),
    "a default stays": edit("lib/tools.py", ("min(n, most)", "max(n, most)")),
    "a lambda in a function": edit("lib/tools.py", ("lambda i: -i", "lambda i: i")),
    "more lines than before": edit("lib/tools.py", ("    return n * 2", "    m = n\n    if m:\n        raise KeyError(m)\n    return 3")),
    "fewer lines than before": edit("lib/shapes.py", ("        for n in range(self.sides):\n            yield n", "        yield 1 / 0")),
    "a new inner function": edit("lib/tools.py", ("    return n * 2", "    def f(x):\n        return x * n\n    return f(3)")),
    "two functions at once": edit("lib/tools.py", ("n * 2", "n * 5"), ("min(n, most)", "1 // 0")),
    "two functions with other lengths": edit("lib/tools.py", ("    return n * 2", "\n\n    return n * 5"), ("min(n, most)", "\\\n 1 // 0")),
    "a method": edit("lib/shapes.py", ("self.size == other.size", "self.size != other.size")),
    "a property": edit("lib/shapes.py", ("return self.size * self.size", "return self.size + 1")),
    "a property that others use": edit("lib/shapes.py", ("self.area * 2", "self.area * 3")),
    "a method with super": edit("lib/shapes.py", ("super().__init__(size)", "super().__init__(size + 1)")),
    "a class method": edit("lib/shapes.py", ("return cls(1)", "return cls(2)")),
    "a static method": edit("lib/shapes.py", ('return "shape"', 'return "form"')),
    "a mangled name": edit("lib/shapes.py", ("return self.__secret()", "return self.__secret() + 1")),
    "a method with a mangled name": edit("lib/shapes.py", ("return 7", "return 8")),
    "a generator": edit("lib/shapes.py", ("yield n", "yield n + 1")),
    "a class in a class": edit("lib/shapes.py", ("return 90", "return 80")),
    "a coroutine": edit("lib/shapes.py", ("return n\n\n\nif", "return n + 1\n\n\nif")),
    "a function in a block": edit("lib/shapes.py", ("return -n", "return n")),
    "a function in a handler": edit("lib/shapes.py", ("    def fallback(n):\n        return n", "    def fallback(n):\n        return -n")),
    "two files": {**edit("lib/tools.py", ("n * 2", "n * 5")), **edit("lib/shapes.py", ("return 90", "return 80"))},
    "a module that nobody loaded": {"lib/unused.py": "X = 1\n"},
    "a comment in a body": edit("lib/tools.py", ("    return n * 2", "    # twice\n    return n * 2")),
}  # fmt: skip
HARMLESS = {"nothing at all", "a module that nobody loaded", "a comment in a body"}  # no test sees these
REFUSED: Mapping[str, dict[str, str | None]] = {
    "a module constant": edit("lib/tools.py", ("LIMIT = 10", "LIMIT = 11")),
    "a class constant": edit("lib/shapes.py", ("sides = 4", "sides = 5")),
    "a default": edit("lib/tools.py", ("most=LIMIT", "most=11")),
    "a name of an argument": edit("lib/tools.py", ("def double(n):\n    return n * 2", "def double(m):\n    return m * 2")),
    "a decorator": edit("lib/tools.py", ("@logged\n", "")),
    "a docstring": edit("lib/tools.py", ("Say it.", "Say that.")),
    "a function that ran at import": edit("lib/tools.py", ('{"a": 1}', '{"a": 2}')),
    "a decorator's own body, which ran": edit("lib/tools.py", ("    return wrapper\n", "    return fn\n")),
    "a decorator that ran and closes over less": edit(
        "lib/tools.py", ("        result = fn(*args, **kwargs)\n        return result", "        return 0")
    ),
    "a generator that is none any more": edit("lib/shapes.py", ("            yield n", "            pass")),
    "a closure over more": edit("lib/tools.py", ("        return n + by", "        return n + by + len(str(add))")),
    "a test": edit("tests/test_all.py", ("double(2) == 4", "double(2) == 5")),
    "a conftest": edit("tests/conftest.py", ("Square(2)", "Square(3)")),
    "a new file": {"lib/new.py": "X = 1\n"},
    "a file that is gone": {"lib/unused.py": None},
    "a file that is no module": {"data.txt": "2\n"},
    "text that is no Python": edit("lib/tools.py", ("return n * 2", "return n * (")),
    "a string that swallows what follows": edit("lib/tools.py", ("return n * 2", 'return """')),
    "a function more": edit("lib/tools.py", ("def table", "def more():\n    return 1\n\n\ndef table")),
    "a statement after a function": edit("lib/tools.py", ("    return n * 2\n", "    return n * 2\n\n\ndouble = len\n")),
}


@pytest.fixture(scope="module")
def warm(box: LocalSandbox) -> Warm:
    state = Warm()
    assert run_tests(box, files_of(BASE), JOB, LIMITS, state).passed
    return state


def told(run: TestRun) -> tuple[object, ...]:
    """All that a run says but its times."""
    outcomes = [(o.id, o.outcome, o.error, ADDRESS.sub("0x", o.message), o.frames) for o in run.outcomes]
    return run.status, ADDRESS.sub("0x", run.detail), run.collected, run.frames, outcomes


def without_swap(warm: Warm) -> Warm:
    return Warm(warm.modules, warm.own, warm.autoload, refused={"swap": "not wanted"})


@pytest.mark.parametrize("name", SWAPPED)
def test_a_swapped_candidate_does_what_a_fresh_one_does(box: LocalSandbox, warm: Warm, name: str) -> None:
    files = files_of(BASE, SWAPPED[name])
    fresh, imports, swap = (run_tests(box, files, JOB, LIMITS, state) for state in (None, without_swap(warm), warm))
    assert (imports.level, swap.level) == ("imports", "swap"), warm.why
    assert told(swap) == told(imports) == told(fresh)
    assert fresh.passed == (name in HARMLESS)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_swapped_is_refused_and_run_one_level_colder(box: LocalSandbox, warm: Warm, name: str) -> None:
    files = files_of(BASE, REFUSED[name])
    nothing_counted = Warm(warm.modules, warm.own, warm.autoload)
    fresh, cooler = run_tests(box, files, JOB, LIMITS), run_tests(box, files, JOB, LIMITS, nothing_counted)
    assert cooler.level == "imports"
    assert told(cooler) == told(fresh)


def test_a_first_candidate_may_change_several_files(box: LocalSandbox) -> None:
    base = {**BASE, "data.txt": "another base\n"}
    warm = Warm()
    runs = [run_tests(box, files_of(base, changed), JOB, LIMITS, warm) for changed in ({}, SWAPPED["two files"])]
    assert [run.level for run in runs] == ["fresh", "swap"]
    assert told(runs[1]) == told(run_tests(box, files_of(base, SWAPPED["two files"]), JOB, LIMITS))


def test_a_test_laid_over_unchanged_is_no_reason_to_refuse(box: LocalSandbox, warm: Warm) -> None:
    changed = {"tests/test_all.py": TESTS, **SWAPPED["a method"]}
    assert run_tests(box, files_of(BASE, changed), JOB, LIMITS, warm).level == "swap"


def test_candidates_leave_nothing_to_one_another(box: LocalSandbox, warm: Warm) -> None:
    for name in ("a method", "nothing at all", "a closure, also one made at import", "nothing at all"):
        run = run_tests(box, files_of(BASE, SWAPPED[name]), JOB, LIMITS, warm)
        assert run.level == "swap"
        assert run.passed == (name == "nothing at all")


def test_chance_is_not_shared_between_forks(box: LocalSandbox) -> None:
    tree = {"test_a.py": "import random, os\ndef test_a(): assert 0, (random.random(), os.urandom(4))\n"}
    warm = Warm()
    runs = [run_tests(box, files_of(tree), TestJob(), LIMITS, warm) for _ in range(3)]
    assert [run.level for run in runs] == ["fresh", "swap", "swap"]
    assert len({run.outcomes[0].message for run in runs}) == 3


def test_a_base_that_starts_a_thread_is_never_forked(box: LocalSandbox) -> None:
    tree = {
        "test_a.py": "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\ndef test_a(): pass\n"
    }
    warm = Warm()
    runs = [run_tests(box, files_of(tree), TestJob(), LIMITS, warm) for _ in range(2)]
    assert [run.level for run in runs] == ["fresh", "imports"]
    assert "thread" in warm.refused["swap"]
    assert all(run.passed for run in runs)


def test_a_module_of_the_work_tree_is_never_preloaded_from_elsewhere(box: LocalSandbox) -> None:
    """The work tree stands in for a module that a third-party one imports, too."""
    tree = {
        "pluggy_user.py": "",
        "iniconfig/__init__.py": "HERE = 1\n",
        "test_a.py": "import iniconfig\ndef test_a(): assert iniconfig.HERE\n",
    }
    warm = Warm(modules=("iniconfig", "json"), own=("iniconfig",), autoload=False, refused={"swap": "not wanted"})
    run = run_tests(box, files_of(tree), TestJob(), LIMITS, warm)
    assert run.level == "imports"


NO_SOCKET = """
import os, stat

def test_no_way_to_a_zygote_is_open():
    modes = [os.stat(fd).st_mode for fd in map(int, os.listdir("/proc/self/fd")) if os.path.exists(f"/proc/self/fd/{fd}")]
    assert modes and not any(map(stat.S_ISSOCK, modes))
"""


def test_no_fork_holds_the_socket_of_a_zygote(box: LocalSandbox) -> None:
    files, state = files_of({"tests/test_fd.py": NO_SOCKET}), Warm()
    runs = [run_tests(box, files, JOB, LIMITS, state), run_tests(box, files, JOB, LIMITS, state)]
    runs.append(run_tests(box, files, JOB, LIMITS, without_swap(state)))
    assert [run.level for run in runs] == ["fresh", "swap", "imports"]
    assert all(run.passed for run in runs)
