"""Zygotes: interpreters with pytest (and more) loaded, which fork once per run."""

import array
import json
import os
import socket
import tempfile

from sandbox.probe import processes

KEEP = 3
PATIENCE = 120.0  # seconds for the imports


class Refused(Exception):
    """No zygote can serve this job; nothing was run."""


class Zygote:
    """One loaded interpreter and our end of its socket."""

    def __init__(self, pid, channel):
        self.pid, self.channel = pid, channel
        channel.settimeout(0)

    def say(self, message, handles=()):
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", handles))] if handles else []
        self.channel.sendmsg([json.dumps(message).encode()], rights)

    def hear(self):
        """The next message, None where there is none yet. Raises EOFError once it is dead."""
        try:
            data = self.channel.recv(1 << 16)
        except BlockingIOError:
            return None
        except ConnectionError:
            data = b""
        if not data:
            raise EOFError("the zygote died")
        return json.loads(data)


class Nursery:
    """The zygotes of a box, the least lately used first."""

    def __init__(self, family, launch):
        self._family, self._launch = family, launch  # launch(file descriptors) -> pid
        self._held, self._refused = {}, {}

    def has(self, key):
        """Whether that zygote lives, or is known to be impossible."""
        return key in self._refused or (key in self._held and self._held[key].pid in self._family.spared)

    def get(self, key, preload):
        """The zygote of `key`, made if need be. Raises Refused."""
        if key in self._refused:
            raise Refused(self._refused[key])
        zygote = self._held.pop(key, None)
        if zygote is None or zygote.pid not in self._family.spared:
            while len(self._held) >= KEEP:
                self.drop(next(iter(self._held.values())))
            zygote = self._make(key, preload)
        self._held[key] = zygote
        return zygote

    def drop(self, zygote):
        """Let go of a zygote; the next clearing kills it."""
        self._held = {key: held for key, held in self._held.items() if held is not zygote}
        self._family.spared.discard(zygote.pid)
        zygote.channel.close()

    def _make(self, key, preload):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            zygote = Zygote(self._launch({3: theirs.fileno()}), ours)
        self._family.spared.add(zygote.pid)
        try:
            answer = self._first_words(zygote, preload)
        except (EOFError, OSError) as error:
            answer = {"error": str(error)}
        if not answer.get("ready"):
            self.drop(zygote)
            self._refused[key] = str(answer.get("error", "the zygote did not get ready"))
            raise Refused(self._refused[key])
        return zygote

    def _first_words(self, zygote, preload):
        heard = []

        def ready():
            heard.extend(filter(None, [zygote.hear()]))
            return bool(heard)

        zygote.channel.send(preload)
        processes.Watch(self._family, {}, {"seconds": PATIENCE}).until(ready, zygote.channel)
        return heard[0] if heard else {}


def in_memory(data):
    """An open file that holds `data`, at its start; it has no name."""
    if hasattr(os, "memfd_create"):
        handle = os.memfd_create("job")
    else:
        handle, name = tempfile.mkstemp()
        os.unlink(name)
    os.write(handle, data)
    os.lseek(handle, 0, os.SEEK_SET)
    return handle
