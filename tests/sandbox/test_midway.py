"""A candidate that goes on in the middle of the base's imports does what a fresh one does, and nobody else's work is seen there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest

from sandbox.base import TestRun
from sandbox.local import LocalSandbox
from sandbox.pytests import OFTEN, TestJob, Warm, run_tests
from tests.sandbox.test_swap import BASE, JOB, LIMITS, NO_SOCKET, REFUSED, SWAPPED, edit, told
from tests.sandbox.trees import files_of

Changed = Mapping[str, str | None]
# Nothing that the base imports, or what the base has read before it comes to it.
ELSEWHERE = {
    "nothing at all", "a module that nobody loaded", "a test", "a conftest", "a new file", "a file that is gone",
    "a file that is no module",
}  # fmt: skip
ALL = {**SWAPPED, **REFUSED}


@pytest.fixture(scope="module")
def warm(box: LocalSandbox) -> Warm:
    state = Warm()
    assert run_tests(box, files_of(BASE), JOB, LIMITS, state).passed
    return state


def midway(warm: Warm, *paths: str) -> Warm:
    """The same, where candidates often changed these paths, and none is swapped."""
    counted = Counter(dict.fromkeys(paths, OFTEN))
    return Warm(warm.modules, warm.own, warm.autoload, refused={"swap": "not wanted"}, unswapped=counted)


def run(box: LocalSandbox, tree: Changed, changed: Changed, warm: Warm | None, job: TestJob = JOB) -> TestRun:
    return run_tests(box, files_of(tree, changed), job, LIMITS, warm)


@pytest.mark.parametrize("name", ALL)
def test_a_candidate_does_midway_what_a_fresh_one_does(box: LocalSandbox, warm: Warm, name: str) -> None:
    state = midway(warm, *ALL[name])
    fresh, found = run(box, BASE, ALL[name], None), run(box, BASE, ALL[name], state)
    assert found.level == ("imports" if name in ELSEWHERE else "midway"), state.why
    assert told(found) == told(fresh)


def test_one_zygote_serves_all_files_that_are_often_changed_the_first_imported_as_well_as_the_last(box: LocalSandbox, warm: Warm) -> None:
    state = midway(warm, "lib/tools.py", "lib/shapes.py")
    for name in ("a class constant", "a module constant", "two files", "a class constant"):
        found = run(box, BASE, ALL[name], state)
        assert (found.level, told(found)) == ("midway", told(run(box, BASE, ALL[name], None)))


def test_candidates_leave_nothing_to_one_another(box: LocalSandbox, warm: Warm) -> None:
    state = midway(warm, "lib/tools.py")
    for constant, passed in (("11", False), ("10", True), ("12", False), ("10", True)):
        text = BASE["lib/tools.py"].replace("LIMIT = 10", f"LIMIT = {constant}  # now")
        found = run(box, BASE, {"lib/tools.py": text}, state)
        assert (found.level, found.passed) == ("midway", passed)


def test_only_what_is_changed_again_and_again_gets_a_zygote(box: LocalSandbox) -> None:
    state, changed = Warm(), ALL["a module constant"]
    assert run(box, BASE, {}, state).level == "fresh"
    assert [run(box, BASE, changed, state).level for _ in range(3)] == ["imports", "imports", "midway"]
    assert run(box, BASE, ALL["a class constant"], state).level == "imports"
    assert run(box, BASE, ALL["a function behind lru_cache"], state).level == "swap"


def test_a_file_that_no_zygote_is_of_use_for_costs_the_others_nothing(box: LocalSandbox, warm: Warm) -> None:
    state = midway(warm, "lib/new.py")
    assert run(box, BASE, ALL["a new file"], state).level == "imports"
    assert "imports nothing of what is changed" in state.why["midway"]
    state.unswapped.update({"lib/tools.py": OFTEN})
    assert run(box, BASE, ALL["a module constant"], state).level == "midway"


SECOND = "import first, second\ndef test_a():\n    assert second.WORD == 'bb'\n"
FIRST = {  # what stands in the way -> the base's files beside second.py, and what comes of the run
    "second.py was read already": (  # the base has seen another text: what came of that is not the candidate's
        {"first.py": "SIZE = len(open('second.py').read())\n", "test_a.py": SECOND + "    assert first.SIZE == 12\n"}, "complete",
    ),
    "thread": (
        {"first.py": "import threading, time\nthreading.Thread(target=time.sleep, args=(9,), daemon=True).start()\n", "test_a.py": SECOND},
        "complete",
    ),
    "does not collect": ({"test_a.py": "import nothing_like_it\n", "test_b.py": SECOND.replace("first, ", "")}, "broken"),
}  # fmt: skip


@pytest.mark.parametrize("why", FIRST)
def test_what_the_base_does_before_may_keep_it_from_being_forked(box: LocalSandbox, why: str) -> None:
    (tree, status), job, cold = FIRST[why], TestJob(), Warm()
    tree = {"second.py": "WORD = 'a'\n", **tree}
    run(box, tree, {}, cold, job)
    state = midway(cold, "second.py")
    found = run(box, tree, {"second.py": "WORD = 'bb'\n"}, state, job)
    assert (found.level, found.status, found.passed) == ("imports", status, status == "complete")
    assert why in state.why["midway"]


def test_no_fork_holds_the_socket_of_a_zygote(box: LocalSandbox, warm: Warm) -> None:
    tree, state = {**BASE, "tests/test_fd.py": NO_SOCKET}, midway(warm, "lib/tools.py")
    found = run(box, tree, edit("lib/tools.py", ("LIMIT = 10", "LIMIT = 5 + 5")), state)
    assert (found.level, found.passed) == ("midway", True)
