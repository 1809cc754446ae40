"""The work tree of a box: base trees kept in memory, written out for each run, and as good as new after it."""

from __future__ import annotations

import contextlib
import io
import json
import mmap
import os
import re
import stat
import tarfile
from collections.abc import Iterable

from sandbox.probe.changes import Changes

TEST_FILE = re.compile(r"(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")
DATE = 1_000_000_000  # long ago: what a candidate brings is never of that date
ESCAPES = ("", ".", "..", ".git")
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class TreeError(Exception):
    """A path that must not be written, or a tree that cannot be."""


def check(path: str) -> str:
    """`path`, which stays inside the tree. Raises TreeError where it does not."""
    if "\0" in path or any(part in ESCAPES for part in path.split("/")):
        raise TreeError(f"this path leaves the work tree: {path!r}")
    return path


class Base:
    """A tree held as an uncompressed tar, indexed once: writing it out is open, write, close per file."""

    def __init__(self, archive: bytes) -> None:
        self._memory = mmap.mmap(-1, max(1, len(archive)))  # shared memory: a fork does not copy it
        self._memory.write(archive)
        self._bytes = memoryview(self._memory)
        self.files: dict[str, tuple[int, memoryview]] = {}  # path -> mode, data
        self.links: dict[str, str] = {}  # path -> target
        self.folders: set[str] = set()
        self._asked: set[str] = set()  # files whose bytecode was asked for
        self._dated: set[str] = set()  # files whose bytecode holds for one date only
        self._hooked = b"enable_assertion_pass_hook" in archive  # then pytest rewrites asserts in another way
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for entry in tar:
                self._add(entry)

    def _add(self, entry: tarfile.TarInfo) -> None:
        name = entry.name[2:] if entry.name.startswith("./") else entry.name.rstrip("/")
        if entry.isdir() and name in ("", "."):
            return
        path = check(name)
        if entry.isdir():
            self.folders.add(path)
        elif entry.issym():
            self.links[path] = entry.linkname
        elif entry.isreg():
            start = entry.offset_data
            self.files[path] = (0o755 if entry.mode & 0o100 else 0o644, self._bytes[start : start + entry.size])
        else:
            raise TreeError(f"neither file, folder nor symlink: {name!r}")
        self.folders.update(parents(path))

    def to_compile(self, read: Iterable[str]) -> list[str]:
        """The Python files among these whose bytecode was never asked for, and can be made without knowing pytest's settings."""
        plain = (path for path in read if path.endswith(".py") and path not in self._asked)
        return sorted(path for path in plain if not (self._hooked and TEST_FILE.search(path)))

    def take_bytecode(self, asked: Iterable[str], report: bytes) -> None:
        """Add what `bytecode.py` made of these files to the tree. A report of nothing means it cannot be done."""
        stream, done = io.BytesIO(report), []
        for line in stream:
            path, name, size = json.loads(line)
            done.append(path)
            data = memoryview(stream.read(size))
            if size and name not in self.files:
                self.files[check(name)] = (0o644, data)
                self.folders.update(parents(name))
            if TEST_FILE.search(path):
                self._dated.add(path)
        self._asked.update(done or asked)

    def put(self, path: str) -> None:
        """Write one file anew."""
        mode, data = self.files[path]
        put(path, data, mode)
        if path in self._dated:
            os.utime(path, (DATE, DATE))

    def write(self) -> None:
        """Write the whole tree into the current folder, which is empty. Links come last: nothing is written through one."""
        for path in sorted(self.folders):
            os.mkdir(path, 0o755)
        for path in self.files:
            self.put(path)
        for path, target in self.links.items():
            os.symlink(target, path)


