"""The root is what the user sees, byte for byte, whatever the state of their repository."""

from __future__ import annotations

import os
import shutil

import pytest

from swesearch.base import Replace, UsageError
from swesearch.store import EXECUTABLE, FILE, SUBMODULE, SYMLINK, Entry, Store


def test_the_root_of_a_clean_repository_is_the_tree_of_its_commit(repo, git, opened) -> None:
    folder = repo({"a.py": "x = 1\n", "b/c.py": "", "b.py": "y\n", "b-c": "z\n"})
    (folder / "b/link").symlink_to("../a.py")
    (folder / "run.sh").write_text("exit\n")
    (folder / "run.sh").chmod(0o755)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "more")
    store = opened(folder)
    assert store.root().tree == git(folder, "rev-parse", "HEAD^{tree}").decode().strip()
    assert {path: entry.mode for path, entry in store.files(store.root()).items()} == {
        "a.py": FILE,
        "b-c": FILE,
        "b.py": FILE,
        "b/c.py": FILE,
        "b/link": SYMLINK,
        "run.sh": EXECUTABLE,
    }


def test_the_root_holds_changes_and_new_files_but_not_deleted_or_ignored_ones(repo, opened) -> None:
    folder = repo({"kept.py": "", "changed.py": "1\n", "gone.py": "", ".gitignore": "*.log\n/build/\n", "forced.log": ""})
    (folder / "changed.py").write_text("2\n")
    (folder / "gone.py").unlink()
    (folder / "new.py").write_text("3\n")
    (folder / "debug.log").write_text("")
    (folder / "build").mkdir()
    (folder / "build/x").write_text("")
    (folder / ".git/info").mkdir(exist_ok=True)
    (folder / ".git/info/exclude").write_text("mine\n")
    (folder / "mine").write_text("")
    store = opened(folder)
    root = store.root()
    assert sorted(store.files(root)) == [".gitignore", "changed.py", "kept.py", "new.py"]
    assert store.read(root, "changed.py") == b"2\n"
    assert store.read(root, "new.py") == b"3\n"


