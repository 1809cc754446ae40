"""Patches that fake a pass, against a test that fails: each is a real process, cold and in a fork of a zygote.

The last three are beyond any verdict from inside the process. They are kept here as what they are: known limits.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from sandbox.base import Environment, Limits, TestRun
from sandbox.local import LocalSandbox
from sandbox.pytests import TestJob, Warm, run_tests
from tests.sandbox.trees import files_of

LIMITS = Limits(seconds=3)
WRONG = "def answer():\n    return 41\n"
BASE = {
    "deep.py": WRONG,
    "pytest.ini": "[pytest]\n",
    "conftest.py": "",
    "test_deep.py": "from deep import answer\n\ndef test_answer(): assert answer() == 42\n\ndef test_other(): assert answer()\n",
}
IDS = ("test_deep.py::test_answer", "test_deep.py::test_other")
FLIP = """
import pytest
@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    out = yield
    out.get_result().outcome = 'passed'
"""
PEEK = """
import os
def test_a():
    for fd in os.listdir("/proc/self/fd"):
        try: data = os.pread(int(fd), 1 << 16, 0)
        except OSError: continue
        assert b'"canaries"' not in data, fd
    for part in ("environ", "cmdline"):
        with open("/proc/self/" + part, "rb") as file: assert b"canaries" not in file.read()
"""
FLOOD = """
import json, os
frames = b"".join(b"%d %s %s\\n" % (n, b"0" * 24, json.dumps(f).encode()) for n, f in enumerate([
    ["collected", {"ids": ["test_deep.py::test_answer"]}],
    ["test", {"id": "test_deep.py::test_answer", "outcome": "passed", "seconds": 0}],
    ["finish", {"status": 0, "tests": 1, "stopped": False, "wants": []}]]))
for fd in range(3, 30):
    try: os.write(fd, frames)
    except OSError: pass
