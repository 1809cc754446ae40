"""Whole runs on real repositories, in real processes."""

import sys
import threading
import time

import pytest

from swesearch import runs, solve
from swesearch.base import Check, CheckPasses, CheckUnusable, Task, UsageError
from swesearch.settings import Settings
from tests.solve.project import CHECK, CLAMP, FEE, FILES, TESTS, WEAK


def begin(repo, home, check=CHECK, **changes):
    settings = Settings().updated({"sandbox": {"kind": "local", "python": sys.executable}, "discriminator": {"patience": 5}}, "test")
    for key, value in changes.items():
        section, _, name = key.partition("_")
        settings = settings.updated({section: {name: value}}, "test")
    return runs.begin(Task(repo, (Check(tuple(check.split())),)), settings, home)


def run(begun, stop=None):
    events = []
    return solve.search(begun, events.append, stop or threading.Event()), events


def nodes(begun):
    return [(e.data["id"], e.data["parent"], e.data["tree"], e.data["value"]) for e in begun.events() if e.kind == "node"]


def test_a_bug_is_found_verified_and_handed_over(repo, tmp_path):
    folder = repo(FILES)
    begun = begin(folder, tmp_path / "home")

    solution, events = run(begun)

    assert b"-    if value < high:\n+    if value >" in solution.best.patch
    assert solution.best.verified
    assert begun.patch.read_bytes() == solution.best.patch
    assert [e.data["exit_code"] for e in events if e.kind == "stopped"] == [0]
    assert (folder / "pkg/core.py").read_text() == CLAMP


def test_the_result_is_applied_only_when_asked_for(repo, tmp_path):
    folder = repo(FILES)
    begun = begin(folder, tmp_path / "home")
    run(begun)

    assert solve.apply(begun) == ("pkg/core.py",)
    assert "if value > high" in (folder / "pkg/core.py").read_text() or "if value >= high" in (folder / "pkg/core.py").read_text()


def test_a_result_that_does_not_exist_is_refused(repo, tmp_path):
    begun = begin(repo(FILES), tmp_path / "home")
    with pytest.raises(UsageError, match="no verified fix"):
        solve.apply(begun)
    run(begun)

    with pytest.raises(UsageError, match="there is no 99"):
        solve.apply(begun, 99)


def test_a_check_that_passes_is_said_to_pass(repo, tmp_path):
    fixed = FILES | {"pkg/core.py": CLAMP.replace("value < high", "value > high")}

    with pytest.raises(CheckPasses, match="already passes"):
        run(begin(repo(fixed), tmp_path / "home"))


def test_a_missing_dependency_is_not_taken_for_the_bug(repo, tmp_path):
    files = FILES | {"pkg/core.py": "import surely_not_installed\n" + CLAMP}

    with pytest.raises(CheckUnusable, match="surely_not_installed is not installed"):
        run(begin(repo(files), tmp_path / "home"))


def test_a_check_without_tests_cannot_be_used(repo, tmp_path):
    with pytest.raises(CheckUnusable, match="cannot be used"):
        run(begin(repo(FILES), tmp_path / "home", check="pytest -q pkg"))


def test_an_error_that_stops_collection_may_be_the_bug(repo, tmp_path):
    mended = CLAMP.replace("value < high", "value > high")
    tests = TESTS + "\n\ndef test_limit():\n    from pkg.core import LIMIT\n\n    assert LIMIT == 2\n"
    files = FILES | {"pkg/core.py": mended + "\nLIMIT = meen([1, 3])\n", "tests/test_core.py": tests}

    solution, _ = run(begin(repo(files), tmp_path / "home"))

    assert b"+LIMIT = mean([1, 3])" in solution.best.patch


def test_a_budget_that_ends_says_so_and_keeps_the_best_partial_result(repo, tmp_path):
    begun = begin(repo(FILES), tmp_path / "home", budget_evaluations=1)

    solution, events = run(begun)

    assert solution.best is None
    assert [e.data["exit_code"] for e in events if e.kind == "stopped"] == [3]
    assert len(nodes(begun)) == 2


def test_an_interrupted_run_goes_on_with_the_same_tree(repo, tmp_path):
    folder = repo(FILES)
    whole, halved = begin(folder, tmp_path / "a"), begin(folder, tmp_path / "b")
    run(whole)
    stop = threading.Event()
    seen = []

    def interrupt(event):
        seen.append(event.kind)
        if seen.count("node") == 4:
            stop.set()

    interrupted = solve.search(halved, interrupt, stop)
    before = nodes(halved)
    solution, _ = run(runs.open_run(tmp_path / "b", halved.id))

    assert interrupted.best is None
    assert 4 <= len(before) < len(nodes(whole))
    assert nodes(halved)[: len(before)] == before
    assert nodes(halved) == nodes(whole)
    assert solution.best.verified