def test_files_that_the_users_own_git_settings_ignore_are_left_out(repo, opened, tmp_path, monkeypatch) -> None:
    (tmp_path / "ignore").write_text("*.swp\n")
    (tmp_path / "gitconfig").write_text(f"[core]\n\texcludesFile = {tmp_path / 'ignore'}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    folder = repo({"a.py": ""})
    (folder / "a.swp").write_text("")
    store = opened(folder)
    assert sorted(store.files(store.root())) == ["a.py"]


def test_a_tracked_file_that_is_ignored_is_still_seen(repo, git, opened) -> None:
    folder = repo({".gitignore": "*.log\n"})
    (folder / "kept.log").write_text("1")
    git(folder, "add", "-f", "kept.log")
    store = opened(folder)
    assert store.read(store.root(), "kept.log") == b"1"


def test_staged_but_not_committed_files_are_seen_as_they_are_on_disk(repo, git, opened) -> None:
    folder = repo({"a.py": "1\n"})
    (folder / "a.py").write_text("2\n")
    (folder / "new.py").write_text("")
    (folder / "intended.py").write_text("")
    git(folder, "add", "a.py", "new.py")
    git(folder, "add", "-N", "intended.py")
    (folder / "a.py").write_text("3\n")
    store = opened(folder)
    root = store.root()
    assert store.read(root, "a.py") == b"3\n"
    assert store.read(root, "intended.py") == b""
    store.archive(root)


def test_bytes_are_as_on_disk_whatever_the_attributes_say(repo, opened) -> None:
    attributes = "* text=auto eol=crlf\n*.id ident\n*.u16 working-tree-encoding=UTF-16\n"
    folder = repo({".gitattributes": attributes, "a.txt": "1\n", "a.id": "$Id$\n", "a.u16": "x\n".encode("utf-16"), "raw.txt": "x\n"})
    (folder / "a.txt").write_bytes(b"one\r\ntwo\nthree\r\n")
    (folder / "b.txt").write_bytes(b"new\r\n")
    store = opened(folder)
    root = store.root()
    for path in (folder / name for name in ("a.txt", "b.txt", "a.id", "a.u16", "raw.txt")):
        assert store.read(root, path.name) == path.read_bytes()


def test_a_change_that_keeps_size_and_time_is_still_seen(repo, opened) -> None:
    folder = repo({"a.py": "one\n"})
    before = (folder / "a.py").stat()
    (folder / "a.py").write_text("two\n")
    os.utime(folder / "a.py", ns=(before.st_atime_ns, before.st_mtime_ns))
    store = opened(folder)
    assert store.read(store.root(), "a.py") == b"two\n"


def test_a_subfolder_stands_for_the_whole_repository(repo, opened) -> None:
    folder = repo({"src/lib/a.py": "", "top.py": ""})
    store = opened(folder / "src/lib")
    assert store.prefix == "src/lib"
    assert sorted(store.files(store.root())) == ["src/lib/a.py", "top.py"]
    assert opened(folder).prefix == ""


def test_a_linked_work_tree_is_seen_by_itself(repo, git, opened, tmp_path) -> None:
    folder = repo({"a.py": "1\n"})
    git(folder, "worktree", "add", "-q", str(tmp_path / "linked"))
    (tmp_path / "linked/a.py").write_text("2\n")
    store = opened(tmp_path / "linked")
    assert store.read(store.root(), "a.py") == b"2\n"


def test_a_shallow_clone_can_be_searched(repo, git, opened, tmp_path) -> None:
    folder = repo({"a.py": "1\n"})
    (folder / "a.py").write_text("2\n")
    git(folder, "commit", "-qam", "two")
    git(tmp_path, "clone", "-q", "--depth", "1", folder.as_uri(), "shallow")
    store = opened(tmp_path / "shallow")
    state = store.apply(store.root(), [Replace("a.py", b"2", b"3")])
    assert b"-2\n+3\n" in store.diff(store.root(), state)


def test_submodules_are_left_alone(repo, git, opened) -> None:
    inner = repo({"inner.py": ""}, name="inner")
    folder = repo({"a.py": ""})
    git(folder, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner), "sub")
    git(folder, "commit", "-qam", "sub")
    (folder / "sub/inner.py").write_text("changed\n")
    (folder / "sub/new.py").write_text("new\n")
    store = opened(folder)
    commit = git(folder, "rev-parse", "HEAD:sub").decode().strip()
    assert store.root().tree == git(folder, "rev-parse", "HEAD^{tree}").decode().strip()
    assert store.files(store.root())["sub"] == Entry(SUBMODULE, commit)
    inside = opened(folder / "sub", name="inside.git")
    assert inside.read(inside.root(), "inner.py") == b"changed\n"


def test_repositories_inside_the_repository_are_not_looked_into(repo, git, opened) -> None:
    folder = repo({"a.py": ""})
    shutil.copytree(repo({"x.py": ""}, name="other"), folder / "nested")
    store = opened(folder)
    assert sorted(store.files(store.root())) == ["a.py"]


@pytest.mark.parametrize(
    "setup", [("update-index", "--split-index"), ("update-index", "--index-version", "4"), ("config", "feature.manyFiles", "true")]
)
def test_every_form_of_index_can_be_read(repo, git, opened, setup) -> None:
    folder = repo({"a.py": "", "b/c.py": ""})
    git(folder, *setup)
    (folder / "d.py").write_text("")
    git(folder, "add", "d.py")
    store = opened(folder)
    assert sorted(store.files(store.root())) == ["a.py", "b/c.py", "d.py"]


