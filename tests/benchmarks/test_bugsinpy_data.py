"""Reading the BugsInPy data set, from a checkout and from a bare clone, on a small data set of our own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.bugsinpy_data import (
    Bug,
    DataError,
    clone_of,
    gold_files,
    gold_lines,
    interpreter,
    load,
    names,
    node_ids,
    wanted,
    work_copy,
)

PATCH = """\
diff --git a/shop/cart.py b/shop/cart.py
--- a/shop/cart.py
+++ b/shop/cart.py
@@ -1,2 +1,2 @@
 def total(prices):
-    return max(prices)
+    return sum(prices)
"""


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path, files: dict[str, str]) -> str:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content)
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "a version")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repos(tmp_path: Path) -> Path:
    """A clone of one project with a buggy and a fixed version."""
    folder = tmp_path / "repos" / "owner+shop" / "repo"
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    commit(folder, {"shop/cart.py": "def total(prices):\n    return max(prices)\n", "requirements.txt": "attrs>=19\nshop==1\n-e .\n"})
    commit(folder, {"shop/cart.py": "def total(prices):\n    return sum(prices)\n", "tests/test_cart.py": "def test_total(): pass\n"})
    return tmp_path / "repos"


@pytest.fixture
def data(tmp_path: Path, repos: Path) -> Path:
    """A data set with one bug."""
    folder = tmp_path / "data"
    folder.mkdir()
    git(folder, "init", "-q")
    buggy, fixed = git(repos / "owner+shop" / "repo", "log", "--reverse", "--format=%H").split()
    info = f'python_version="3.8.3"\nbuggy_commit_id="{buggy}"\nfixed_commit_id ="{fixed}"\ntest_file="tests/test_cart.py"\n'
    bug = "projects/shop/bugs/7/"
    script = "python -m unittest -q tests.test_cart.TestCart.test_total\n"
    commit(folder, {bug + "bug.info": info, bug + "bug_patch.txt": PATCH, bug + "run_test.sh": script})
    return folder


@pytest.fixture(params=["checkout", "bare clone"])
def source(request: pytest.FixtureRequest, data: Path, tmp_path: Path) -> Path:
    if request.param == "checkout":
        return data
    git(tmp_path, "clone", "-q", "--bare", str(data), "bare.git")
    return tmp_path / "bare.git"


def test_a_bug_is_read_from_a_checkout_and_from_a_bare_clone(source: Path) -> None:
    bug = load(source, "shop-7")
    assert (bug.name, bug.python, bug.test_files, bug.requirements) == ("shop-7", "3.8", ("tests/test_cart.py",), ())
    assert bug.gold == PATCH.encode()


def test_a_bug_that_is_not_there_is_a_data_error(source: Path) -> None:
    with pytest.raises(DataError):
        load(source, "shop-8")


def test_the_work_copy_is_the_buggy_code_under_the_fixed_tests(data: Path, repos: Path, tmp_path: Path) -> None:
    work_copy(load(data, "shop-7"), clone_of(repos, "shop"), None, tmp_path / "work")
    assert "max" in (tmp_path / "work/shop/cart.py").read_text()
    assert (tmp_path / "work/tests/test_cart.py").is_file()
    assert git(tmp_path / "work", "status", "--porcelain") == ""


def test_an_overlay_replaces_the_data_sets_tests(data: Path, repos: Path, tmp_path: Path) -> None:
    (tmp_path / "overlay/tests").mkdir(parents=True)
    (tmp_path / "overlay/tests/test_cart.py").write_text("ours\n")
    work_copy(load(data, "shop-7"), clone_of(repos, "shop"), tmp_path / "overlay", tmp_path / "work")
    assert (tmp_path / "work/tests/test_cart.py").read_text() == "ours\n"


def test_the_upstream_version_of_patched_files_is_known(data: Path, repos: Path) -> None:
    assert gold_files(load(data, "shop-7"), clone_of(repos, "shop")) == {"shop/cart.py": b"def total(prices):\n    return sum(prices)\n"}


def test_a_project_without_a_clone_is_a_data_error(repos: Path) -> None:
    with pytest.raises(DataError, match="no clone of shopping"):
        clone_of(repos, "shopping")


def test_unittest_names_become_node_ids(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_text("")
    script = "python -m unittest -q tests.test_a.TestA.test_f\npytest -q tests/test_a.py::test_g\r\n"
    assert node_ids(script, tmp_path) == ("tests/test_a.py::TestA::test_f", "tests/test_a.py::test_g")


@pytest.fixture
def a_bug(data: Path) -> Callable[..., Bug]:
    return lambda **changes: Bug(**{**{name: getattr(load(data, "shop-7"), name) for name in Bug.__slots__}, **changes})


def test_frozen_lists_are_installed_without_the_project_and_what_no_index_has(a_bug: Callable[..., Bug], tmp_path: Path) -> None:
    frozen = ("attrs==19.3.0", "-e git+https://example.com/shop#egg=shop", "pkg-resources==0.0.0", "Shop==1.0", "", "# six")
    assert wanted(a_bug(requirements=frozen, setup="pip3 install nose "), tmp_path) == ("attrs==19.3.0", "nose")


def test_without_a_list_the_repositorys_own_is_installed(a_bug: Callable[..., Bug], tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("attrs>=19\nshop==1\n-e .\n".encode("utf-16"))
    assert wanted(a_bug(), tmp_path) == ("attrs>=19",)


def test_the_newest_matching_interpreter_is_taken(tmp_path: Path) -> None:
    for version in ("3.8.9", "3.8.18", "3.81.0"):
        (tmp_path / version / "bin").mkdir(parents=True)
        (tmp_path / version / "bin/python").write_text("")
    assert interpreter(tmp_path, "3.8") == tmp_path / "3.8.18/bin/python"
    with pytest.raises(DataError, match=r"no Python 3\.7"):
        interpreter(tmp_path, "3.7")


def test_changed_lines_are_those_of_the_old_version() -> None:
    assert gold_lines(PATCH.encode()) == {"shop/cart.py": (2,)}


def test_an_insertion_stands_between_its_neighbours() -> None:
    patch = b"--- a/a.py\n+++ b/a.py\n@@ -5,2 +5,3 @@\n five\n+new\n six\n"
    assert gold_lines(patch) == {"a.py": (5, 6)}


def test_names_are_separated_by_commas_or_spaces() -> None:
    assert names(["a-1,b-2", "c-3"]) == ("a-1", "b-2", "c-3")