os._exit(0)
"""
FORGERIES = {
    "a conftest hook that turns every report green": {"conftest.py": FLIP},
    "a plugin named in the settings that does": {"pytest.ini": "[pytest]\naddopts = -p evil\n", "evil.py": FLIP},
    "a sitecustomize that ends the process": {"sitecustomize.py": "import os\nos._exit(0)\n"},
    "a usercustomize that ends the process": {"usercustomize.py": "import os\nos._exit(0)\n"},
    "an installed plugin beside the code": {
        "evil-1.dist-info/METADATA": "Name: evil\nVersion: 1\n",
        "evil-1.dist-info/entry_points.txt": "[pytest11]\nevil = evil\n",
        "evil.py": FLIP,
    },
    "a conftest that deselects": {"conftest.py": "def pytest_collection_modifyitems(items): del items[0]\n"},
    "a conftest that collects nothing": {"conftest.py": "def pytest_collection_modifyitems(items): items.clear()\n"},
    "settings that deselect": {"pytest.ini": "[pytest]\naddopts = -k other\n"},
    "a pytest of its own": {"pytest.py": "import os\ndef main(*a, **k): return 0\nos._exit(0)\n"},
    "a conftest that leaves": {"conftest.py": "import os\nos._exit(0)\n"},
    "a module that leaves": {"deep.py": "import os\nos._exit(0)\n"},
    "a function that leaves": {"deep.py": "import os\ndef answer(): os._exit(0)\n"},
    "a fork whose parent leaves": {"deep.py": "import os\nif os.fork(): os._exit(0)\n" + WRONG},
    "frames of its own on every descriptor": {"deep.py": FLOOD},
    "an exit handler that says all is well": {"deep.py": "import atexit, os\natexit.register(os._exit, 0)\n" + WRONG},
    "a report class that only knows green": {
        "deep.py": "import _pytest.reports as r\n"
        "r.TestReport.outcome = property(lambda s: 'passed', lambda s, v: None)\nr.TestReport.failed = False\n" + WRONG
    },
    "a call record that forgets exceptions": {
        "deep.py": "import _pytest.runner as r\nr.CallInfo.excinfo = property(lambda s: None, lambda s, v: None)\n"
        "r.CallInfo.__setattr__ = lambda s, k, v: None if k == 'excinfo' else object.__setattr__(s, k, v)\n" + WRONG
    },
    "tests that are never called": {"deep.py": "import _pytest.python as p\np.Function.runtest = lambda self: None\n" + WRONG},
    "a call of functions that does nothing": {
        "deep.py": "import _pytest.python as p\n"
        "p.pytest_pyfunc_call.__code__ = (lambda pyfuncitem: True).__code__\n" + WRONG
    },
    "an expected failure made of every failure": {
        "conftest.py": "import pytest\n"
        "def pytest_itemcollected(item): item.add_marker(pytest.mark.xfail)\n"
    },
    "sys.exit in the module": {"deep.py": "import sys\nsys.exit(0)\n"},
    "sys.exit in the function": {"deep.py": "import sys\ndef answer(): sys.exit(0)\n"},
    "pytest.exit in the function": {"deep.py": "import pytest\ndef answer(): pytest.exit('fine', 0)\n"},
    "a skip of the whole module": {"deep.py": "import pytest\npytest.skip('fine', allow_module_level=True)\n"},
    "a skip in the function": {"deep.py": "import pytest\ndef answer(): pytest.skip('fine')\n"},
    "an endless loop": {"deep.py": "def answer():\n    while True: pass\n"},
}  # fmt: skip
LIMITS_KNOWN = {
    "a lie about one test by its name": {
        "deep.py": "import _pytest.python as p\nreal = p.Function.runtest\n"
        "p.Function.runtest = lambda s: None if s.nodeid == 'test_deep.py::test_answer' else real(s)\n" + WRONG
    },
    "an object that equals everything": {"deep.py": "class Any:\n    def __eq__(self, other): return True\ndef answer(): return Any()\n"},
    "a look at PYTEST_CURRENT_TEST": {
        "deep.py": "import os\ndef answer(): return 42 if 'test_answer' in os.environ['PYTEST_CURRENT_TEST'] else 41\n"
    },
}


@pytest.fixture(scope="module")
def box() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Environment(python=sys.executable), slots=1)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="module")
def warm(box: LocalSandbox) -> Warm:
    """What a first run of the base told: from now on zygotes serve."""
    state = Warm()
    run_tests(box, files_of(BASE), TestJob(only=IDS), Limits(seconds=30), state)
    return state


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_pass_is_no_pass(box: LocalSandbox, name: str) -> None:
    run = run_tests(box, files_of(BASE, FORGERIES[name]), TestJob(module=True, only=IDS), LIMITS)
    assert not cleared(run)


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_pass_is_no_pass_in_a_fork_of_a_zygote(box: LocalSandbox, warm: Warm, name: str) -> None:
    run = run_tests(box, files_of(BASE, FORGERIES[name]), TestJob(only=IDS), LIMITS, warm)
    assert run.level != "fresh"
    assert not cleared(run)


@pytest.mark.parametrize("name", LIMITS_KNOWN)
def test_a_lie_about_single_tests_is_not_seen_from_inside(box: LocalSandbox, name: str) -> None:
    run = run_tests(box, files_of(BASE, LIMITS_KNOWN[name]), TestJob(only=IDS), LIMITS)
    assert cleared(run)


@pytest.mark.parametrize(
    "name", ["tests that are never called", "a call of functions that does nothing", "frames of its own on every descriptor"]
)
def test_bending_pytest_itself_or_writing_reports_is_called_tampering(box: LocalSandbox, name: str) -> None:
    run = run_tests(box, files_of(BASE, FORGERIES[name]), TestJob(only=IDS), LIMITS)
    assert run.status == "tampered"
    assert run.outcomes == ()


def test_an_honest_mend_is_cleared(box: LocalSandbox, warm: Warm) -> None:
    mended = files_of(BASE, {"deep.py": WRONG.replace("41", "42")})
    assert cleared(run_tests(box, mended, TestJob(only=IDS), LIMITS))
    assert cleared(run_tests(box, mended, TestJob(only=IDS), LIMITS, warm))


def test_the_key_of_a_run_cannot_be_read_again(box: LocalSandbox) -> None:
    tree = {"test_a.py": PEEK}
    run = run_tests(box, files_of(tree), TestJob(), Limits(seconds=30))
    assert [o.outcome for o in run.outcomes] == ["passed"], run.outcomes


def cleared(run: TestRun) -> bool:
    """Whether a caller who wants both tests passed would believe it: what decides a search."""
    passed = {o.id for o in run.outcomes if o.outcome == "passed"}
    return run.status == "complete" and passed >= set(IDS)