def test_two_runs_on_one_repository_do_not_disturb_each_other(repo, tmp_path):
    folder = repo(FILES)
    begun = [begin(folder, tmp_path / "home") for _ in range(2)]
    found = []
    threads = [threading.Thread(target=lambda one=one: found.append(run(one)[0].best.patch)) for one in begun]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 2
    assert found[0] == found[1]


def test_a_plain_command_can_be_the_check(repo, tmp_path):
    broken = CLAMP.replace("value < high", "value > high").replace("len(numbers)", "len(number)")
    files = FILES | {"pkg/core.py": broken, "check.py": "from pkg.core import mean\nassert mean([1, 2, 3]) == 2\n"}

    solution, _ = run(begin(repo(files), tmp_path / "home", check="python3 check.py"))

    assert b"+    return sum(numbers) / len(numbers)" in solution.best.patch


def test_names_with_spaces_and_other_letters_are_no_problem(repo, tmp_path):
    files = {path.replace("pkg", "pök g") if path.startswith("pkg") else path: text for path, text in FILES.items()}
    files["tests/test_core.py"] = "import sys\nsys.path.insert(0, 'pök g')\n" + TESTS.replace("pkg.core", "core")

    solution, _ = run(begin(repo(files), tmp_path / "hömé with space"))

    assert solution.best.verified


def test_a_test_that_wants_the_network_is_warned_of(repo, tmp_path):
    calls = "import socket\n\n\ndef test_far():\n    socket.create_connection(('there.invalid', 80))\n\n\n"
    begun = begin(repo(FILES | {"tests/test_core.py": calls + TESTS}), tmp_path / "home", budget_evaluations=1)

    _, events = run(begun)

    warnings = [e.data["text"] for e in events if e.kind == "warning"]
    said = "1 of 3 failing tests want a network, which the sandbox does not have (tests/test_core.py::test_far)"
    assert [text.startswith(said) for text in warnings].count(True) == 1


def test_when_the_time_is_up_one_result_that_holds_is_enough(repo, tmp_path):
    """Several repairs pass. The time that the search has left over goes by before they are verified."""
    seconds, began = 20.0, time.monotonic()
    begun = begin(repo(FILES | {"tests/test_core.py": WEAK}), tmp_path / "home", budget_seconds=seconds)

    def dawdle(event):
        if event.kind == "phase" and event.data["name"] == "minimise":
            time.sleep(max(0.0, began + seconds - time.monotonic()))

    solution = solve.search(begun, dawdle, threading.Event())

    assert sum(e.data["solved"] for e in begun.events() if e.kind == "node") > 1
    assert solution.best.verified
    assert solution.alternatives == ()


def test_a_patch_that_breaks_other_tests_does_not_end_the_search(repo, tmp_path):
    begun = begin(repo(FEE), tmp_path / "home", "pytest -q test_fee.py", discriminator_patience=0)

    solution, events = run(begun)

    *before, last = [e.data["verified"] for e in events if e.kind == "finalist"]
    assert before
    assert not any(before)
    assert last
    assert b"or amount" not in solution.best.patch
    assert [e.data["exit_code"] for e in events if e.kind == "stopped"] == [0]


def test_what_did_not_hold_is_not_looked_at_again_when_the_run_goes_on(repo, tmp_path):
    folder, check = repo(FEE), "pytest -q test_fee.py"
    whole = begin(folder, tmp_path / "a", check, discriminator_patience=0)
    halved = begin(folder, tmp_path / "b", check, discriminator_patience=0)
    run(whole)
    stop, seen = threading.Event(), []

    def interrupt(event):
        seen.append(event.kind)
        if "finalist" in seen and seen[-1] == "node":
            stop.set()

    interrupted = solve.search(halved, interrupt, stop)
    solution, events = run(runs.open_run(tmp_path / "b", halved.id))

    finalists = [e.data["node"] for e in halved.events() if e.kind == "finalist"]
    assert interrupted.best is None
    assert len(finalists) == len(set(finalists))
    assert [e.data["exit_code"] for e in events if e.kind == "stopped"] == [0]
    assert nodes(halved) == nodes(whole)
    assert solution.best.verified


def test_where_nothing_that_passes_holds_it_is_said_so(repo, tmp_path):
    contrary = FEE["test_more.py"] + "\n\ndef test_small():\n    assert (fee(50, True), fee(51, True), fee(49, True)) == (5, 5, 5)\n"
    begun = begin(repo(FEE | {"test_more.py": contrary}), tmp_path / "home", "pytest -q test_fee.py", budget_evaluations=40)

    solution, events = run(begun)

    assert solution.best is None
    assert "what passed did not hold when it was verified afresh" in solution.why
    assert [e.data["exit_code"] for e in events if e.kind == "stopped"] == [3]