class WorkTree:
    """The current folder, where the tests run. Touched only with the test user's rights, and only while no process of his lives."""

    def __init__(self) -> None:
        self.base: Base | None = None  # what the folder was last made from
        self.read: set[str] = set()  # files of the base that the last run opened
        self._laid: set[str] = set()
        self._changes: Changes | None = None  # None: believe nothing about the folder

    def restore(self, base: Base) -> None:
        """Make the folder a pristine copy of `base`. Raises OSError where there is no room for it."""
        if base is not self.base or not self._mend(base):
            self._refill(base)

    def lay(self, entries: Iterable[tuple[str, str, memoryview]]) -> None:
        """Lay (path, kind, data) over a pristine copy. Raises TreeError."""
        for path, kind, data in entries:
            if not self._plain(check(path), kind):
                self._distrust()
            self._laid.add(path)
            lay(path, kind, data)
        if self._changes:
            self._changes.opened()  # what happened so far was our own doing

    def _plain(self, path: str, kind: str) -> bool:
        """Whether this changes one file in a folder of the base, and nothing else."""
        base, above = self.base, parents(path)
        return (
            base is not None
            and kind != "symlink"
            and base.folders.issuperset(above)
            and path not in base.folders
            and path not in base.links
        )

    def _mend(self, base: Base) -> bool:
        """Undo what was laid and what was written, where files were opened and nothing else was done. Returns whether that was so."""
        opened, only_opened = self._changes.opened() if self._changes else (set(), False)
        self.read = opened & base.files.keys()
        if not only_opened:
            return False
        for path in self.read | self._laid:
            if path in self._laid or not _same(path, base.files[path][1]):
                _replace(path, base)
        self._laid = set()
        assert self._changes
        self._changes.opened()
        return True

    def _refill(self, base: Base) -> None:
        self._distrust()
        self.base = None
        self._laid = set()
        os.chmod(".", 0o755)
        for name in os.listxattr("."):
            os.removexattr(".", name)
        wipe(".")
        base.write()
        self.base = base
        try:
            self._changes = Changes([".", *base.folders])
        except OSError:
            pass  # every restoration is a refill, then

    def _distrust(self) -> None:
        if self._changes:
            self._changes.close()
        self._changes = None


def parents(path: str) -> list[str]:
    """The folders above `path`, outermost first."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def put(name: str, data: memoryview, mode: int, folder: int | None = None) -> None:
    """Write a new file."""
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        while len(data):
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def _same(path: str, data: memoryview) -> bool:
    with open(path, "rb", 0) as file:
        return file.read(len(data) + 1) == data


def _replace(path: str, base: Base) -> None:
    _remove(path)
    if path in base.files:
        base.put(path)


def lay(path: str, kind: str, data: memoryview) -> None:
    """Put a "file", "executable" or "symlink", or "delete". No symlink on the way is followed. Raises TreeError."""
    *above, name = check(path).split("/")
    try:
        folder = _descend(above, create=kind != "delete")
    except FileNotFoundError:
        return  # to delete, and not there
    except OSError as error:
        raise TreeError(f"{path!r} cannot be put: {error.strerror}") from error
    try:
        _remove(name, folder)
        if kind == "symlink":
            os.symlink(bytes(data), name, dir_fd=folder)
        elif kind != "delete":
            put(name, data, 0o755 if kind == "executable" else 0o644, folder)
    finally:
        os.close(folder)


def _descend(parts: list[str], create: bool) -> int:
    """An open folder, reached without following a symlink. Raises OSError."""
    handle = os.open(".", FOLDER)
    for part in parts:
        above = handle
        try:
            if create:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o755, dir_fd=above)
            handle = os.open(part, FOLDER, dir_fd=above)
        finally:
            os.close(above)
    return handle


def _remove(name: str, folder: int | None = None) -> None:
    """Remove whatever stands at `name`; a folder with all in it."""
    try:
        if not stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            os.unlink(name, dir_fd=folder)
            return
    except FileNotFoundError:
        return
    inner = os.open(name, FOLDER, dir_fd=folder)
    try:
        for entry in os.listdir(inner):
            _remove(entry, inner)
    finally:
        os.close(inner)
    os.rmdir(name, dir_fd=folder)


def wipe(root: str, keep: Iterable[str] = ()) -> None:
    """Remove everything below `root` but the paths in `keep`, however deep or however locked it was left.

    A folder's subfolders are moved up before it is removed: the depth never exceeds two.
    """
    kept = set(keep)
    old = os.open(".", FOLDER)
    try:
        os.chdir(root)
        number = 0
        while True:
            names = [name for name in os.listdir(".") if not kept or os.path.join(root, name) not in kept]
            if not names:
                return
            for name in names:
                if stat.S_ISDIR(os.lstat(name).st_mode):
                    number = _lift(name, number)
                else:
                    os.unlink(name)
    finally:
        os.fchdir(old)
        os.close(old)


def _lift(folder: str, number: int) -> int:
    os.chmod(folder, 0o700)
    with os.scandir(folder) as entries:
        for entry in entries:
            path = folder + "/" + entry.name
            if entry.is_dir(follow_symlinks=False):
                os.chmod(path, 0o700)
                number += 1
                os.rename(path, _free(number))
            else:
                os.unlink(path)
    os.rmdir(folder)
    return number


def _free(number: int) -> str:
    """A name at which nothing stands: a hostile run may have put something at ours."""
    name = f".wiped-{number}"
    while os.path.lexists(name):
        name += "-"
    return name