@pytest.mark.parametrize("mode", [["--no-sparse-index"], ["--sparse-index"]])
def test_files_that_a_sparse_checkout_leaves_out_are_still_in_the_state(repo, git, opened, mode) -> None:
    folder = repo({"a/x.py": "1\n", "b/y.py": "2\n"})
    git(folder, "sparse-checkout", "set", "--cone", *mode, "a")
    assert not (folder / "b").exists()
    store = opened(folder)
    assert store.read(store.root(), "b/y.py") == b"2\n"


def test_a_partial_and_sparse_clone_holds_what_is_there_and_fetches_nothing(repo, git, opened, tmp_path) -> None:
    folder = repo({"a/x.py": "1\n", "b/y.py": "2\n"})
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=blob:none", "--sparse", folder.as_uri(), "partial")
    git(tmp_path / "partial", "sparse-checkout", "set", "a")
    shutil.rmtree(folder)
    store = opened(tmp_path / "partial")
    root = store.root()
    assert sorted(store.files(root)) == ["a/x.py"]
    store.archive(root)


def test_a_file_replaced_by_a_folder_and_a_folder_replaced_by_a_link(repo, opened, tmp_path) -> None:
    folder = repo({"a": "file\n", "b/x.py": "secret?\n", "c/d": ""})
    (folder / "a").unlink()
    (folder / "a").mkdir()
    (folder / "a/x").write_text("new\n")
    shutil.rmtree(folder / "b")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/x.py").write_text("outside\n")
    (folder / "b").symlink_to(tmp_path / "outside")
    store = opened(folder)
    files = store.files(store.root())
    assert {path: entry.mode for path, entry in files.items()} == {"a/x": FILE, "b": SYMLINK, "c/d": FILE}


def test_a_pipe_in_place_of_a_tracked_file_does_not_block(repo, opened) -> None:
    folder = repo({"a.py": "", "b.py": ""})
    (folder / "a.py").unlink()
    os.mkfifo(folder / "a.py")
    store = opened(folder)
    assert sorted(store.files(store.root())) == ["b.py"]


def test_a_repository_without_a_commit_has_a_root(git, opened, tmp_path) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    git(folder, "init", "-q")
    store = opened(folder)
    assert dict(store.files(store.root())) == {}
    (folder / "a.py").write_text("")
    assert sorted(store.files(store.root())) == ["a.py"]


def test_a_merge_with_conflicts_is_seen_as_it_is_on_disk(repo, git, opened) -> None:
    folder = repo({"a.py": "0\n"})
    git(folder, "checkout", "-qb", "other")
    (folder / "a.py").write_text("1\n")
    git(folder, "commit", "-qam", "one")
    git(folder, "checkout", "-q", "main")
    (folder / "a.py").write_text("2\n")
    git(folder, "commit", "-qam", "two")
    git(folder, "merge", "other", check=False)
    store = opened(folder)
    assert store.read(store.root(), "a.py") == (folder / "a.py").read_bytes()
    assert b"<<<<<<<" in (folder / "a.py").read_bytes()


def test_names_may_hold_any_bytes(git, opened, tmp_path) -> None:
    folder = tmp_path / "répo with space"
    folder.mkdir()
    git(folder, "init", "-q")
    names = [b"caf\xc3\xa9", b"latin\xe9", b'quo"te', b"new\nline", b"tab\tname", b"back\\slash", b" spaces ", b"-dash", b":colon"]
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(name)
    git(folder, "add", "-A")
    tree = git(folder, "write-tree").decode().strip()
    store = opened(folder)
    assert store.root().tree == tree
    assert sorted(store.files(store.root())) == sorted(name.decode("utf-8", "surrogateescape") for name in names)
    assert all(store.read(store.root(), name.decode("utf-8", "surrogateescape")) == name for name in names)


def test_executable_bits_come_from_the_index_where_the_file_system_keeps_none(repo, git, opened) -> None:
    folder = repo({"a.py": "", "run.sh": ""})
    git(folder, "update-index", "--chmod=+x", "run.sh")
    git(folder, "config", "core.fileMode", "false")
    (folder / "a.py").chmod(0o755)
    store = opened(folder)
    assert {path: entry.mode for path, entry in store.files(store.root()).items()} == {"a.py": FILE, "run.sh": EXECUTABLE}


