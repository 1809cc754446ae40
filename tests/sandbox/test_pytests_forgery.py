"""Patches that fake a pass, against a test that fails: each in a cold process. The attack suite runs them in forks of zygotes.

The lies are beyond any verdict from inside the process: here they are known limits, and `swesearch.solve.proofs` finds them out.
"""

from __future__ import annotations

import pytest

from benchmarks.attack.base import FAILS, PASSES, PROJECT, WRONG
from benchmarks.attack.forgeries import FORGED, LIES
from sandbox.base import Limits, TestRun
from sandbox.local import LocalSandbox
from sandbox.pytests import TestJob, Warm, run_tests
from tests.sandbox.trees import files_of

LIMITS = Limits(seconds=3)
IDS = (FAILS, PASSES)
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


@pytest.fixture(scope="module")
def warm(box: LocalSandbox) -> Warm:
    """What a first run of the base told: from now on zygotes serve."""
    state = Warm()
    run_tests(box, files_of(PROJECT), TestJob(only=IDS), Limits(seconds=30), state)
    return state


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_pass_is_no_pass(box: LocalSandbox, name: str) -> None:
    run = run_tests(box, files_of(PROJECT, FORGED[name][1]), TestJob(module=True, only=IDS), LIMITS)
    assert not cleared(run)


@pytest.mark.parametrize("name", LIES)
def test_a_lie_about_single_tests_is_not_seen_from_inside(box: LocalSandbox, name: str) -> None:
    run = run_tests(box, files_of(PROJECT, LIES[name][1]), TestJob(only=IDS), LIMITS)
    assert cleared(run)


@pytest.mark.parametrize(
    "name", ["tests that are never called", "a call of functions that does nothing", "frames of its own on every descriptor"]
)
def test_bending_pytest_itself_or_writing_reports_is_called_tampering(box: LocalSandbox, name: str) -> None:
    run = run_tests(box, files_of(PROJECT, FORGED[name][1]), TestJob(only=IDS), LIMITS)
    assert run.status == "tampered"
    assert run.outcomes == ()


def test_an_honest_mend_is_cleared(box: LocalSandbox, warm: Warm) -> None:
    mended = files_of(PROJECT, {"deep.py": WRONG.replace("41", "42")})
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
