"""Verdicts by the official rules, in real containers with real pytest, and what is no verdict."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.swebench.base import BenchError, Grade, Instance, Place, Prediction
from benchmarks.swebench.gold import Finding, check
from benchmarks.swebench.grade import grade, grade_all, kept, patch_key, untouched
from benchmarks.swebench.images import Environments
from benchmarks.swebench.official import script, verdict
from sandbox.base import SandboxUnavailable
from sandbox.docker import connect
from tests.benchmarks.swebench.places import FIXED, TOOL, diff, prebuilt, project


class World:
    """One instance made ready, for all tests of this file."""

    def __init__(self, folder: Path) -> None:
        self.one = project(folder / "repos")
        self.tree = folder / "repos" / "tree"
        self.environments = Environments(folder / "cache", folder / "repos", pull_images=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"))
    client = connect()
    with prebuilt(client, made.one, made.tree):
        made.environments.ready(made.one)
        script(made.one)  # imports swebench, which takes seconds
        yield made
        made.environments.done(made.one, made.environments.ready(made.one))
    made.environments.close()
    client.close()


def verdict_on(world: World, patch: str, folder: Path, seconds: float = 60) -> Grade:
    return grade(world.environments.ready(world.one), world.one, patch, folder, seconds)


@pytest.mark.docker
def test_the_own_patch_of_an_instance_resolves_it(world: World, tmp_path: Path) -> None:
    found = verdict_on(world, world.one.patch, tmp_path)
    assert (found.status, found.fail_to_pass, found.pass_to_pass, found.why) == ("resolved", (1, 1), (1, 1), "")
    assert "1 passed" not in (tmp_path / found.log).read_text()
    assert "2 passed" in (tmp_path / found.log).read_text()


@pytest.mark.docker
def test_a_patch_that_does_not_mend_it_is_unresolved_and_names_the_test(world: World, tmp_path: Path) -> None:
    found = verdict_on(world, diff(world.tree, "tool.py", TOOL + "# looked at\n"), tmp_path)
    assert (found.status, found.fail_to_pass, found.pass_to_pass) == ("unresolved", (0, 1), (1, 1))
    assert found.why == "not passed: test_tool.py::test_zero"


@pytest.mark.docker
def test_a_patch_that_breaks_what_passed_is_unresolved(world: World, tmp_path: Path) -> None:
    found = verdict_on(world, diff(world.tree, "tool.py", "def double(number):\n    return number * 2.0\n"), tmp_path)
    assert (found.status, found.fail_to_pass, found.pass_to_pass) == ("unresolved", (1, 1), (0, 1))


@pytest.mark.docker
def test_a_patch_that_does_not_apply_is_told_apart(world: World, tmp_path: Path) -> None:
    found = verdict_on(world, world.one.patch.replace("tool.py", "other.py"), tmp_path)
    assert (found.status, found.fail_to_pass) == ("unapplied", (0, 0))
    assert "other.py" in found.why


@pytest.mark.docker
def test_a_patch_may_be_off_by_some_lines_as_the_harness_allows(world: World, tmp_path: Path) -> None:
    assert verdict_on(world, re.sub(r"@@ -1,2 \+1,2 @@", "@@ -4,2 +4,2 @@", world.one.patch), tmp_path).status == "resolved"


@pytest.mark.docker
def test_tests_that_do_not_end_are_an_error_as_the_harness_has_it_and_not_kept(world: World, tmp_path: Path) -> None:
    found = verdict_on(world, diff(world.tree, "tool.py", f"import time\ntime.sleep(60)\n{FIXED}"), tmp_path, seconds=2)
    assert (found.status, found.why) == ("error", "the tests did not end within 2 s")
    assert kept(tmp_path, world.one.id, found.patch_key) is None


@pytest.mark.docker
def test_a_patch_cannot_change_the_tests_it_is_measured_by(world: World, tmp_path: Path) -> None:
    own = diff(world.tree, "conftest.py", "x = 1\n") + diff(world.tree, "notes.txt", "nothing\n")
    assert verdict_on(world, own, tmp_path).status == "unresolved"


@pytest.mark.docker
def test_a_verdict_is_found_once_and_kept(world: World, tmp_path: Path) -> None:
    first = verdict_on(world, world.one.patch, tmp_path)
    nowhere = Place("sandbox-test:absent", "python3", tmp_path)
    assert grade(nowhere, world.one, world.one.patch, tmp_path) == first == kept(tmp_path, world.one.id, patch_key(world.one.patch))


@pytest.mark.docker
def test_an_engine_that_has_no_image_is_no_verdict_and_nothing_is_kept(world: World, tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="there is no image sandbox-test:absent"):
        grade(Place("sandbox-test:absent", "python3", tmp_path), world.one, world.one.patch, tmp_path)
    assert kept(tmp_path, world.one.id, patch_key(world.one.patch)) is None


@pytest.mark.docker
def test_many_predictions_are_graded_and_told_in_order(world: World, tmp_path: Path) -> None:
    handed = [Prediction(world.one.id, name, patch) for name, patch in (("a", world.one.patch), ("b", ""), ("c", world.one.patch))]
    told: list[str] = []
    found = grade_all(handed, [world.one], world.environments, tmp_path, tell=lambda one, said: told.append(f"{one.model} {said.status}"))
    assert told == ["a resolved", "b empty", "c resolved"]
    assert found[0][1] == found[2][1]
    assert len(list((tmp_path / "grades" / world.one.id).glob("*.json"))) == 1


@pytest.mark.docker
def test_an_instance_is_valid_where_its_own_patch_resolves_it_and_none_does_not(world: World, tmp_path: Path) -> None:
    found = check(world.one, world.environments, tmp_path, empty=True, seconds=60)
    assert found.word == "valid"
    assert "0/1, 1/1" in found.line()
    assert untouched(world.environments.ready(world.one), world.one, tmp_path) == found.empty


def test_a_prediction_for_no_instance_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="predictions for instances that the data does not have: acme__tool-1"):
        grade_all([Prediction("acme__tool-1", "m", "x")], [], Environments(tmp_path), tmp_path)


def test_an_empty_patch_needs_no_container(tmp_path: Path) -> None:
    one = project(tmp_path)
    assert grade(Place("", "", tmp_path), one, "\n", tmp_path).status == "empty"


def blank() -> Grade:
    return Grade("i", "k", "error")


def log(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(["+ : '>>>>> Start Test Output'", *lines, "+ : '>>>>> End Test Output'"]))
    return path


@pytest.fixture
def one(tmp_path: Path) -> Instance:
    return project(tmp_path / "repos")


def test_a_log_without_its_end_is_unresolved_by_the_official_rules(one: Instance, tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_text("+ : '>>>>> Start Test Output'\nPASSED test_tool.py::test_zero\nPASSED test_tool.py::test_type\n")
    assert verdict(one, path, blank()).status == "unresolved"


def test_what_is_printed_around_the_tests_does_not_count(one: Instance, tmp_path: Path) -> None:
    path = log(tmp_path / "log", "PASSED test_tool.py::test_type", "FAILED test_tool.py::test_zero - assert 1 == 0")
    path.write_text("PASSED test_tool.py::test_zero\n" + path.read_text() + "\nPASSED test_tool.py::test_zero\n")
    assert verdict(one, path, blank()).fail_to_pass == (0, 1)


def test_a_test_that_is_skipped_has_not_passed(one: Instance, tmp_path: Path) -> None:
    path = log(tmp_path / "log", "PASSED test_tool.py::test_zero", "SKIPPED [1] test_tool.py:5: no")
    assert verdict(one, path, blank()) == replace(
        blank(), status="unresolved", fail_to_pass=(1, 1), pass_to_pass=(0, 1), why="not passed: test_tool.py::test_type"
    )


@pytest.mark.parametrize(
    ("gold", "empty", "word"),
    [
        (("resolved", (1, 1), (2, 2)), ("unresolved", (0, 1), (2, 2)), "valid"),
        (("resolved", (2, 2), (2, 2)), ("unresolved", (1, 2), (2, 2)), "usable"),
        (("resolved", (2, 2), (2, 2)), ("resolved", (2, 2), (2, 2)), "no"),
        (("unresolved", (1, 1), (1, 2)), ("unresolved", (0, 1), (1, 2)), "no"),
        (("resolved", (1, 1), (2, 2)), None, "gold resolves"),
    ],
)
def test_what_an_instance_is_worth(gold: tuple[object, ...], empty: tuple[object, ...] | None, word: str) -> None:
    made = [Grade("i", "k", *found) if found else None for found in (gold, empty)]  # type: ignore[arg-type]
    assert made[0] is not None
    assert Finding("i", 1.0, made[0], made[1]).word == word
