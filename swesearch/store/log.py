"""An append-only file of git objects, each as an entry of a git pack: small, quick, and never torn.

A search makes thousands of objects that differ from another one by a few bytes. As loose objects each would be a file with a
compressed copy of the whole; here it is a delta of about a hundred bytes behind a frame that tells its id, length and checksum.
All objects of a state are one `write`, so what was acknowledged survives `kill -9`. `seal` turns a log into a pack that plain
git reads. Formats: gitformat-pack(5).
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import struct
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from gitdb.pack import IndexWriter  # type: ignore[import-untyped]  # gitdb ships no types

from swesearch.base import StoreError
from swesearch.store.delta import apply_delta, make_delta
from swesearch.store.gitsafe import write_file

FRAME = struct.Struct(">20sII")  # object id, length of the entry, its CRC-32
KINDS = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
NAMES = {number: kind for kind, number in KINDS.items()}
REF_DELTA = 7
DEEPEST = 50  # deltas upon deltas: as deep as git itself packs


class Object(NamedTuple):
    """A git object: its name, its kind, its content."""

    id: str
    kind: str
    content: bytes

    @classmethod
    def of(cls, kind: str, content: bytes) -> Object:
        """An object with the name git gives it: the SHA-1 of kind, length and content."""
        head = b"%s %d\0" % (kind.encode(), len(content))
        return cls(hashlib.sha1(head + content, usedforsecurity=False).hexdigest(), kind, content)


class New(NamedTuple):
    """An object to keep, and one that it resembles."""

    object: Object
    base: Object | None = None


class ObjectLog:
    """One log file. Its writer holds a lock on it; other processes may read along."""

    def __init__(self, path: Path, flags: int = 0) -> None:
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | flags, 0o600)
        self._lock = Lock()
        self._starts: dict[str, int] = {}  # where each object's frame begins
        self._depths: dict[str, int] = {}
        self._end = 0
        self.refresh()

    @classmethod
    def create(cls, folder: Path) -> ObjectLog:
        """Begin a log of one's own in `folder`."""
        while True:
            log = cls(folder / f"{time.time_ns()}-{os.getpid()}.log", os.O_CREAT | os.O_EXCL)
            if log.lock():
                return log
            log.close()  # another process took the new, still empty log for a dead one, and sealed it

    def lock(self) -> bool:
        """Become the only writer. False where another process is, or has just sealed the log."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return os.path.samestat(os.fstat(self._file), self.path.stat())
        except (BlockingIOError, FileNotFoundError):
            return False

    def __contains__(self, id: str) -> bool:
        return id in self._starts

    def ids(self) -> list[str]:
        """The names of all its objects."""
        with self._lock:
            return list(self._starts)

    def close(self) -> None:
        """Let go of the file and its lock. From then on the log is empty for its readers."""
        with self._lock:
            os.close(self._file)
            self._starts.clear()

    def refresh(self) -> None:
        """Take in what was written since. A torn or damaged end is left out."""
        size = os.fstat(self._file).st_size
        while self._end + FRAME.size <= size:
            id, length, crc = FRAME.unpack(os.pread(self._file, FRAME.size, self._end))
            entry = os.pread(self._file, length, self._end + FRAME.size)
            if len(entry) != length or zlib.crc32(entry) != crc:
                break
            self._starts[id.hex()] = self._end
            self._end += FRAME.size + length

    def read(self, id: str) -> Object | None:
        """An object, or None where the log has none of that name."""
        with self._lock:
            return self._read(id) if id in self._starts else None

    def _read(self, id: str) -> Object:
        number, base_id, content = _parse(self._entry(id))
        if number != REF_DELTA:
            return Object(id, NAMES[number], content)
        base = self._read(base_id)
        return Object(id, base.kind, apply_delta(base.content, content))

    def add(self, objects: Sequence[New]) -> None:
        """Keep objects, all in one write. Raises StoreError where the disk is full."""
        with self._lock:
            fresh: dict[str, tuple[int, bytes]] = {}
            for new in objects:
                self._encode(new, fresh)
            frames = [FRAME.pack(bytes.fromhex(id), len(entry), zlib.crc32(entry)) + entry for id, (_, entry) in fresh.items()]
            self._write(b"".join(frames))
            for (id, (depth, _)), frame in zip(fresh.items(), frames, strict=True):
                self._starts[id], self._depths[id] = self._end, depth
                self._end += len(frame)

    def entries(self) -> Iterator[tuple[str, bytes]]:
        """Every object's name and pack entry, in the order written."""
        return ((id, self._entry(id)) for id in self._starts)

    def _entry(self, id: str) -> bytes:
        start = self._starts[id]
        _, length, _ = FRAME.unpack(os.pread(self._file, FRAME.size, start))
        return os.pread(self._file, length, start + FRAME.size)

    def _encode(self, new: New, fresh: dict[str, tuple[int, bytes]]) -> None:
        """Add the entry of an object to `fresh`: as a delta where that is much smaller, its base before it where that is missing."""
        id, kind, content = new.object
        if id in self._starts or id in fresh:
            return
        base = new.base
        if base and base.id != id and len(delta := make_delta(base.content, content)) < len(content) // 2:
            self._encode(New(base), fresh)
            depth = 1 + (fresh[base.id][0] if base.id in fresh else self._depths[base.id])
            if depth <= DEEPEST:
                fresh[id] = depth, _header(REF_DELTA, len(delta)) + bytes.fromhex(base.id) + zlib.compress(delta, 1)
                return
        fresh[id] = 0, _header(KINDS[kind], len(content)) + zlib.compress(content, 1)

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._file, view) :]
        except OSError as error:
            os.ftruncate(self._file, self._end)
            raise StoreError(f"{self.path} cannot be written: {error.strerror}") from error


