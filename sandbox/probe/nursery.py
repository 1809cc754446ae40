"""Zygotes: interpreters with pytest (and more) loaded, which fork once per run.

A zygote that collects tests begins as a fork of the one that has the same modules loaded: pytest is imported once in a box.
"""

from __future__ import annotations

import array
import json
import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, Tuple

from sandbox.probe.processes import Family, standing
from sandbox.probe.watch import Watch

KEEP = 4
PATIENCE = 120.0  # seconds for a zygote to get ready
LOADED = ("site", "modules", "own")  # what a preload says of what is loaded; the rest of it is about tests
Key = Tuple[str, bytes, str]  # level, preload, base ("" where it does not matter)


class Refused(Exception):
    """No zygote can serve this job; nothing was run."""


class Zygote:
    """One loaded interpreter, and our end of its socket."""

    def __init__(self, pid: int, channel: socket.socket) -> None:
        self.pid, self.channel = pid, channel
        self._standing = b""
        channel.setblocking(False)

    def settled(self) -> None:
        """From here on nobody may touch it."""
        self._standing = standing(self.pid)

    def touched(self) -> bool:
        """Whether a candidate has done something to it that the next one would feel."""
        return standing(self.pid) != self._standing

    def ask(self, message: dict[str, Any], handles: Sequence[int]) -> None:
        """Send a job's limits and its files: job, report, stdout, stderr. Raises OSError."""
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", handles))
        self.channel.sendmsg([json.dumps(message).encode()], [rights])

    def hear(self) -> dict[str, Any] | None:
        """Its next message, None where there is none yet. Raises OSError once it is dead or talks nonsense."""
        try:
            data = self.channel.recv(1 << 16)
        except BlockingIOError:
            return None
        if not data:
            raise OSError("the zygote died")
        try:
            return dict(json.loads(data))
        except (TypeError, ValueError) as error:
            raise OSError("the zygote does not keep to the protocol") from error


class Nursery:
    """The zygotes of a box, the least lately used first."""

    def __init__(self, family: Family, launch: Callable[[dict[int, int]], int]) -> None:
        self._family, self._launch = family, launch  # launch: file descriptors there -> ours, to pid
        self._held: dict[Key, Zygote] = {}
        self._refused: dict[Key, str] = {}

    def has(self, key: Key) -> bool:
        """Whether that zygote lives, or is known to be impossible."""
        return key in self._refused or (key in self._held and self._fit(self._held[key]))

    def get(self, key: Key) -> Zygote:
        """The zygote of `key`, made if need be. Raises Refused."""
        if key in self._refused:
            raise Refused(self._refused[key])
        zygote = self._held.pop(key, None)
        if zygote is not None and not self._fit(zygote):
            self.drop(zygote)
            zygote = None
        zygote = zygote or self._make(key)
        self._held[key] = zygote
        while len(self._held) > KEEP:
            self.drop(next(iter(self._held.values())))
        return zygote

    def drop(self, zygote: Zygote) -> None:
        """Let go of a zygote; the next clearing kills it."""
        self._held = {key: held for key, held in self._held.items() if held is not zygote}
        self._family.spared.discard(zygote.pid)
        zygote.channel.close()

    def _fit(self, zygote: Zygote) -> bool:
        return zygote.pid in self._family.spared and not zygote.touched()

    def _make(self, key: Key) -> Zygote:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            pid = self._born(key, theirs)
        zygote = Zygote(pid, ours)
        self._family.spared.add(pid)
        try:
            words = self._first_words(zygote, key[1])
        except OSError as error:
            words = {"error": str(error)}
        if not words.get("ready"):
            self.drop(zygote)
            self._refused[key] = str(words.get("error", "the zygote did not get ready"))
            raise Refused(self._refused[key])
        zygote.settled()
        return zygote

    def _born(self, key: Key, theirs: socket.socket) -> int:
        """The process id of a new zygote that will listen to `theirs`. Raises Refused."""
        if key[0] == "imports":
            return self._launch({3: theirs.fileno()})
        loaded = {name: value for name, value in json.loads(key[1]).items() if name in LOADED}
        parent = self.get(("imports", json.dumps(loaded).encode(), ""))
        try:
            parent.ask({"zygote": True}, [theirs.fileno()])
            return int(self._next_words(parent).get("pid", 0))
        except OSError as error:
            self.drop(parent)
            raise Refused(f"the zygote to fork from: {error}") from error

    def _first_words(self, zygote: Zygote, preload: bytes) -> dict[str, Any]:
        zygote.channel.send(preload)
        return self._next_words(zygote)

    def _next_words(self, zygote: Zygote) -> dict[str, Any]:
        heard: list[dict[str, Any]] = []

        def spoken() -> bool:
            heard.extend(filter(None, [zygote.hear()]))
            return bool(heard)

        Watch(self._family, {}, PATIENCE).until(spoken, zygote.channel)
        return heard[0] if heard else {}


def in_memory(data: bytes | memoryview) -> int:
    """An open file that holds `data`, read from its start; it has no name."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("job")
    else:
        handle, name = tempfile.mkstemp()
        os.unlink(name)
    view = memoryview(data)
    while len(view):
        view = view[os.write(handle, view) :]
    os.lseek(handle, 0, os.SEEK_SET)
    return handle
