"""One run: its pipes, its watch, what it came to."""

import os
import time

from sandbox.probe import processes
from sandbox.probe import nursery

REPORT_CAP = 64 << 20


class Capped(bytearray):
    """Bytes up to a cap; the rest is dropped."""

    def add(self, data):
        self.extend(data[: max(0, REPORT_CAP - len(self))])


class Run:
    """A command under watch. `limits`: seconds, output, cpu or None, and memory where we have to keep it ourselves."""

    def __init__(self, family, limits, job):
        self._family, self._limits = family, limits
        self.stdout, self.stderr, self.report = processes.Ring(limits["output"]), processes.Ring(limits["output"]), Capped()
        pipes = [os.pipe() for _ in range(3)]
        self._reads, self._writes = [p[0] for p in pipes], [p[1] for p in pipes]
        self._job = nursery.in_memory(job)
        sinks = (self.stdout.add, self.stderr.add, self.report.add)
        self._watch = processes.Watch(family, dict(zip(self._reads, sinks)), limits)
        self._used, self._kills, self._start = processes.cpu_of_children(), processes.memory_kills(), time.monotonic()
        self.hit, self.status, self.seconds, self.cpu, self.calm = "", 9, 0.0, 0.0, True

    def directly(self, start):
        """Run as a process of its own. `start`: file descriptors -> pid."""
        out, err, report = self._writes
        pid = start({1: out, 2: err, 3: self._job, 4: report})
        self._close_writes()
        self.hit = self._watch.until(lambda: self._family.status(pid) is not None)
        self._end()
        self.status = self._family.status(pid) or 0

    def by(self, zygote, limits):
        """Run in a fork of `zygote`. Returns whether the zygote lived through it."""
        out, err, report = self._writes
        final = []

        def ended():
            message = zygote.hear()
            final.extend([message] if message and "status" in message else [])
            return bool(final)

        try:
            zygote.say({"limits": limits}, [self._job, report, out, err])
            self._close_writes()
            self.hit = self._watch.until(ended, zygote.channel)
            self._end()
            if not final and self.calm:
                processes.Watch(self._family, {}, {"seconds": 2.0}).until(ended, zygote.channel)
        except (EOFError, OSError):
            self._end()
        if final:
            self.status, self.cpu = final[0]["status"], self.cpu + final[0]["cpu"]
        return bool(final)

    def _close_writes(self):
        while self._writes:
            os.close(self._writes.pop())

    def _end(self):
        self.seconds = time.monotonic() - self._start
        self.calm = self._family.clear()
        self._watch.drain()
        self.cpu = processes.cpu_of_children() - self._used

    def close(self):
        """Give the pipes back."""
        self._close_writes()
        for handle in (*self._reads, self._job):
            os.close(handle)

    def reply(self):
        """The answer's header and raw bytes."""
        kills = processes.memory_kills()
        status = "memory" if kills != self._kills else self.hit or "done"
        if status == "done" and self._limits["cpu"] and self.cpu >= self._limits["cpu"]:
            status = "timeout"
        blobs = [self.stdout.bytes(), self.stderr.bytes(), bytes(self.report)]
        header = {"status": status, "seconds": self.seconds, "cpu": self.cpu, "calm": self.calm}
        header["exit_code"] = processes.exit_code(self.status) if status == "done" else None
        header["truncated"] = self.stdout.truncated or self.stderr.truncated
        header["sizes"] = [len(b) for b in blobs]
        return header, blobs
