"""Git objects of a run: read from anywhere, written to a log of the run's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from swesearch.base import UsageError
from swesearch.store.cache import Cache
from swesearch.store.gitsafe import Git, Reader, present
from swesearch.store.log import New, Object, ObjectLog, seal
from swesearch.store.paths import decode, encode

FILE, EXECUTABLE, SYMLINK, FOLDER, SUBMODULE = 0o100644, 0o100755, 0o120000, 0o040000, 0o160000
CACHED = 64 << 20  # bytes of content kept in memory
CACHED_TREES = 5_000  # parsed folders kept in memory


class Entry(NamedTuple):
    """What stands at a path: its git mode and the id of its blob (of its commit, for a submodule)."""

    mode: int
    id: str


Tree = Mapping[str, Entry]  # one folder: entries by name


class Objects:
    """The objects of one private git directory and of what it borrows from. Safe to share between threads."""

    def __init__(self, git: Git) -> None:
        self.git = git
        self._folder = git.folder / "logs"
        self._folder.mkdir(exist_ok=True)
        self._reader = Reader(git.folder)
        self._lock = Lock()  # held while the logs are written, opened or sealed
        self._contents = Cache[Object](CACHED, lambda object: len(object.content))
        self._trees = Cache[Tree](CACHED_TREES)
        self._log: ObjectLog | None = None
        self._others: dict[Path, ObjectLog] = {}
        self._look_around()

    def read(self, id: str) -> Object:
        """An object by its id. Raises UsageError where it is nowhere to be found."""
        return self._contents.get(id) or self._contents.put(id, self._find(id))

    def tree(self, id: str) -> Tree:
        """A folder's entries, in git's order."""
        found = self._trees.get(id)
        return self._trees.put(id, parse_tree(self.read(id).content)) if found is None else found

    def add(self, objects: Sequence[New]) -> None:
        """Keep objects in the log. Raises SwesearchError where that is not possible."""
        with self._lock:
            self._log = self._log or ObjectLog.create(self._folder)
            self._log.add(objects)
        for new in objects:
            self._contents.put(new.object.id, new.object)

    def missing(self, ids: Iterable[str]) -> set[str]:
        """Which of these are neither in our log nor anywhere git looks."""
        unknown = set(ids)
        if log := self._log:
            unknown = {id for id in unknown if id not in log}
        return unknown - present(self.git, unknown)

    def hidden(self, ids: Iterable[str]) -> dict[str, Object]:
        """Those of these objects that plain git cannot see yet, because they are only in a log."""
        return {id: object for id in ids for log in self._logs() if (object := log.read(id))}

    def unsealed(self) -> list[Object]:
        """Everything that is only in a log so far."""
        self._look_around()
        return [object for log in self._logs() for id in log.ids() if (object := log.read(id))]

    def close(self) -> None:
        """Seal the log into a pack that plain git reads. The store can be used on."""
        with self._lock:
            if self._log:
                seal(self._log, self.git.folder / "objects")
                self._log = None
            for log in self._others.values():
                log.close()
            self._others.clear()
        self._reader.close()

    def _find(self, id: str) -> Object:
        if found := self._seen(id):
            return found
        self._look_around()
        if found := self._seen(id):
            return found
        raise UsageError(f"git object {id} is missing: the repository lost it, or never had it (partial clone); fetch it and try again")

    def _seen(self, id: str) -> Object | None:
        for log in self._logs():
            if found := log.read(id):
                return found
        answer = self._reader.read(id)
        return Object(id, *answer) if answer else None

    def _logs(self) -> list[ObjectLog]:
        return [*([self._log] if self._log else []), *self._others.values()]

    def _look_around(self) -> None:
        """Seal the logs that dead processes left, and read along in those of living ones."""
        with self._lock:
            for path in self._folder.glob("*.log"):
                if self._log and path == self._log.path:
                    continue
                with suppress(FileNotFoundError):  # sealed by another process at this moment
                    log = self._others.pop(path, None) or ObjectLog(path)
                    log.refresh()
                    if log.lock():
                        seal(log, self.git.folder / "objects")
                    else:
                        self._others[path] = log


def parse_tree(raw: bytes) -> dict[str, Entry]:
    """The entries of a tree object by name, in git's order."""
    entries, at = {}, 0
    while at < len(raw):
        space, nul = raw.index(b" ", at), raw.index(b"\0", at)
        entries[decode(raw[space + 1 : nul])] = Entry(int(raw[at:space], 8), raw[nul + 1 : nul + 21].hex())
        at = nul + 21
    return entries


def format_tree(entries: Tree) -> bytes:
    """The content of a tree object. Git sorts a folder as if its name ended in a slash."""
    ordered = sorted((encode(name) + b"/" * (entry.mode == FOLDER), entry) for name, entry in entries.items())
    return b"".join(b"%o %s\0%s" % (entry.mode, key.removesuffix(b"/"), bytes.fromhex(entry.id)) for key, entry in ordered)
