"""Apply writes all of a result or nothing, and never over what the user has done since."""

from __future__ import annotations

import resource
import signal
import stat
from collections.abc import Callable, Iterator

import pytest

from swesearch.apply import apply_patch
from swesearch.base import Create, Delete, Rename, Replace, SwesearchError, UsageError

EDITS = [Replace("a.py", b"one", b"1"), Create("new/deep/x.py", b"x\n"), Delete("old/y.py"), Rename("run.sh", "bin/run.sh")]


@pytest.fixture
def folder(repo, git):
    place = repo({"a.py": "one\r\ntwo\n", "old/y.py": "y\n", "run.sh": "exit\n", "other.py": "o\n"})
    (place / "run.sh").chmod(0o755)
    (place / "link").symlink_to("a.py")
    git(place, "add", "-A")
    git(place, "commit", "-qm", "more")
    return place


def files_on_disk(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".git" not in p.parts}


def test_the_working_copy_becomes_the_result(folder, git, opened) -> None:
    (folder / "untracked").write_text("mine\n")
    (folder / "a.py").chmod(0o640)
    store = opened(folder)
    root = store.root()
    state = store.apply(root, EDITS)
    assert apply_patch(folder, store, root, state) == ("a.py", "bin/run.sh", "new/deep/x.py", "old/y.py", "run.sh")
    assert store.root() == state
    assert (folder / "a.py").read_bytes() == b"1\r\ntwo\n"
    assert stat.S_IMODE((folder / "a.py").stat().st_mode) == 0o640
    assert (folder / "bin/run.sh").stat().st_mode & stat.S_IXUSR
    assert not (folder / "old").exists()
    assert git(folder, "log", "--oneline").count(b"\n") == 2
    assert not list(folder.rglob(".swesearch-*"))


def test_the_result_can_be_applied_from_a_subfolder_and_taken_back(folder, opened) -> None:
    store = opened(folder)
    root = store.root()
    state = store.apply(root, [*EDITS, Delete("link")])
    apply_patch(folder / "old", store, root, state)
    assert store.root() == state
    apply_patch(folder, store, state, root)
    assert store.root() == root
    assert (folder / "link").is_symlink()


@pytest.mark.parametrize("change", ["edited", "deleted", "mode", "appeared", "linked", "folder"])
def test_nothing_is_written_over_what_changed_since(folder, opened, change, tmp_path) -> None:
    store = opened(folder)
    root = store.root()
    state = store.apply(root, EDITS)
    match change:
        case "edited":
            (folder / "a.py").write_text("one\nmine\n")
        case "deleted":
            (folder / "a.py").unlink()
        case "mode":
            (folder / "a.py").chmod(0o755)
        case "appeared":
            (folder / "new/deep").mkdir(parents=True)
            (folder / "new/deep/x.py").write_text("mine\n")
        case "linked":
            (folder / "a.py").unlink()
            (folder / "a.py").symlink_to("other.py")
        case "folder":
            (folder / "a.py").unlink()
            (folder / "a.py").mkdir()
    before = files_on_disk(folder)
    with pytest.raises(UsageError, match=r"(a\.py|new/deep/x\.py).*Nothing was written"):
        apply_patch(folder, store, root, state)
    assert files_on_disk(folder) == before


def test_changes_elsewhere_do_not_matter(folder, opened) -> None:
    store = opened(folder)
    root = store.root()
    (folder / "other.py").write_text("mine\n")
    apply_patch(folder, store, root, store.apply(root, EDITS))
    assert (folder / "other.py").read_text() == "mine\n"


def test_a_link_in_place_of_a_folder_is_not_followed(folder, opened, tmp_path) -> None:
    store = opened(folder)
    root = store.root()
    state = store.apply(root, [Create("new/x.py", b"x\n")])
    (tmp_path / "outside").mkdir()
    (folder / "new").symlink_to(tmp_path / "outside")
    with pytest.raises(UsageError, match="new is not a folder but a link"):
        apply_patch(folder, store, root, state)
    assert not list((tmp_path / "outside").iterdir())


