from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from swesearch.base import State
from swesearch.discriminator.hunks import hunks, rebuild
from swesearch.discriminator.minimise import minimise
from tests.discriminator.project import Project

OLD = "".join(f"line {number}\n" for number in range(20))


def changed(*numbers: int) -> str:
    return "".join(f"new {number}\n" if number in numbers else f"line {number}\n" for number in range(20))


def test_hunks_that_are_not_needed_are_dropped(make_project) -> None:
    project = make_project({"a.py": OLD, "b.py": OLD})
    result = project.state({"a.py": changed(3, 9, 15), "b.py": changed(1)})
    least = minimise(project.store, project.root, result, lambda state: "new 9" in project.text(state, "a.py"))
    assert least == project.state({"a.py": changed(9)})


def test_lines_changed_side_by_side_are_told_apart(make_project) -> None:
    project = make_project({"a.py": OLD})
    least = minimise(
        project.store, project.root, project.state({"a.py": changed(4, 5, 6)}), lambda state: "new 5" in project.text(state, "a.py")
    )
    assert least == project.state({"a.py": changed(5)})


def test_what_is_all_needed_stays_as_it_is(make_project) -> None:
    project = make_project({"a.py": OLD})
    result = project.state({"a.py": changed(3, 9)})
    assert minimise(project.store, project.root, result, lambda state: state == result) == result


def test_new_and_deleted_files_are_taken_or_left_whole(make_project) -> None:
    project = make_project({"a.py": OLD, "gone.py": "x = 1\n"})
    result = project.state({"a.py": changed(3), "gone.py": None, "new.py": "y = 2\n", "helper.py": "z = 3\n"})
    least = minimise(project.store, project.root, result, lambda state: "new.py" in project.store.files(state))
    assert project.store.files(least).keys() == {"a.py", "gone.py", "new.py"}
    assert project.text(least, "a.py") == OLD


def test_a_single_hunk_is_never_tried_without(make_project) -> None:
    project = make_project({"a.py": OLD})
    result = project.state({"a.py": changed(3)})
    assert minimise(project.store, project.root, result, never) == result


def never(state: State) -> bool:
    raise AssertionError("nothing was to be tried")


@pytest.mark.parametrize("most", [0, 1, 5])
def test_no_more_is_tried_than_allowed_and_what_was_found_good_so_far_is_kept(make_project, most: int) -> None:
    project = make_project({"a.py": OLD})
    tried = []

    def still_good(state: State) -> bool:
        tried.append(state)
        return "new 9" in project.text(state, "a.py")

    result = project.state({"a.py": changed(*range(1, 19, 2))})
    least = minimise(project.store, project.root, result, still_good, most)
    assert len(tried) <= most
    assert least == result or (least in tried and "new 9" in project.text(least, "a.py"))


@given(st.sets(st.integers(0, 19), min_size=1), st.data())
@settings(max_examples=30)
def test_what_is_left_is_exactly_what_is_needed(tmp_path_factory, numbers: set[int], data: st.DataObject) -> None:
    project = Project(tmp_path_factory.mktemp("p"), {"a.py": OLD})
    needed = data.draw(st.sets(st.sampled_from(sorted(numbers)), min_size=1))

    def still_good(state: State) -> bool:
        return all(f"new {number}\n" in project.text(state, "a.py") for number in needed)

    result = project.state({"a.py": changed(*numbers)})
    assert minimise(project.store, project.root, result, still_good, 500) == project.state({"a.py": changed(*needed)})


@given(
    st.lists(st.sampled_from(["a\n", "b\n", "c\r\n", "\n"]), max_size=8), st.lists(st.sampled_from(["a\n", "b\n", "d\n", "e"]), max_size=8)
)
@settings(max_examples=50)
def test_dropping_every_hunk_but_one_at_a_time_gives_the_root_in_the_end(tmp_path_factory, old: list[str], new: list[str]) -> None:
    project = Project(tmp_path_factory.mktemp("p"), {"other": "x", "a.py": ""})
    root = project.state({"a.py": "".join(old) + "!"})
    result = project.state({"a.py": "".join(new) + "?"})
    every = hunks(project.store, root, result)
    assert rebuild(project.store, root, result, every) == root
    assert rebuild(project.store, root, result, ()) == result
