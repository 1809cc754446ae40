"""The work tree of a box: base trees kept in memory, written out anew for each run, wiped after it."""

import io
import mmap
import os
import stat
import tarfile

ESCAPES = ("", ".", "..", ".git")


class TreeError(Exception):
    """A path that must not be written, or a tree that cannot be."""


def check(path):
    """Raise TreeError unless `path` stays inside the tree."""
    if not path or "\0" in path or any(part in ESCAPES for part in path.split("/")):
        raise TreeError("this path leaves the work tree: %r" % path)
    return path


class Base:
    """A tree held as an uncompressed tar, indexed once: writing it out is open, write, close per file."""

    def __init__(self, archive):
        self._memory = mmap.mmap(-1, max(1, len(archive)))  # shared memory: a fork does not copy it
        self._memory.write(archive)
        self.bytes = memoryview(self._memory)
        self.files = {}  # path -> (mode, start, end)
        self.links = {}  # path -> target
        folders = set()
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            for entry in tar:
                self._add(entry, folders)
        for path in (*self.files, *self.links):
            folders.update(_parents(path))
        self.folders = sorted(folders)

    def _add(self, entry, folders):
        if entry.isdir():
            if entry.name.strip("./"):
                path = check(_clean(entry.name))
                folders.update((path, *_parents(path)))
        elif entry.issym():
            self.links[check(_clean(entry.name))] = entry.linkname
        elif entry.isreg():
            mode = 0o755 if entry.mode & 0o100 else 0o644
            self.files[check(_clean(entry.name))] = (mode, entry.offset_data, entry.offset_data + entry.size)
        else:
            raise TreeError("neither file, folder nor symlink: %r" % entry.name)

    def write(self):
        """Write the whole tree into the current folder, which is empty. Links come last: nothing is written through one."""
        for path in self.folders:
            os.mkdir(path, 0o755)
        for path, (mode, start, end) in self.files.items():
            put(path, self.bytes[start:end], mode)
        for path, target in self.links.items():
            os.symlink(target, path)


def _clean(name):
    return name[2:] if name.startswith("./") else name.rstrip("/")


def _parents(path):
    parts = path.split("/")[:-1]
    return ["/".join(parts[: i + 1]) for i in range(len(parts))]


def put(name, data, mode, folder=None):
    """Write a new file."""
    handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        while len(data):
            data = data[os.write(handle, data) :]
    finally:
        os.close(handle)


def _descend(parts, create):
    """An open folder, reached without following a symlink. Raises OSError."""
    handle = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for part in parts:
        try:
            if create:
                os.mkdir(part, 0o755, dir_fd=handle)
        except FileExistsError:
            pass
        inner, handle = handle, None
        try:
            handle = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=inner)
        finally:
            os.close(inner)
    return handle


def _remove(name, folder):
    """Remove whatever stands at `name`; a folder with all in it."""
    try:
        if stat.S_ISDIR(os.lstat(name, dir_fd=folder).st_mode):
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            try:
                for entry in os.listdir(inner):
                    _remove(entry, inner)
            finally:
                os.close(inner)
            os.rmdir(name, dir_fd=folder)
        else:
            os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        pass


def lay(path, data, kind):
    """Lay one changed entry over the tree in the current folder. `kind`: "delete", "symlink", "file" or "executable"."""
    *parts, name = check(path).split("/")
    try:
        folder = _descend(parts, create=kind != "delete")
    except FileNotFoundError:
        return  # to delete: not there
    except NotADirectoryError:
        raise TreeError("a file or symlink stands where %r needs a folder" % path)
    try:
        _remove(name, folder)
        if kind == "symlink":
            os.symlink(bytes(data), name, dir_fd=folder)
        elif kind != "delete":
            put(name, data, 0o755 if kind == "executable" else 0o644, folder)
    finally:
        os.close(folder)


def wipe(root, keep=()):
    """Remove everything below `root` but the paths in `keep`, however deep or however locked it was left.

    A folder's subfolders are moved up before it is removed: the depth never exceeds two.
    """
    old = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chdir(root)
        number = 0
        while True:
            names = [n for n in os.listdir(".") if os.path.join(root, n) not in keep]
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


def _lift(folder, number):
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


def _free(number):
    """A name nothing stands at: a hostile run may have put something at ours."""
    name = ".wiped-%d" % number
    while os.path.lexists(name):
        name += "-"
    return name
