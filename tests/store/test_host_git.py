"""Nothing that a repository brings is run on the host, and nothing of the user's is written before `apply`.

Each vector is first shown to work: plain git, in the same repository, runs it.
"""

from __future__ import annotations

import os
import pty
import subprocess
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from swesearch.apply import apply_patch
from swesearch.base import Create, Delete, Rename, Replace, UsageError
from swesearch.store import Store

FILES = {"a.py": "one\ntwo\n", "data.bin": b"\0\1\2", "pkg/b.py": "b\n", "gone.py": "g\n"}


@dataclass(frozen=True)
class Vector:
    """A way to have git run a program: lines of .git/config ("{run}" is the program), attributes, a hook, and what sets it off."""

    config: str = ""
    attributes: str = ""
    hook: str = ""
    trigger: tuple[str, ...] = ("status",)
    terminal: bool = False
    stdin: bytes = b""


DIRTY = ("add", "a.py")
COMMIT = ("commit", "-q", "--allow-empty", "-m", "x")
VECTORS = {
    "hook-pre-commit": Vector(hook="pre-commit", trigger=COMMIT),
    "hook-prepare-commit-msg": Vector(hook="prepare-commit-msg", trigger=COMMIT),
    "hook-post-commit": Vector(hook="post-commit", trigger=COMMIT),
    "hook-post-index-change": Vector(hook="post-index-change", trigger=DIRTY),
    "hook-reference-transaction": Vector(hook="reference-transaction", trigger=("branch", "x")),
    "hook-post-checkout": Vector(hook="post-checkout", trigger=("checkout", "-q", "-b", "x")),
    "hooks-path": Vector(config="[core]\nhooksPath = {folder}/evil", trigger=COMMIT),
    "filter-clean": Vector(config='[filter "f"]\nclean = {run}; cat', attributes="* filter=f", trigger=DIRTY),
    "filter-smudge": Vector(config='[filter "f"]\nsmudge = {run}; cat', attributes="* filter=f", trigger=("checkout", "-q", "gone.py")),
    "filter-process": Vector(config='[filter "f"]\nprocess = {run}', attributes="* filter=f", trigger=DIRTY),
    "textconv": Vector(config='[diff "d"]\ntextconv = {run}; cat', attributes="* diff=d", trigger=("diff",)),
    "diff-driver": Vector(config='[diff "d"]\ncommand = {run}', attributes="* diff=d", trigger=("diff",)),
    "diff-external": Vector(config="[diff]\nexternal = {run}", trigger=("diff",)),
    "merge-driver": Vector(
        config='[merge "m"]\ndriver = {run}; true', attributes="* merge=m", trigger=("merge", "-q", "--no-edit", "other")
    ),
    "fsmonitor": Vector(config="[core]\nfsmonitor = {run}"),
    "fsmonitor-included": Vector(config="[include]\npath = {folder}/evil/included"),
    "ssh-command": Vector(config='[core]\nsshCommand = {run}\n[remote "origin"]\nurl = ssh://nowhere.invalid/x', trigger=("fetch",)),
    "upload-pack": Vector(config='[protocol "ext"]\nallow = always\n[remote "origin"]\nurl = ext::{run}', trigger=("fetch",)),
    "promisor": Vector(
        config='[core]\nrepositoryformatversion = 1\n[extensions]\npartialClone = origin\n[protocol "ext"]\nallow = always\n'
        '[remote "origin"]\nurl = ext::{run}\npromisor = true',
        trigger=("cat-file", "-p", "1" * 40),
    ),
    "pager": Vector(config="[core]\npager = {run}; cat", trigger=("-p", "log"), terminal=True),
    "editor": Vector(config="[core]\neditor = {run}", trigger=("commit", "--allow-empty")),
    "credential-helper": Vector(
        config='[credential]\nhelper = "!{run}"', trigger=("credential", "fill"), stdin=b"protocol=https\nhost=x.invalid\n\n"
    ),
    "alias": Vector(config="[alias]\nevil = !{run}", trigger=("evil",)),
    "gpg": Vector(config="[commit]\ngpgSign = true\n[gpg]\nprogram = {run}", trigger=COMMIT),
}


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "it-ran"


@pytest.fixture
def victim(repo, git, marker) -> Callable[[Vector], Path]:
    """Plant a vector in a dirty repository with everything in it that our commands look at."""

    def plant(vector: Vector) -> Path:
        folder = repo(FILES)
        conflict(git, folder)
        evil = folder / ".git/evil"
        evil.mkdir()
        run = program(evil / "run", marker)
        program(evil / "pre-commit", marker)
        (evil / "included").write_text(f"[core]\nfsmonitor = {run}\n")
        with (folder / ".git/config").open("a") as config:
            config.write("\n" + vector.config.format(run=run, folder=folder / ".git") + "\n")
        if vector.attributes:
            (folder / ".gitattributes").write_text(vector.attributes + "\n")
        if vector.hook:
            program(folder / ".git/hooks" / vector.hook, marker)
        (folder / "a.py").write_text("one\n2\n")
        (folder / "new.py").write_text("new\n")
        (folder / "gone.py").unlink()
        return folder

    return plant


def conflict(git, folder: Path) -> None:
    """A branch `other` that changes pkg/b.py in another way than `main` does."""
    for branch, text in (("other", "theirs\n"), ("main", "ours\n")):
        git(folder, "checkout", "-q", "-B", branch, "main~0")
        (folder / "pkg/b.py").write_text(text)
        git(folder, "commit", "-qam", text)
        if branch == "other":
            git(folder, "checkout", "-q", "main")


def program(path: Path, marker: Path) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    path.chmod(0o755)
    return str(path)


def plain_git(folder: Path, vector: Vector) -> None:
    """Do what a careless tool would: run git in the repository."""
    env = {**os.environ, "GIT_ASKPASS": "true"}
    if not vector.terminal:
        subprocess.run(["git", *vector.trigger], cwd=folder, env=env, input=vector.stdin, capture_output=True, check=False, timeout=30)
        return
    ours, theirs = pty.openpty()
    subprocess.run(["git", *vector.trigger], cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs, check=False, timeout=30)
    os.close(theirs)
    os.close(ours)


def everything(folder: Path, store_folder: Path) -> None:
    """Every operation of the store and of apply."""
    store = Store.open(folder, store_folder)
    root = store.root()
    edits = [Replace("a.py", b"one", b"1"), Create("made.py", b"m\n"), Delete("pkg/b.py"), Rename("data.bin", "moved.bin")]
    state = store.apply(root, edits)
    store.files(state)
    store.read(state, "a.py")
    store.diff(root, state)
    store.changed(root, state)
    store.texts(root, state)
    store.overlay(state, root, ["pkg/b.py"])
    store.archive(state)
    store.close()
    store.archive(root)
    store.close()


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