@pytest.fixture
def small_disk() -> Iterator[Callable[[], None]]:
    """From the call on, no file can grow beyond 50 KB."""
    handler, limits = signal.signal(signal.SIGXFSZ, signal.SIG_IGN), resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_write_that_fails_puts_everything_back(folder, opened, small_disk) -> None:
    store = opened(folder)
    root = store.root()
    state = store.apply(root, [*EDITS, Delete("other.py"), Create("other.py/x", b""), Create("zz-big", b"x" * 100_000)])
    before = files_on_disk(folder)
    small_disk()
    with pytest.raises(UsageError, match=r"zz-big cannot be written.*put back"):
        apply_patch(folder, store, root, state)
    assert files_on_disk(folder) == before
    assert store.root() == root


def test_a_file_may_take_the_place_of_a_folder_and_the_other_way_round(folder, opened) -> None:
    store = opened(folder)
    root = store.root()
    state = store.apply(root, [Delete("old/y.py"), Create("old", b"file\n"), Delete("a.py"), Create("a.py/x", b"x\n")])
    apply_patch(folder, store, root, state)
    assert store.root() == state
    apply_patch(folder, store, state, root)
    assert store.root() == root


def test_commit_takes_the_written_paths_and_nothing_else(folder, git, opened) -> None:
    (folder / "other.py").write_text("dirty\n")
    (folder / "staged.py").write_text("staged\n")
    git(folder, "add", "staged.py")
    store = opened(folder)
    root = store.root()
    paths = apply_patch(folder, store, root, store.apply(root, EDITS), commit=True, message="Mend it\n\nBecause.\n")
    listed = git(folder, "show", "--no-renames", "--name-only", "--format=%an <%ae>%n%B%d", "HEAD").decode()
    assert listed.startswith("A Tester <tester@example.com>\nMend it\n\nBecause.\n")
    assert "HEAD -> main" in listed
    assert listed.split("\n\n")[-1].split() == list(paths)
    assert git(folder, "status", "--porcelain").decode().splitlines() == [" M other.py", "A  staged.py"]
    git(folder, "fsck", "--strict")
    assert b"swesearch apply" in git(folder, "reflog", "-1")


def test_commit_makes_the_line_ends_that_the_repository_wants(repo, git, opened) -> None:
    folder = repo({".gitattributes": "*.txt text eol=crlf\n", "a.txt": "one\ntwo\n"})
    (folder / "a.txt").write_bytes(b"one\r\ntwo\r\n")
    git(folder, "config", "core.autocrlf", "true")
    (folder / "b.py").write_bytes(b"1\n")
    git(folder, "add", "b.py")
    git(folder, "commit", "-qm", "b")
    store = opened(folder)
    root = store.root()
    state = store.apply(root, [Replace("a.txt", b"two", b"2"), Replace("b.py", b"1\n", b"1\r\n2\r\n")])
    apply_patch(folder, store, root, state, commit=True, message="m")
    assert (folder / "a.txt").read_bytes() == b"one\r\n2\r\n"
    assert git(folder, "cat-file", "blob", "HEAD:a.txt") == b"one\n2\n"
    assert git(folder, "cat-file", "blob", "HEAD:b.py") == b"1\n2\n"
    assert git(folder, "status", "--porcelain") == b""


@pytest.mark.parametrize("commit", [True, False])
def test_a_branch_is_made_and_switched_to_and_the_old_one_stays(folder, git, opened, commit) -> None:
    store = opened(folder)
    root = store.root()
    old = git(folder, "rev-parse", "main")
    apply_patch(folder, store, root, store.apply(root, EDITS), branch="fix/a-bug", commit=commit, message="m")
    assert git(folder, "symbolic-ref", "HEAD") == b"refs/heads/fix/a-bug\n"
    assert git(folder, "rev-parse", "main") == old
    assert (git(folder, "rev-parse", "HEAD") != old) == commit
    assert bool(git(folder, "status", "--porcelain")) != commit


