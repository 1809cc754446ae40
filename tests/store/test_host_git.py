"""Nothing that a repository brings is run on the host, and nothing of the user's is written before `apply`.

Each vector is first shown to work: plain git, in the same repository, runs it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.attack.git_vectors import FILES, VECTORS, Vector, everything, plain_git, plant, program
from swesearch.apply import apply_patch
from swesearch.base import Create, Delete, Rename, Replace, UsageError
from swesearch.store import Store


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "it-ran"


@pytest.fixture
def victim(tmp_path, marker) -> Callable[[Vector], Path]:
    """Plant a vector in a dirty repository."""
    return lambda vector: plant(tmp_path / "repo", vector, marker)


@pytest.mark.parametrize("name", VECTORS)
def test_plain_git_runs_it_and_the_store_does_not(victim, marker, tmp_path, name) -> None:
    folder = victim(VECTORS[name])
    everything(folder, tmp_path / "store.git")
    assert not marker.exists()
    plain_git(folder, VECTORS[name])
    assert marker.exists(), "the vector does not work, so the test shows nothing"


@pytest.mark.parametrize("how", [{}, {"commit": True, "branch": "mended", "message": "m"}])
@pytest.mark.parametrize("name", VECTORS)
def test_apply_does_not_run_it_either(victim, git, marker, tmp_path, name, how) -> None:
    folder = victim(VECTORS[name])
    store = Store.open(folder, tmp_path / "store.git")
    root = store.root()
    state = store.apply(
        root, [Replace("a.py", b"one", b"1"), Create("made.py", b"m\n"), Delete("pkg/b.py"), Rename("data.bin", "x/moved.bin")]
    )
    if name.startswith("filter") and how.get("commit"):
        with pytest.raises(UsageError, match="must pass a filter"):
            apply_patch(folder, store, root, state, **how)
        assert (folder / "a.py").read_text() == "one\n2\n"
    else:
        apply_patch(folder, store, root, state, **how)
        assert (folder / "a.py").read_text() == "1\n2\n"
    store.close()
    assert not marker.exists()


def test_a_store_folder_that_the_repository_brought_is_not_believed(repo, marker, tmp_path) -> None:
    folder = repo({**FILES, "runs/store.git/HEAD": "ref: refs/heads/x\n", "runs/store.git/objects/info/alternates": "/nowhere\n"})
    run = program(folder / "runs/store.git/run", marker)
    evil = f"[core]\nfsmonitor = {run}\nworktree = /\n[diff]\nexternal = {run}\n[include]\npath = /nowhere\n"
    (folder / "runs/store.git/config").write_text(textwrap.dedent(evil))
    (tmp_path / "mine").write_text("mine\n")
    (folder / "runs/store.git/info").mkdir()
    (folder / "runs/store.git/info/attributes").symlink_to(tmp_path / "mine")
    everything(folder, folder / "runs/store.git")
    assert not marker.exists()
    assert (tmp_path / "mine").read_text() == "mine\n"


@pytest.mark.parametrize("where", ["", "pkg"])
def test_the_working_copy_and_the_repository_are_never_written(repo, git, fingerprint, tmp_path, where) -> None:
    folder = repo(FILES)
    git(folder, "update-index", "--split-index")
    (folder / "a.py").write_text("dirty\none\n")
    (folder / "staged.py").write_text("s\n")
    git(folder, "add", "staged.py")
    (folder / "untracked.py").write_text("u\n")
    before = fingerprint(folder)
    everything(folder / where, tmp_path / "store.git")
    assert fingerprint(folder) == before


def test_variables_of_a_surrounding_git_do_not_lead_elsewhere(repo, git, tmp_path, monkeypatch) -> None:
    folder, other = repo(FILES), repo({"other.py": ""}, name="other")
    for name, value in (
        ("GIT_DIR", ".git"),
        ("GIT_WORK_TREE", "."),
        ("GIT_INDEX_FILE", ".git/index"),
        ("GIT_OBJECT_DIRECTORY", ".git/objects"),
    ):
        monkeypatch.setenv(name, str(other / value))
    store = Store.open(folder, tmp_path / "store.git")
    assert sorted(store.files(store.root())) == sorted(FILES)
    store.close()
