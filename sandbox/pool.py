"""Boxes kept warm: made when first needed, used again, replaced in the background, all removed at the end."""

from __future__ import annotations

import atexit
import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor

from sandbox.base import Command, Files, Limits, Quota, Result, SandboxUnavailable
from sandbox.box import Box

DEFAULT_QUOTA = Quota()
LIFETIME = 300  # runs after which a box is replaced
PRICE = 1.0  # seconds: about what it costs to launch a box and to warm it up


def default_slots(quota: Quota, cores: int, memory: int) -> int:
    """More slots than cores only double the latency; more than memory holds end in the kernel's hands."""
    return max(1, min(cores, memory // quota.memory))


def host_resources() -> tuple[int, int]:
    """(cores, bytes of memory) of this machine."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return cores, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


class Pool:
    """At most `slots` boxes at work. Safe to use from several threads.

    While all boxes are at work, another is launched only once waiting for them has cost as much as it would (the ski rental rule):
    many a search of quick tests is over before that.
    """

    def __init__(self, launch: Callable[[], Box], slots: int) -> None:
        self._launch = launch
        self._gate = threading.BoundedSemaphore(slots)
        self._lock = threading.Condition()
        self._waited = 0.0
        self._idle: list[Future[Box]] = []
        self._boxes: set[Box] = set()
        self._closed = False
        self._makers = ThreadPoolExecutor(slots, thread_name_prefix="box")
        atexit.register(self.close)

    @contextlib.contextmanager
    def box(self) -> Iterator[Box]:
        """A box to work in. One that is left by an exception, or says it is not fit, is removed."""
        with self._gate:
            box = self._take()
            finished = False
            try:
                yield box
                finished = True
            finally:
                self._give(box, finished and box.fit and box.runs < LIFETIME, replace=finished)

    def close(self) -> None:
        """Remove every box."""
        with self._lock:
            self._closed = True
            boxes, self._boxes, self._idle = self._boxes, set(), []
            self._lock.notify_all()
        for box in boxes:
            box.kill()
        self._makers.shutdown(wait=False, cancel_futures=True)  # not before: some boxes die with their maker, in the midst of tidying up
        atexit.unregister(self.close)

    def _take(self) -> Box:
        with self._lock:
            began = time.monotonic()
            self._lock.wait_for(lambda: self._idle or not self._boxes, max(0.0, PRICE - self._waited))
            self._waited += time.monotonic() - began
            if self._closed:
                raise SandboxUnavailable("the sandbox is closed")
            waiting = self._idle.pop() if self._idle else self._makers.submit(self._make)
        try:
            return waiting.result()
        except CancelledError:
            raise SandboxUnavailable("the sandbox was closed") from None

    def _make(self) -> Box:
        """A new box. Made in threads of our own: a box may be tied to the life of the thread that started it (bubblewrap's is)."""
        box = self._launch()
        if self._keep(box):
            return box
        box.kill()
        raise SandboxUnavailable("the sandbox was closed")

    def _keep(self, box: Box) -> bool:
        """Count the box as ours, unless we were closed while it was made."""
        with self._lock:
            if not self._closed:
                self._boxes.add(box)
            return not self._closed

    def _give(self, box: Box, keep: bool, replace: bool) -> None:
        with self._lock:
            keep = keep and not self._closed
            if keep:
                ready: Future[Box] = Future()
                ready.set_result(box)
                self._idle.append(ready)
            else:
                self._boxes.discard(box)
                if replace and not self._closed:
                    self._idle.append(self._makers.submit(self._make))
            self._lock.notify_all()
        if not keep:
            box.kill()


class PooledSandbox:
    """A sandbox over a pool of boxes; the backends differ only in how they launch one."""

    name = ""

    def __init__(self, launch: Callable[[], Box], slots: int) -> None:
        self.slots = slots
        self._pool = Pool(launch, slots)

    def run(self, files: Files, command: Command, limits: Limits) -> Result:
        """Run `command` in a clean copy of `files`. A box that fails is replaced once, then SandboxUnavailable is raised."""
        try:
            return self._once(files, command, limits)
        except SandboxUnavailable:
            return self._once(files, command, limits)

    def close(self) -> None:
        """Remove every box. May be called twice."""
        self._pool.close()

    def _once(self, files: Files, command: Command, limits: Limits) -> Result:
        with self._pool.box() as box:
            return box.run(files, command, limits)