@pytest.mark.parametrize(
    ("branch", "words"),
    [
        ("main", "already exists"),
        ("a..b", "not a name"),
        ("-d", "not a name"),
        ("", "not a name"),
        ("x y", "not a name"),
        ("x.lock", "not a name"),
    ],
)
def test_a_branch_that_exists_or_cannot_be_named_so_is_refused(folder, opened, branch, words) -> None:
    store = opened(folder)
    root = store.root()
    before = files_on_disk(folder)
    with pytest.raises(UsageError, match=words):
        apply_patch(folder, store, root, store.apply(root, EDITS), branch=branch)
    assert files_on_disk(folder) == before


def test_a_commit_that_cannot_be_finished_puts_files_and_index_back(folder, git, opened) -> None:
    store = opened(folder)
    root = store.root()
    index, head = (folder / ".git/index").read_bytes(), git(folder, "rev-parse", "HEAD")
    (folder / ".git/refs/heads/main.lock").write_text("")  # as if another git were at work
    with pytest.raises(SwesearchError, match=r"main\.lock"):
        apply_patch(folder, store, root, store.apply(root, EDITS), commit=True, message="m")
    assert store.root() == root
    assert (folder / ".git/index").read_bytes() == index
    assert git(folder, "rev-parse", "HEAD") == head


def test_no_commit_in_the_middle_of_a_merge(folder, git, opened) -> None:
    (folder / ".git/MERGE_HEAD").write_bytes(git(folder, "rev-parse", "HEAD"))
    store = opened(folder)
    root = store.root()
    with pytest.raises(UsageError, match="under way"):
        apply_patch(folder, store, root, store.apply(root, EDITS), commit=True, message="m")
    apply_patch(folder, store, root, store.apply(root, EDITS))


def test_a_commit_needs_to_know_who_the_user_is(folder, opened, monkeypatch) -> None:
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name)
    store = opened(folder)
    root = store.root()
    with pytest.raises(UsageError, match="git config --global"):
        apply_patch(folder, store, root, store.apply(root, EDITS), commit=True, message="m")
    assert store.root() == root


def test_the_first_commit_of_a_repository(git, opened, tmp_path) -> None:
    folder = tmp_path / "fresh"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.py").write_text("1\n")
    store = opened(folder)
    root = store.root()
    apply_patch(folder, store, root, store.apply(root, [Replace("a.py", b"1", b"2")]), commit=True, message="first")
    assert git(folder, "log", "--format=%s %P") == b"first \n"


def test_a_commit_on_a_detached_head_and_in_a_linked_work_tree(folder, git, opened, tmp_path) -> None:
    git(folder, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    store = opened(tmp_path / "linked")
    root = store.root()
    apply_patch(tmp_path / "linked", store, root, store.apply(root, EDITS), commit=True, message="m")
    assert git(tmp_path / "linked", "status", "--porcelain") == b""
    assert git(tmp_path / "linked", "log", "--format=%s", "-1") == b"m\n"
    assert git(folder, "log", "--format=%s", "-1") == b"more\n"


def test_a_plain_folder_can_be_written_but_has_no_branches(opened, tmp_path) -> None:
    folder = tmp_path / "sdist"
    folder.mkdir()
    (folder / "a.py").write_text("1\n")
    store = opened(folder, plain=True)
    root = store.root()
    state = store.apply(root, [Replace("a.py", b"1", b"2")])
    with pytest.raises(UsageError, match="not a git repository"):
        apply_patch(folder, store, root, state, branch="x")
    assert apply_patch(folder, store, root, state) == ("a.py",)
    assert (folder / "a.py").read_text() == "2\n"
