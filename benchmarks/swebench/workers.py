"""Where steps of an evaluation run: each in a process of its own, so that a crash, a kill or a leak ends one step and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from benchmarks.swebench.base import BenchError, Instance
from sandbox.base import SandboxError
from swesearch.base import SwesearchError
from swesearch.report.text import line

FORESEEN = (BenchError, SwesearchError, SandboxError, OSError)
LOG = "worker.log"
Tell = Callable[[str], None]


class StepFailed(Exception):
    """A step could not find out what it was to find out; says why, in one line."""


class WorkerDied(Exception):
    """What carried out a step is gone: a process, or the machine it was on. The step may be tried again."""


@dataclass(frozen=True, slots=True)
class Life:
    """What a step can say, and how it hears that it is to stop."""

    tell: Tell = lambda _: None
    stop: threading.Event = field(default_factory=threading.Event)


class Step(Protocol):
    """A piece of work on one instance that can be pickled. `home` is the instance's own folder, there again when it is tried again."""

    def __call__(self, instance: Instance, home: Path, life: Life, /) -> Any:
        """What came of it; None where it was stopped before the end."""
        ...


class Engine(Protocol):
    """Who carries out steps. Safe to call from as many threads as it has slots."""

    slots: int

    def call(self, step: Step, instance: Instance, tell: Tell) -> Any:
        """What the step gave. Raises StepFailed, and WorkerDied where it may be tried again."""
        ...

    def interrupt(self) -> None:
        """Ask every step to stop, those that are yet to come too."""
        ...

    def close(self) -> None:
        """End what is left."""
        ...


def carried_out(step: Step, instance: Instance, home: Path, life: Life) -> tuple[str, Any]:
    """("done", what came of it), or ("failed", why) for an error that is foreseen. Others are bugs and fly."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        return "done", step(instance, home, life)
    except FORESEEN as error:
        return "failed", f"{type(error).__name__}: {line(str(error) or 'no reason given', 400)}"


class Processes:
    """An engine on this machine. Steps keep their files in `folder`/INSTANCE."""

    def __init__(self, folder: Path, slots: int) -> None:
        self.slots = slots
        self._folder = folder
        self._running: dict[multiprocessing.process.BaseProcess, Connection] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def call(self, step: Step, instance: Instance, tell: Tell) -> Any:
        """Start a process, listen to it until it has said all, and wait for its end."""
        home = self._folder / instance.id
        process, pipe = self._start(step, instance, home)
        try:
            if (answer := _listen(pipe, tell)) is None:
                process.join()
                raise WorkerDied(_last_words(process.exitcode, home / LOG))
        finally:
            with self._lock:
                del self._running[process]
            pipe.close()  # the worker's end if it still lives
            process.join()
        kind, value = answer
        if kind == "failed":
            raise StepFailed(value)
        return value

    def interrupt(self) -> None:
        """Ask every worker to stop."""
        with self._lock:
            self._stopping.set()
            for pipe in self._running.values():
                with suppress(OSError):  # it has just ended
                    pipe.send("stop")

    def close(self) -> None:
        """Kill what still runs: boxes die with the pipes of their owner."""
        with self._lock:
            for process in self._running:
                process.kill()

    def _start(self, step: Step, instance: Instance, home: Path) -> tuple[multiprocessing.process.BaseProcess, Connection]:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads may hang
        pipe, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, step, instance, home), daemon=True)
        with self._lock:
            process.start()
            theirs.close()  # now the end of the worker closes the pipe
            self._running[process] = pipe
            if self._stopping.is_set():
                pipe.send("stop")
        return process, pipe


def _listen(pipe: Connection, tell: Tell) -> tuple[str, Any] | None:
    """The worker's answer, None where it died without one."""
    with suppress(EOFError, OSError):
        while True:
            kind, value = pipe.recv()
            if kind != "tell":
                return kind, value
            tell(value)
    return None


def _work(pipe: Connection, step: Step, instance: Instance, home: Path) -> None:
    """The life of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all processes of a terminal; the driver says what is to be done
    _log_to(home / LOG)
    one_at_a_time = threading.Lock()

    def tell(text: str) -> None:
        with one_at_a_time:
            pipe.send(("tell", text))

    life = Life(tell)
    threading.Thread(target=_obey, args=(pipe, life.stop), daemon=True).start()
    answer = carried_out(step, instance, home, life)
    with one_at_a_time:
        pipe.send(answer)


def _obey(pipe: Connection, stop: threading.Event) -> None:
    """Stop when told to; end at once when the driver is gone, or nobody would be left to remove what is made here."""
    try:
        while pipe.recv():
            stop.set()
    except (EOFError, OSError):
        os._exit(1)


def _log_to(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as log:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
            os.dup2(log.fileno(), stream.fileno())


def _last_words(code: int | None, log: Path) -> str:
    if code is not None and code < 0:
        return f"the worker was killed ({signal.Signals(-code).name}); its log is {log}"
    rows = log.read_text(encoding="utf-8", errors="replace").split("\n") if log.exists() else []
    said = next((row for row in reversed(rows) if row.strip()), "nothing")
    return f"the worker ended with {code} and said: {line(said, 300)}; its log is {log}"
