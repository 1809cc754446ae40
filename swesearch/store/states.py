"""States as git trees: made from the user's working copy, edited, compared and packed up, without touching that working copy."""

from __future__ import annotations

import io
import os
import tarfile
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from weakref import finalize

from sandbox.base import File
from swesearch.base import Edit, State, UsageError
from swesearch.store.cache import Cache
from swesearch.store.edits import Draft, carry_out
from swesearch.store.gitsafe import Git, hold, make_git_dir, quoted
from swesearch.store.log import New, Object, export
from swesearch.store.objects import EXECUTABLE, FOLDER, SUBMODULE, SYMLINK, Entry, Objects
from swesearch.store.trees import changes, differing, lookup, walk, write
from swesearch.store.worktree import WorkingCopy, find, snapshot

CACHED_LISTS = 64  # file lists of whole states kept in memory
DIFF = (
    *("diff-tree", "-r", "-p", "--binary", "--full-index", "--no-renames", "--no-color"),
    *("--no-ext-diff", "--no-textconv", "--diff-algorithm=histogram", "--src-prefix=a/", "--dst-prefix=b/"),
)


class Store:
    """The states of one run. Safe to share between threads; several processes may open the same folder."""

    def __init__(self, copy: WorkingCopy, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        finalize(self, os.close, hold(folder))
        make_git_dir(folder, copy.objects)
        self.copy = copy
        self.folder = folder
        self._objects = Objects(Git(folder))
        self._lists = Cache[Mapping[str, Entry]](CACHED_LISTS)

    @classmethod
    def open(cls, repo: Path, folder: Path, *, plain: bool = False) -> Store:
        """Keep the states of `repo` in the private git directory `folder`. `plain` takes a folder without git.

        Raises UsageError where `repo` is not a folder of a working copy that can be used, or `folder` cannot be written.
        """
        try:
            return cls(find(repo, plain=plain), folder.absolute())
        except OSError as error:
            raise UsageError(f"{error.filename or folder} cannot be used: {error.strerror}") from error

    @property
    def prefix(self) -> str:
        """The subfolder of the repository that was named, "" for its top."""
        return self.copy.prefix

    def root(self) -> State:
        """What the user sees now: tracked files as they are on disk, and new ones that are not ignored. Raises UsageError."""
        return State(write(self._objects, snapshot(self.copy, self._objects)))

    def read(self, state: State, path: str) -> bytes:
        """A file's bytes; a link's target. Raises UsageError where the state has no such file."""
        entry = lookup(self._objects, state.tree, path)
        if entry is None or entry.mode in (FOLDER, SUBMODULE):
            raise UsageError(f"there is no file {path!r} in this state")
        return self._objects.read(entry.id).content

    def files(self, state: State) -> Mapping[str, Entry]:
        """Everything in the state but folders, by path: files, links and submodules."""
        found = self._lists.get(state.tree)
        if found is None:
            found = self._lists.put(state.tree, {path: entry for path, entry in walk(self._objects, state.tree) if entry.mode != FOLDER})
        return found

    def apply(self, state: State, edits: Sequence[Edit]) -> State:
        """The state with edits carried out, in order. Raises EditError where one does not fit or all make no difference."""
        tree, made = carry_out(self._objects, state.tree, edits)
        self._objects.add(made)
        return State(tree)

    def overlay(self, state: State, base: State, paths: Iterable[str]) -> State:
        """The state with these files and folders as they are in `base`: put back, or taken away where `base` has none."""
        draft = Draft(self._objects, state.tree)
        for path in paths:
            draft.lay(path, lookup(self._objects, base.tree, path))
        tree, made = draft.finish()
        self._objects.add(made)
        return State(tree)

    def diff(self, a: State, b: State) -> bytes:
        """The patch that makes `b` of `a`, as git writes it: `git apply` takes it, binary files included."""
        hidden = self._objects.hidden(differing(self._objects, a.tree, b.tree))
        with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
            export(hidden.values(), Path(scratch))
            env = {"GIT_OBJECT_DIRECTORY": scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted(self.folder / "objects")}
            return self._objects.git.run(*DIFF, a.tree, b.tree, env=env)

    def changed(self, a: State, b: State) -> dict[str, File | None]:
        """What a box lays over `a` to get `b`: files to write, None for files to delete. Deletions come first."""
        differ = [(path, after) for path, before, after in changes(self._objects, a.tree, b.tree) if SUBMODULE not in _modes(before, after)]
        ordered = sorted(differ, key=lambda change: (change[1] is not None, change[0]))
        return {path: self._file(after) if after else None for path, after in ordered}

    def texts(self, a: State, b: State) -> list[tuple[str, bytes | None, bytes | None]]:
        """Path, bytes in `a` and bytes in `b` of every file that differs; None where there is none. Links and submodules are left out."""
        differ = (change for change in changes(self._objects, a.tree, b.tree) if not {SYMLINK, SUBMODULE} & _modes(*change[1:]))
        return [(path, self._bytes(before), self._bytes(after)) for path, before, after in sorted(differ, key=itemgetter(0))]

    def adopt(self, other: Store, states: Iterable[State]) -> None:
        """Copy states of another store of the same repository. Raises UsageError where it has lost one."""
        for state in states:
            ids = {state.tree} | {entry.id for _, entry in walk(other._objects, state.tree) if entry.mode != SUBMODULE}
            self._objects.add([New(other._objects.read(id)) for id in self._objects.missing(ids)])

    def archive(self, state: State) -> bytes:
        """The state as an uncompressed tar, equal for equal states. Submodules are empty folders."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape") as tar:
            for path, entry in walk(self._objects, state.tree):
                info, content = self._member(path, entry)
                tar.addfile(info, io.BytesIO(content))
        return out.getvalue()

    def missing(self, ids: Iterable[str]) -> set[str]:
        """Which of these git objects are nowhere to be found."""
        return self._objects.missing(ids)

    def keep(self, objects: Sequence[New]) -> None:
        """Keep git objects that are no state, and let plain git see them."""
        if objects:
            self._objects.add(objects)
            self._objects.close()

    def unsealed(self) -> list[Object]:
        """What plain git cannot see yet, because a process is writing it."""
        return self._objects.unsealed()

    def close(self) -> None:
        """Turn what was written into a pack for plain git to read. Not closing loses nothing: the next `open` does it."""
        self._objects.close()

    def _member(self, path: str, entry: Entry) -> tuple[tarfile.TarInfo, bytes]:
        info, content = tarfile.TarInfo(path), b""
        info.mode = 0o755 if entry.mode in (EXECUTABLE, FOLDER, SUBMODULE) else 0o644
        if entry.mode in (FOLDER, SUBMODULE):
            info.type = tarfile.DIRTYPE
        elif entry.mode == SYMLINK:
            info.type, info.mode = tarfile.SYMTYPE, 0o777
            info.linkname = self._objects.read(entry.id).content.decode("utf-8", "surrogateescape")
        else:
            content = self._objects.read(entry.id).content
        info.size = len(content)
        return info, content

    def _file(self, entry: Entry) -> File:
        return File(self._objects.read(entry.id).content, executable=entry.mode == EXECUTABLE, symlink=entry.mode == SYMLINK)

    def _bytes(self, entry: Entry | None) -> bytes | None:
        return self._objects.read(entry.id).content if entry else None


def _modes(*entries: Entry | None) -> set[int]:
    return {entry.mode for entry in entries if entry}
