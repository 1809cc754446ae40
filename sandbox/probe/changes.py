"""What was touched in a folder tree, by inotify(7): tells a run that only read from one that wrote.

Nothing can change a file's bytes without opening or truncating it, and both are told as they happen, under the name they are done to.
(A write through a memory map shows neither in mtime nor in ctime on tmpfs, and is told to nobody; the open before it is.)
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterable, Iterator

MODIFY, ATTRIB, OPEN = 0x2, 0x4, 0x20
MOVED_FROM, MOVED_TO, CREATE, DELETE, DELETE_SELF, MOVE_SELF = 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
IS_FOLDER, ONLY_FOLDERS, NO_FOLLOW = 0x40000000, 0x01000000, 0x02000000
WATCHED = MODIFY | ATTRIB | OPEN | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF
HEADER = struct.Struct("iIII")


class Changes:
    """Watches folders, not what lies in folders below them."""

    def __init__(self, folders: Iterable[str]) -> None:
        """Raises OSError where this machine cannot watch them."""
        if not sys.platform.startswith("linux"):
            raise OSError(errno.ENOSYS, "no inotify")
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._handle < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._folders: dict[int, str] = {}
        for folder in folders:
            self._watch(folder)

    def _watch(self, folder: str) -> None:
        mask = WATCHED | ONLY_FOLDERS | NO_FOLLOW
        watch = self._libc.inotify_add_watch(self._handle, os.fsencode(folder), ctypes.c_uint32(mask))
        if watch < 0:
            error = ctypes.get_errno()
            self.close()
            raise OSError(error, "inotify_add_watch")
        self._folders[watch] = "" if folder == "." else folder + "/"

    def opened(self) -> tuple[set[str], bool]:
        """The files opened since the last call, for whatever purpose, and whether nothing else was done and all could be told."""
        found: set[str] = set()
        only_opened = True
        for watch, mask, name in self._events():
            if mask & ~(OPEN | MODIFY | IS_FOLDER) or watch not in self._folders:
                only_opened = False
            elif not mask & IS_FOLDER:
                found.add(self._folders[watch] + os.fsdecode(name))
        return found, only_opened

    def _events(self) -> Iterator[tuple[int, int, bytes]]:
        while True:
            try:
                data = os.read(self._handle, 1 << 16)
            except BlockingIOError:
                return
            position = 0
            while position < len(data):
                watch, mask, _, length = HEADER.unpack_from(data, position)
                position += HEADER.size + length
                yield watch, mask, data[position - length : position].rstrip(b"\0")

    def close(self) -> None:
        """Watch no more."""
        os.close(self._handle)
