"""One run: its pipes, its watch, what it came to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from sandbox.probe.nursery import Zygote, in_memory
from sandbox.probe.processes import Family, cpu_of_children, exit_code, memory_kills
from sandbox.probe.watch import Capped, Ring, Watch

REPORT_CAP = 64 << 20
LAST_WORDS = 2.0  # seconds for a zygote to say how its child ended, once that is dead


class Run:
    """A command under watch. `limits`: seconds, output, cpu or None; `memory` where we have to keep it ourselves."""

    def __init__(self, family: Family, limits: dict[str, Any], memory: int | None, job: memoryview) -> None:
        self._family, self._limits = family, limits
        self._out, self._err, self._report = Ring(limits["output"]), Ring(limits["output"]), Capped(REPORT_CAP)
        pipes = [os.pipe() for _ in range(3)]
        self._reads, self._writes = [read for read, _ in pipes], [write for _, write in pipes]
        self._job = in_memory(job)
        adders = dict(zip(self._reads, (self._out.add, self._err.add, self._report.add)))
        self._watch = Watch(family, adders, limits["seconds"], limits["cpu"], memory)
        self._used, self._kills, self._start = cpu_of_children(), memory_kills(), time.monotonic()
        self._hit, self._status, self._seconds, self._cpu, self._calm = "", 9, 0.0, 0.0, True

    def directly(self, start: Callable[[dict[int, int]], int]) -> None:
        """Run as a process of its own. `start`: file descriptors there -> ours, to pid."""
        out, err, report = self._writes
        pid = start({1: out, 2: err, 3: self._job, 4: report})
        self._close_writes()
        self._hit = self._watch.until(lambda: self._family.status(pid) is not None)
        self._status = self._family.status(pid) or 0
        self._end()

    def by(self, zygote: Zygote, limits: dict[str, Any]) -> bool:
        """Run in a fork of `zygote`. Returns whether the zygote lived through it."""
        out, err, report = self._writes
        final: list[dict[str, Any]] = []

        def ended() -> bool:
            final.extend(message for message in [zygote.hear()] if message and "status" in message)
            return bool(final)

        try:
            zygote.ask({"limits": limits}, [self._job, report, out, err])
            self._close_writes()
            self._hit = self._watch.until(ended, zygote.channel)
            self._end()
            if not final and self._calm:
                Watch(self._family, {}, LAST_WORDS).until(ended, zygote.channel)
        except OSError:  # it is dead: so is its child now, in a way nobody saw
            self._end()
        if final:
            self._status, self._cpu = int(final[0]["status"]), self._cpu + float(final[0]["cpu"])
        return bool(final)

    def _close_writes(self) -> None:
        while self._writes:
            os.close(self._writes.pop())

    def _end(self) -> None:
        self._seconds = time.monotonic() - self._start
        self._close_writes()
        self._calm = self._family.clear()
        self._watch.drain()
        self._cpu = cpu_of_children() - self._used

    def close(self) -> None:
        """Give the pipes back."""
        self._close_writes()
        for handle in (*self._reads, self._job):
            os.close(handle)

    def reply(self) -> tuple[dict[str, Any], list[bytes]]:
        """The answer's header and raw bytes."""
        status = self._verdict()
        blobs = [self._out.kept(), self._err.kept(), self._report.kept()]
        header = {
            "status": status,
            "exit_code": exit_code(self._status) if status == "done" else None,
            "seconds": self._seconds,
            "cpu": self._cpu,
            "calm": self._calm,
            "truncated": self._out.truncated or self._err.truncated,
            "sizes": [len(blob) for blob in blobs],
        }
        return header, blobs

    def _verdict(self) -> str:
        if memory_kills() != self._kills:
            return "memory"
        late = self._limits["cpu"] is not None and self._cpu >= self._limits["cpu"]
        return self._hit or ("timeout" if late else "done")
