"""An edit fits exactly once or says why not."""

from __future__ import annotations

import pytest

from swesearch.base import Create, Delete, EditError, Rename, Replace, State, UsageError
from swesearch.store import EXECUTABLE, FILE, SYMLINK, Store


@pytest.fixture
def store(repo, git, opened) -> Store:
    folder = repo({"a.py": "one\ntwo\ntwo\n", "crlf.py": b"x = 1\r\n    y = 2\r\n", "empty": "", "pkg/b.py": "b\n", "pkg/c.py": "c\n"})
    (folder / "link").symlink_to("pkg")
    (folder / "run.sh").write_text("exit 1\n")
    (folder / "run.sh").chmod(0o755)
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    return opened(folder)


@pytest.fixture
def root(store: Store) -> State:
    return store.root()


def refused(store: Store, state: State, *edits) -> str:
    with pytest.raises(EditError) as caught:
        store.apply(state, edits)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_edit_must_fit_exactly_once(store, root) -> None:
    assert store.read(store.apply(root, [Replace("a.py", b"one", b"1")]), "a.py") == b"1\ntwo\ntwo\n"
    assert "does not occur" in refused(store, root, Replace("a.py", b"three", b"3"))
    assert "several times, at lines 2, 3;" in refused(store, root, Replace("a.py", b"two", b"2"))


def test_overlapping_places_count_as_several(store, root) -> None:
    state = store.apply(root, [Create("n", b"aaa")])
    assert "several times" in refused(store, state, Replace("n", b"aa", b"b"))


def test_a_byte_offset_says_which_place_is_meant(store, root) -> None:
    assert store.read(store.apply(root, [Replace("a.py", b"two", b"2", start=8)]), "a.py") == b"one\ntwo\n2\n"
    assert store.read(store.apply(root, [Replace("a.py", b"", b"0\n", start=0)]), "a.py") == b"0\none\ntwo\ntwo\n"
    assert "does not stand at byte 5" in refused(store, root, Replace("a.py", b"two", b"2", start=5))
    assert "outside the file" in refused(store, root, Replace("a.py", b"", b"2", start=13))
    assert "outside the file" in refused(store, root, Replace("a.py", b"", b"2", start=-1))


def test_an_empty_text_fits_only_an_empty_file(store, root) -> None:
    assert store.read(store.apply(root, [Replace("empty", b"", b"x")]), "empty") == b"x"
    assert "is empty" in refused(store, root, Replace("a.py", b"", b"x"))


def test_a_near_miss_is_explained(store, root) -> None:
    assert "lines end in CRLF" in refused(store, root, Replace("crlf.py", b"x = 1\n    y", b"z"))
    assert "at line 2 it would fit but for white space" in refused(store, root, Replace("crlf.py", b"\ty  = 2\n", b"z"))


def test_line_ends_and_bytes_outside_the_edit_stay(store, root) -> None:
    state = store.apply(root, [Replace("crlf.py", b"1", b"\xff\0")])
    assert store.read(state, "crlf.py") == b"x = \xff\0\r\n    y = 2\r\n"


def test_edits_of_one_action_see_each_other(store, root) -> None:
    state = store.apply(
        root,
        [
            Replace("a.py", b"one", b"1"),
            Replace("a.py", b"1\ntwo", b"2"),
            Rename("a.py", "pkg/deep/a.py"),
            Replace("pkg/deep/a.py", b"2\n", b"3\n"),
            Create("a.py", b"new"),
            Delete("pkg/b.py"),
            Create("pkg/b.py", b"again", executable=True),
        ],
    )
    assert store.read(state, "pkg/deep/a.py") == b"3\ntwo\n"
    assert store.read(state, "a.py") == b"new"
    assert store.files(state)["pkg/b.py"].mode == EXECUTABLE


def test_modes_are_kept(store, root) -> None:
    state = store.apply(
        root, [Replace("run.sh", b"1", b"0"), Rename("link", "pkg/link"), Create("tool", b"", executable=True), Create("t", b"")]
    )
    modes = {path: entry.mode for path, entry in store.files(state).items()}
    assert (modes["run.sh"], modes["pkg/link"], modes["tool"], modes["t"]) == (EXECUTABLE, SYMLINK, EXECUTABLE, FILE)
    assert store.files(store.apply(state, [Rename("run.sh", "go.sh")]))["go.sh"].mode == EXECUTABLE


def test_a_folder_that_becomes_empty_is_gone(store, root) -> None:
    state = store.apply(root, [Delete("pkg/b.py"), Delete("pkg/c.py"), Create("pkg", b"a file now")])
    assert store.read(state, "pkg") == b"a file now"
    assert not [path for path in store.files(state) if path.startswith("pkg/")]


