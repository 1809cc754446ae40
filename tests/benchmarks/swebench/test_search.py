"""The search on one instance: what each mode sees, how it goes on, and what is no result. Real runs on a small real repository."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from benchmarks.swebench.base import BenchError, Instance, Place
from benchmarks.swebench.modes import test_ids as ids_of
from benchmarks.swebench.recorded import Recorded
from benchmarks.swebench.search import search_one
from swesearch.settings import Settings

BUGGY = (
    "def clamp(value, low, high):\n    if value < low:\n        return low\n    if value < high:\n        return high\n    return value\n"
)
FIXED = BUGGY.replace("value < high", "value > high")
WORSE = BUGGY.replace("value < low", "value > low")
OLD_TESTS = "from pkg.core import clamp\n\n\ndef test_low():\n    assert clamp(0, 1, 5) == 1\n"
NEW_TESTS = OLD_TESTS + "\n\ndef test_high():\n    assert clamp(9, 1, 5) == 5\n\n\ndef test_inside():\n    assert clamp(3, 1, 5) == 3\n"
FILES = {"pkg/__init__.py": "", "pkg/core.py": BUGGY, "tests/test_core.py": OLD_TESTS}


def diff(folder, changed):
    """The patch that writes `changed` into the repository, which is left as it was."""
    for path, text in changed.items():
        (folder / path).write_text(text)
    subprocess.run(["git", "add", "-N", "."], cwd=folder, check=True)
    found = subprocess.run(["git", "diff"], cwd=folder, check=True, capture_output=True, text=True).stdout
    subprocess.run(["git", "checkout", "-q", "--", "."], cwd=folder, check=True)
    return found


@pytest.fixture
def folder(repo):
    return repo(FILES)


def instance_of(folder, **changed):
    base = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    given = {
        "issue": "clamp(3, 1, 5) gives 5, not 3.",
        "patch": diff(folder, {"pkg/core.py": FIXED}),
        "test_patch": diff(folder, {"tests/test_core.py": NEW_TESTS}),
        "fail_to_pass": ("tests/test_core.py::test_inside", "tests/test_core.py::test_high"),
    } | changed
    return Instance("tiny__tiny-1", "tiny/tiny", base, version="1", created="2024-01-01T00:00:00Z", pass_to_pass=(), **given)


def place_of(folder):
    return Place("", sys.executable, folder)


def settings(**changed):
    made = Settings().updated({"sandbox": {"kind": "local"}, "discriminator": {"patience": 1}}, "test")
    return made.updated(changed, "test")


def test_in_mode_check_the_failing_tests_are_given_and_the_outcome_says_so(folder, tmp_path):
    outcome = search_one(instance_of(folder), place_of(folder), "check", settings(), tmp_path / "home")

    assert outcome.mode == "check"
    assert (outcome.exit_status, outcome.error) == ("Submitted", "")
    assert "+    if value > high:" in outcome.patch or "+    if value >= high:" in outcome.patch
    assert "tests/" not in outcome.patch
    assert outcome.finalists[0].patch == outcome.patch
    assert outcome.finalists[0].verified
    assert (folder / "tests/test_core.py").read_text() == OLD_TESTS


def test_a_run_that_ended_is_read_and_not_repeated(folder, tmp_path):
    given = (instance_of(folder), place_of(folder), "check", settings(), tmp_path / "home")
    first, seen = search_one(*given), []

    assert search_one(*given, observer=seen.append) == first
    assert seen == []


def test_a_run_that_was_stopped_is_an_error_and_goes_on_when_called_again(folder, tmp_path):
    given = (instance_of(folder), place_of(folder), "check", settings(), tmp_path / "home")
    stop, nodes = threading.Event(), []

    def interrupt(event):
        if event.kind == "node":
            nodes.append(event)
            if len(nodes) == 3:
                stop.set()

    halted = search_one(*given, observer=interrupt, stop=stop)
    outcome = search_one(*given)

    assert halted.error
    assert halted.patch == ""
    assert outcome.run == halted.run
    assert outcome.exit_status == "Submitted"


def test_recorded_patches_are_ranked_without_a_model_and_what_breaks_tests_comes_last(folder, tmp_path):
    patches = [Recorded("worse", diff(folder, {"pkg/core.py": WORSE})), Recorded("right", diff(folder, {"pkg/core.py": FIXED}))]

    outcome = search_one(instance_of(folder), place_of(folder), "recorded", settings(), tmp_path / "home", patches=patches)

    assert (outcome.mode, outcome.exit_status, outcome.error) == ("recorded", "Submitted", "")
    assert "+    if value > high:" in outcome.patch
    assert [finalist.verified for finalist in outcome.finalists] == [True, False]


def test_recorded_patches_that_fit_nowhere_are_no_error_and_no_prediction(folder, tmp_path):
    patches = [Recorded("foreign", diff(folder, {"pkg/core.py": FIXED}).replace("value", "other")), Recorded("empty", "")]

    outcome = search_one(instance_of(folder), place_of(folder), "recorded", settings(), tmp_path / "home", patches=patches)

    assert (outcome.exit_status, outcome.patch, outcome.error) == ("Exhausted", "", "")


def test_an_engine_that_is_not_there_is_an_error_and_never_an_empty_prediction(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nothing.sock")

    outcome = search_one(instance_of(folder), place_of(folder), "check", settings(sandbox={"kind": "docker"}), tmp_path / "home")

    assert outcome.exit_status == "SandboxUnavailable"
    assert "no Docker engine answers" in outcome.error


def test_failing_tests_that_pass_cannot_be_searched_for_and_are_an_error(folder, tmp_path):
    instance = instance_of(folder, fail_to_pass=("tests/test_core.py::test_low",))

    outcome = search_one(instance, place_of(folder), "check", settings(), tmp_path / "home")

    assert outcome.exit_status == "CheckPasses"
    assert "already passes" in outcome.error


def test_the_issue_alone_needs_a_model(folder, tmp_path):
    with pytest.raises(BenchError, match="needs a model"):
        search_one(instance_of(folder), place_of(folder), "issue", settings(), tmp_path / "home")


def test_bare_names_and_cut_names_are_told_by_the_test_patch(folder):
    names = ("test_inside", "tests/test_core.py::test_low[a", "tests/test_core.py::test_low[b c]")

    found = ids_of(instance_of(folder, fail_to_pass=names), {})

    assert found == ("tests/test_core.py::test_inside", "tests/test_core.py::test_low", "tests/test_core.py::test_low[b c]")


def test_a_bare_name_that_no_change_shows_is_looked_for_in_the_changed_files(folder):
    """What changed may be the values that a test compares with, far above it."""
    (folder / "tests" / "test_more.py").write_text("WANTED = 1\n")
    subprocess.run(["git", "add", "."], cwd=folder, check=True)
    patch = diff(folder, {"tests/test_more.py": "WANTED = 2\n", "tests/test_core.py": NEW_TESTS})
    one = instance_of(folder, fail_to_pass=("test_high", "test_more"), test_patch=patch)
    more = b"WANTED = 2\n\n\ndef test_high():\n    pass\n\n\ndef test_more():\n    pass\n"

    found = ids_of(one, {"tests/test_core.py": NEW_TESTS.encode(), "tests/test_more.py": more})

    assert found == ("tests/test_core.py::test_high", "tests/test_more.py::test_more")


def test_names_that_pytest_does_not_know_are_refused(folder):
    with pytest.raises(BenchError, match="cannot tell what"):
        ids_of(instance_of(folder, fail_to_pass=("test_x (app.tests.Case)",)), {})
