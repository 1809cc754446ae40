"""Watching a run: its output, its limits, its end."""

from __future__ import annotations

import os
import resource
import select
import socket
import time
from collections.abc import Callable, Mapping

from sandbox.probe.processes import Family, memory_kills, memory_of

TICK = 0.1  # seconds between looks at memory and CPU
DRAIN_SECONDS = 2.0


class HostGone(Exception):
    """Nobody holds the other end of our stdin any more."""


class Ring:
    """Output kept up to a limit: the head and the tail. All of it is counted."""

    def __init__(self, limit: int) -> None:
        self._limits = limit - limit // 2, limit // 2
        self._head, self._tail = bytearray(), bytearray()
        self._total = 0

    def add(self, data: bytes) -> None:
        """Take in what was printed."""
        self._total += len(data)
        room = max(0, self._limits[0] - len(self._head))
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._limits[1] + (1 << 16):
            del self._tail[: len(self._tail) - self._limits[1]]

    @property
    def truncated(self) -> bool:
        """Whether some of it was left out."""
        return self._total > sum(self._limits)

    def kept(self) -> bytes:
        """Head and tail, with a note between them where something is missing."""
        if not self.truncated:
            return bytes(self._head + self._tail)
        note = f"\n[... {self._total - sum(self._limits)} bytes left out ...]\n"
        return bytes(self._head) + note.encode() + bytes(self._tail[len(self._tail) - self._limits[1] :])


class Capped:
    """Bytes up to a limit; the rest is dropped."""

    def __init__(self, limit: int) -> None:
        self._limit, self._data = limit, bytearray()

    def add(self, data: bytes) -> None:
        """Take in what was written."""
        self._data += data[: max(0, self._limit - len(self._data))]

    def kept(self) -> bytes:
        """What was kept."""
        return bytes(self._data)


class Watch:
    """Reads the outputs of a run until it has ended, one way or another."""

    def __init__(
        self,
        family: Family,
        sinks: Mapping[int, Callable[[bytes], None]],
        seconds: float,
        cpu: float | None = None,
        memory: int | None = None,
    ) -> None:
        self._family, self._sinks, self._seconds, self._cpu, self._memory = family, dict(sinks), seconds, cpu, memory
        self._kills = memory_kills()
        self._poller = select.poll()
        self._poller.register(0, 0)  # nothing but a hang-up
        for handle in (family.wakeup, *sinks):
            self._poller.register(handle, select.POLLIN)
        for handle in sinks:
            os.set_blocking(handle, False)

    def until(self, ended: Callable[[], bool], extra: socket.socket | None = None) -> str:
        """Wait until `ended`; `extra` wakes us up. Returns "" or the limit that was hit: "timeout", "memory". Raises HostGone."""
        if extra:
            self._poller.register(extra, select.POLLIN)
        now = time.monotonic()
        end, look = now + self._seconds, now + TICK
        while not ended():
            now = time.monotonic()
            if now >= end:
                return "timeout"
            if now >= look:
                look = now + TICK
                hit = self._over()
                if hit:
                    return hit
            self._turn(min(end, look) - now)
        return ""

    def drain(self) -> None:
        """Read what is left once all writers are dead."""
        end = time.monotonic() + DRAIN_SECONDS
        while self._sinks and time.monotonic() < end:
            for handle in list(self._sinks):
                self._read(handle)

    def _turn(self, seconds: float) -> None:
        for handle, _ in self._poller.poll(seconds * 1000 + 1):
            if handle == 0:
                raise HostGone
            if handle == self._family.wakeup:
                os.read(handle, 4096)
            elif handle in self._sinks:
                self._read(handle)

    def _read(self, handle: int) -> None:
        try:
            data = os.read(handle, 1 << 16)
        except BlockingIOError:
            return
        if data:
            self._sinks[handle](data)
        else:
            self._poller.unregister(handle)
            del self._sinks[handle]

    def _over(self) -> str:
        """The limit that all processes together are over, if any."""
        if memory_kills() != self._kills:
            return "memory"
        found = self._family.others() if self._cpu is not None or self._memory is not None else []
        if self._memory is not None and sum(pages for _, pages, _ in found) * resource.getpagesize() > self._memory:
            if sum(memory_of(pid) for pid, _, _ in found) > self._memory:  # forks share most of what counts as theirs
                return "memory"
        if self._cpu is not None and sum(ticks for _, _, ticks in found) / os.sysconf("SC_CLK_TCK") > self._cpu:
            return "timeout"
        return ""