def test_every_file_can_be_deleted(store, root) -> None:
    everything = [Delete(path) for path in store.files(root) if path != "sub"]
    assert list(store.files(store.apply(root, everything))) == ["sub"]


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (Replace("missing", b"a", b"b"), "no such file"),
        (Delete("missing"), "no such file"),
        (Delete("pkg"), "this is a folder"),
        (Rename("missing", "x"), "no such file"),
        (Rename("a.py", "pkg/b.py"), "a file of this name already exists"),
        (Rename("a.py", "a.py"), "makes no difference"),
        (Create("a.py", b""), "a file of this name already exists"),
        (Create("pkg", b""), "a folder of this name already exists"),
        (Create("a.py/b", b""), "a.py is a file, not a folder"),
        (Create("link/x", b""), "link is a symbolic link, not a folder"),
        (Replace("link/b.py", b"b", b"c"), "link is a symbolic link, not a folder"),
        (Replace("link", b"pkg", b"/etc"), "symbolic link; edit the file it points to"),
        (Create("sub/x", b""), "sub is a submodule, not a folder"),
        (Create("sub", b""), "a submodule of this name already exists"),
        (Delete("sub"), "this is a submodule"),
        (Replace("a.py", b"one", b"one"), "makes no difference"),
        (Rename("link", ".gitmodules"), "refuses a symbolic link"),
    ],
)
def test_an_edit_that_does_not_fit_says_why(store, root, edit, why) -> None:
    assert why in refused(store, root, edit)


def test_a_file_may_move_into_a_folder_of_its_own_name(store, root) -> None:
    assert store.read(store.apply(root, [Rename("a.py", "a.py/b")]), "a.py/b").startswith(b"one")


def test_edits_that_undo_each_other_make_no_difference(store, root) -> None:
    assert "make no difference" in refused(store, root, Replace("a.py", b"one", b"1"), Replace("a.py", b"1", b"one"))
    assert "make no difference" in refused(store, root)


ESCAPES = [
    "../x",
    "pkg/../../x",
    "pkg/../a.py",
    "/etc/passwd",
    "//x",
    "pkg//b.py",
    "./a.py",
    "pkg/.",
    "pkg/",
    "",
    ".",
    "..\\x",
    "pkg\\b.py",
    "C:\\x",
    "a\0b",
    "x" * 256,
    "/".join(["x" * 200] * 25),
    "\ud800",
]
GIT_NAMES = [
    ".git/config",
    ".GIT/config",
    ".Git/hooks/pre-commit",
    "pkg/.git",
    ".git /config",
    ".git./config",
    ".git. . /config",
    "git~1/config",
    "GIT~1/config",
    ".git::$INDEX_ALLOCATION/config",
    ".git:x",
    ".g\u200cit/config",
    "\ufeff.git/config",
    ".gi\u206ft/config",
]


@pytest.mark.parametrize("path", ESCAPES + GIT_NAMES)
def test_a_path_that_escapes_or_touches_git_is_refused_for_every_kind_of_edit(store, root, path) -> None:
    for edit in (Create(path, b"x"), Replace(path, b"x", b"y"), Delete(path), Rename(path, "n"), Rename("a.py", path)):
        refused(store, root, edit)


@pytest.mark.parametrize("path", [name for name in ESCAPES + GIT_NAMES if name.isprintable() and "\\" not in name and len(name) < 256])
def test_git_itself_refuses_these_paths_too(repo, git, path) -> None:
    folder = repo({"a.py": ""})
    blob = git(folder, "hash-object", "-w", "--stdin").decode().strip()
    protect = ("-c", "core.protectHFS=true", "-c", "core.protectNTFS=true")
    listed = git(folder, *protect, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", check=False)
    assert git(folder, "ls-files", "-z").split(b"\0") == [b"a.py", b""], listed


@pytest.mark.parametrize(
    "path", [".gitignore", ".github/workflows/ci.yml", "git", "x.git/config", "...", "..a", "git~2", "a b/ c", ".gitx", "-rf"]
)
def test_ordinary_names_that_look_a_little_like_it_are_fine(store, root, path) -> None:
    assert store.read(store.apply(root, [Create(path, b"x")]), path) == b"x"


def test_a_refused_action_changes_nothing(store, root) -> None:
    refused(store, root, Create("new", b""), Delete("missing"))
    assert "new" not in store.files(root)
    assert store.root() == root


def test_overlay_puts_files_and_folders_back(store, root) -> None:
    edits = [
        Replace("a.py", b"one", b"1"),
        Delete("pkg/b.py"),
        Create("pkg/new.py", b""),
        Replace("run.sh", b"1", b"0"),
        Create("conftest.py", b""),
    ]
    state = store.apply(root, edits)
    back = store.overlay(state, root, ["a.py", "pkg", "conftest.py", "missing/x"])
    assert store.diff(root, back).count(b"diff --git") == 1
    assert store.read(back, "run.sh") == b"exit 0\n"
    assert store.overlay(state, root, ["a.py", "pkg", "run.sh", "conftest.py"]) == root


def test_overlay_makes_way_for_what_it_puts_back(store, root) -> None:
    state = store.apply(root, [Delete("pkg/b.py"), Delete("pkg/c.py"), Create("pkg", b""), Delete("a.py"), Create("a.py/x", b"")])
    assert store.overlay(state, root, ["pkg/b.py", "pkg/c.py", "a.py"]) == root
    assert store.overlay(state, root, ["pkg/none"]) == state


def test_reading_what_is_not_there_says_so(store, root) -> None:
    for path in ("missing", "pkg", "sub", "a.py/x", ""):
        with pytest.raises(UsageError, match="no file"):
            store.read(root, path)