def seal(log: ObjectLog, objects: Path) -> None:
    """Turn a log into a pack of the object directory `objects`, and remove it. May be done again after a crash at any point."""
    if entries := dict(log.entries()):
        write_pack(objects / "pack", entries)
    log.path.unlink()
    log.close()


def export(found: Iterable[Object], objects: Path) -> None:
    """Write a pack of these objects, whole and uncompressed: it lives for one command."""
    (objects / "pack").mkdir()
    write_pack(objects / "pack", {id: _header(KINDS[kind], len(content)) + zlib.compress(content, 0) for id, kind, content in found})


def write_pack(folder: Path, entries: dict[str, bytes]) -> None:
    """Write a pack and its index. The index comes last: git sees the pack once that is there."""
    header = b"PACK" + struct.pack(">II", 2, len(entries))
    pack, index = bytearray(header), IndexWriter()
    for id, entry in entries.items():
        index.append(bytes.fromhex(id), zlib.crc32(entry), len(pack))
        pack += entry
    checksum = hashlib.sha1(pack, usedforsecurity=False).digest()
    name = folder / f"pack-{checksum.hex()}.pack"
    write_file(name, bytes(pack) + checksum)
    listing = io.BytesIO()
    index.write(checksum, listing.write)
    write_file(name.with_suffix(".idx"), listing.getvalue())


def _header(number: int, size: int) -> bytes:
    """Kind and inflated size of an entry: three bits of kind and four of size, then seven bits of size a byte."""
    out = bytearray([number << 4 | size & 15])
    size >>= 4
    while size:
        out[-1] |= 0x80
        out.append(size & 0x7F)
        size >>= 7
    return bytes(out)


def _parse(entry: bytes) -> tuple[int, str, bytes]:
    """Number of the kind, name of the base ("" without one) and inflated content of an entry."""
    number, at = entry[0] >> 4 & 7, 0
    while entry[at] & 0x80:
        at += 1
    at += 1
    base = entry[at : at + 20] if number == REF_DELTA else b""
    return number, base.hex(), zlib.decompress(entry[at + len(base) :])
