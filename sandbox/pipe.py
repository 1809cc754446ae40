"""A box that is a child process: frames go over its stdin and stdout."""

from __future__ import annotations

import os
import selectors
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence

from sandbox.base import SandboxUnavailable


class PipeLink:
    """The pipes of a child process. Its last words on stderr become part of the error."""

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], pass_fds: Sequence[int] = ()) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `kill`)
        self._in_use = threading.Lock()  # nothing is closed under a thread that reads from it
        try:
            self._process = subprocess.Popen(
                argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr,
                env=dict(environment), cwd="/", start_new_session=True, bufsize=0, pass_fds=pass_fds,
            )  # fmt: skip
        except OSError as error:
            raise SandboxUnavailable(f"cannot start {argv[0]}: {error.strerror}") from error

    def send(self, data: bytes) -> None:
        """Write all of `data`."""
        assert self._process.stdin
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._process.stdin.fileno(), view) :]
        except (OSError, ValueError) as error:
            raise self._gone() from error

    def receive(self, count: int, deadline: float) -> bytes:
        """Exactly `count` bytes before `deadline`."""
        assert self._process.stdout
        data = bytearray()
        with self._in_use, selectors.DefaultSelector() as selector:
            if self._process.stdout.closed:
                raise self._gone()
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while len(data) < count:
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise SandboxUnavailable("the box does not answer")
                part = os.read(self._process.stdout.fileno(), min(count - len(data), 1 << 20))
                if not part:
                    raise self._gone()
                data += part
        return bytes(data)

    def kill(self) -> None:
        """Close its stdin, by which it ends itself and all it started; kill it where that is not enough."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with self._in_use:
            self._process.stdout.close()
            self._stderr.close()

    def _gone(self) -> SandboxUnavailable:
        if self._stderr.closed:
            return SandboxUnavailable("the box was closed")
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - 2000))
        words = self._stderr.read().decode("utf-8", "replace").strip()
        return SandboxUnavailable("the box died" + (f": {words}" if words else ""))