def test_a_plain_folder_needs_no_git_and_believes_no_gitignore(opened, tmp_path) -> None:
    folder = tmp_path / "sdist-1.0"
    for path in ("pkg/a.py", "pkg/_version.py", "pkg/__pycache__/a.pyc", ".venv/lib/x.py", ".gitignore"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("_version.py\n")
    store = opened(folder, plain=True)
    root = store.root()
    assert sorted(store.files(root)) == [".gitignore", "pkg/_version.py", "pkg/a.py"]
    assert b"+more" in store.diff(root, store.apply(root, [Replace("pkg/a.py", b"py\n", b"py\nmore\n")]))
    assert not (folder / ".git").exists()


def test_an_index_that_names_a_path_outside_is_refused(repo, git, opened) -> None:
    folder = repo({"aa/secret": "1\n"})
    index = (folder / ".git/index").read_bytes()[:-20].replace(b"aa/secret", b"../secret")
    (folder / ".git/index").write_bytes(index + b"\0" * 20)  # a checksum of zeros is not checked
    (folder.parent / "secret").write_text("outside\n")
    store = opened(folder)
    with pytest.raises(UsageError, match="leaves the repository"):
        store.root()


def test_core_worktree_does_not_lead_elsewhere(repo, git, opened, tmp_path) -> None:
    folder = repo({"a.py": "here\n"})
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.py").write_text("elsewhere\n")
    git(folder, "config", "core.worktree", str(tmp_path / "elsewhere"))
    store = opened(folder)
    assert store.copy.top == folder.resolve()
    assert store.read(store.root(), "a.py") == b"here\n"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing", "does not exist"),
        ("file", "is a file"),
        ("folder", "is not a git repository: run `git init`"),
        ("bare", "is a bare git repository"),
    ],
)
def test_a_place_that_cannot_be_searched_is_told_in_one_clear_line(git, opened, tmp_path, name, words) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    git(tmp_path, "init", "-q", "--bare", "bare")
    with pytest.raises(UsageError, match=words) as caught:
        opened(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_the_git_folder_itself_is_not_a_working_copy(repo, opened) -> None:
    with pytest.raises(UsageError, match=r"lies inside \.git"):
        opened(repo({"a.py": ""}) / ".git/refs")


def test_a_damaged_git_folder_is_told(repo, opened) -> None:
    folder = repo({"a.py": ""})
    (folder / ".git/HEAD").unlink()
    with pytest.raises(UsageError, match="damaged"):
        opened(folder)


def test_a_sha256_repository_is_refused(git, opened, tmp_path) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256", "modern")
    with pytest.raises(UsageError, match="only sha1"):
        opened(tmp_path / "modern")


def test_objects_the_repository_lost_are_told(repo, git, opened) -> None:
    folder = repo({"a.py": "1\n"})
    store = opened(folder)
    state = store.root()
    shutil.rmtree(folder / ".git/objects")
    (folder / ".git/objects").mkdir()
    with pytest.raises(UsageError, match="missing"):
        store.read(state, "a.py")


@pytest.mark.parametrize("name", ['a "quoted" one', "with:colon", "back\\slash", "new\nline", "# hash"])
def test_a_repository_and_a_store_may_lie_anywhere(repo, name) -> None:
    folder = repo({"a.py": "1\n"}, name=name)
    store = Store.open(folder, folder.parent / f"{name} store")
    root = store.root()
    state = store.apply(root, [Replace("a.py", b"1", b"2")])
    assert b"-1\n+2\n" in store.diff(root, state)
    assert store.read(root, "a.py") == b"1\n"
    store.close()


def test_a_store_folder_that_cannot_be_made_is_told(repo, tmp_path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be used: Not a directory"):
        Store.open(repo({"a.py": ""}), tmp_path / "file/store.git")
