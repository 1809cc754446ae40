"""A patch says exactly what differs: git applies it and gets the same tree."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.base import File
from swesearch.base import Create, Delete, Edit, EditError, Rename, Replace, State
from swesearch.store import EXECUTABLE, SYMLINK, Store

NAMES = [
    "a.py",
    "crlf.txt",
    "no newline",
    "empty",
    "bin\x01",
    'quo"te',
    "new\nline",
    "tab\t",
    "é/ü.py",
    "d/e/f.py",
    "d/e/g.py",
    "d-e",
    "link",
    "run.sh",
]
CONTENTS = [b"", b"x", b"x\n", b"one\r\ntwo\r\n", b"\xff\xfe\n", b"a\0b\n", b"\n\n\n", b"line\n" * 300 + b"end", "é\n".encode()]


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> tuple[Path, Store, State]:
    """A repository with every kind of file, and its store."""
    folder = tmp_path_factory.mktemp("property") / "repo"
    for number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(CONTENTS[number % len(CONTENTS)])
    (folder / "run.sh").chmod(0o755)
    (folder / "link").unlink()
    (folder / "link").symlink_to("d/e/f.py")
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-A"], cwd=folder, check=True)
    subprocess.run(["git", "commit", "-qm", "start"], cwd=folder, check=True)
    store = Store.open(folder, folder.parent / "store.git")
    yield folder, store, store.root()
    store.close()


paths = st.sampled_from(NAMES) | st.sampled_from(["new", "d/new é", "d/e/h/i", "z\nz", " "])
contents = st.sampled_from(CONTENTS) | st.binary(max_size=40)
edits: st.SearchStrategy[Edit] = st.one_of(
    st.builds(Replace, paths, contents, contents, st.none() | st.integers(0, 9)),
    st.builds(Replace, paths, st.just(b""), contents, st.integers(0, 9)),
    st.builds(Create, paths, contents, st.booleans()),
    st.builds(Delete, paths),
    st.builds(Rename, paths, paths),
)


def git_apply(folder: Path, scratch: Path, patch: bytes, *options: str) -> str:
    """The tree that git makes of the commit and a patch, in an index of its own."""
    env = {**os.environ, "GIT_INDEX_FILE": str(scratch)}
    if not options:
        subprocess.run(["git", "read-tree", "HEAD"], cwd=folder, env=env, check=True)
    subprocess.run(["git", "apply", "--cached", *options, "-"], cwd=folder, env=env, check=True, input=patch, capture_output=True)
    return subprocess.run(["git", "write-tree"], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout.strip()


@settings(max_examples=40)
@given(steps=st.lists(edits, min_size=1, max_size=6))
def test_a_patch_applied_by_git_gives_the_same_tree_and_its_reverse_the_root(clone, tmp_path, steps) -> None:
    folder, store, root = clone
    state = root
    for edit in steps:
        try:
            state = store.apply(state, [edit])
        except EditError:
            continue
    patch = store.diff(root, state)
    assert bool(patch) == (state != root)
    if patch:
        assert git_apply(folder, tmp_path / "index", patch) == state.tree
        assert git_apply(folder, tmp_path / "index", store.diff(state, root), "--whitespace=nowarn") == root.tree


@settings(max_examples=80)
@given(steps=st.lists(edits, min_size=1, max_size=6))
def test_what_changed_laid_over_the_root_is_the_state(clone, steps) -> None:
    _, store, root = clone
    state = root
    for edit in steps:
        try:
            state = store.apply(state, [edit])
        except EditError:
            continue
    laid = {path: seen(store, root, path) for path in store.files(root)}
    for path, file in store.changed(root, state).items():
        if file is None:
            del laid[path]
        else:
            laid[path] = file
    assert laid == {path: seen(store, state, path) for path in store.files(state)}
    for path, before, after in store.texts(root, state):
        assert before == (store.read(root, path) if path in store.files(root) else None)
        assert after == (store.read(state, path) if path in store.files(state) else None)


def seen(store: Store, state: State, path: str) -> File:
    mode = store.files(state)[path].mode
    return File(store.read(state, path), executable=mode == EXECUTABLE, symlink=mode == SYMLINK)


def test_deletions_come_before_what_may_need_their_place(repo, opened) -> None:
    store = opened(repo({"b": "", "c": ""}))
    state = store.apply(store.root(), [Rename("b", "a"), Delete("c"), Create("c/d", b"")])
    assert list(store.changed(store.root(), state)) == ["b", "c", "a", "c/d"]


def test_no_difference_is_an_empty_patch(repo, opened) -> None:
    store = opened(repo({"a": ""}))
    assert store.diff(store.root(), store.root()) == b""
    assert store.changed(store.root(), store.root()) == {}


def test_a_patch_reads_as_a_person_expects(repo, opened) -> None:
    store = opened(repo({"é/a b.py": "one\ntwo\nthree\n"}))
    patch = store.diff(store.root(), store.apply(store.root(), [Replace("é/a b.py", b"two", b"2")]))
    assert patch.splitlines()[0] == "diff --git a/é/a b.py b/é/a b.py".encode()
    assert patch.endswith(b"@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n")


def test_an_archive_holds_the_state_and_is_equal_for_equal_states(clone, tmp_path) -> None:
    _, store, root = clone
    state = store.apply(root, [Create("latin\udce9", b"x"), Create("d/" + "n" * 150 + "/" + "m" * 150, b"long")])
    archive = store.archive(state)
    again = store.apply(store.apply(state, [Create("other", b"")]), [Delete("other")])
    assert store.archive(again) == archive
    with tarfile.open(fileobj=io.BytesIO(archive), encoding="utf-8", errors="surrogateescape") as tar:
        members = {member.name: member for member in tar}
        assert sorted(name for name, member in members.items() if not member.isdir()) == sorted(store.files(state))
        assert members["d/e"].isdir()
        assert members["d/e"].mode == 0o755
        assert members["link"].issym()
        assert members["link"].linkname == "d/e/f.py"
        assert members["run.sh"].mode == 0o755
        assert members["a.py"].mode == 0o644
        assert all(tar.extractfile(m).read() == store.read(state, m.name) for m in members.values() if m.isreg())
        assert {(m.uid, m.gid, m.mtime) for m in members.values()} == {(0, 0, 0)}


def test_a_submodule_is_an_empty_folder_of_the_archive(repo, git, opened) -> None:
    folder = repo({"a": ""})
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    store = opened(folder)
    with tarfile.open(fileobj=io.BytesIO(store.archive(store.root()))) as tar:
        assert tar.getmember("sub").isdir()
