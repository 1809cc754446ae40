"""A process that has pytest and third-party modules loaded and forks once per job: `imports`, or what comes of it with the base's tests.

Single-threaded. Messages come over a datagram socket: first what to load, then one per job, with the job's descriptors. An
`imports` zygote never runs code of the work tree; its forks, `collected` and `midway`, have run the base's, never a candidate's.
"""

import array
import contextlib
import fcntl
import gc
import importlib
import json
import os
import resource
import socket
import sys
import threading
import warnings
from typing import Any, Callable, Dict, List, NoReturn, Tuple

from swesearch_probe import session  # type: ignore[import-not-found]

NEVER = "never: "
PR_SET_DUMPABLE, PR_SET_NAME = 4, 15
LONGEST = 1 << 20


def serve(handle: int) -> None:
    """Load what the first message says, then fork for each message after it."""
    channel = _out_of_the_way(handle)
    preload = json.loads(channel.recv(LONGEST))
    session.add_sites(preload["site"])
    try:
        import _pytest.assertion.rewrite as rewrite
        import swesearch_probe.recorder  # type: ignore[import-not-found] # noqa: F401
    except ImportError as error:
        _give_up(channel, sys.executable + " has no pytest: " + str(error))
    rewrite.AssertionRewritingHook._warn_already_imported = _hush  # type: ignore[assignment, method-assign]
    with _Closed(preload["own"]):
        _load(preload["modules"])
    _settle(channel)
    job, send = Forks(channel).next()
    session.finish(session.run(job, send))


def _collect(handle: int) -> None:
    """What a fork does that is to be a zygote with the base's tests: as if it had been started so."""
    from swesearch_probe import collected, midway

    channel = _out_of_the_way(handle)
    os.setsid()
    _prctl(PR_SET_DUMPABLE, 1)
    getattr(gc, "unfreeze", int)()
    gc.enable()
    preload = json.loads(channel.recv(LONGEST))
    (midway if "before" in preload else collected).serve(channel, preload)


def _hush(*_: object) -> None:
    """A plugin that we loaded ahead needs no warning that its asserts are not rewritten."""


def _out_of_the_way(handle: int) -> socket.socket:
    """The socket on a high descriptor: the numbers of a job's own stay free."""
    high = fcntl.fcntl(handle, fcntl.F_DUPFD_CLOEXEC, 200)
    null = fcntl.fcntl(os.open(os.devnull, os.O_RDWR), fcntl.F_DUPFD_CLOEXEC, 200)
    if handle > 4:
        os.close(handle)
    for number in (3, 4):
        os.dup2(null, number, inheritable=False)
    return socket.socket(fileno=high)


def _give_up(channel: socket.socket, why: str) -> NoReturn:
    channel.send(json.dumps({"error": why[:4000]}).encode())
    os._exit(0)


class _Closed:
    """An import hook that knows no module of these names: they belong to the work tree."""

    def __init__(self, names: List[str]) -> None:
        self._names = set(names)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Refuse the names, and leave the rest to others."""
        del path, target
        if name.partition(".")[0] in self._names:
            raise ImportError(name + " belongs to the work tree")

    def __enter__(self) -> None:
        sys.meta_path.insert(0, self)

    def __exit__(self, *_: object) -> None:
        sys.meta_path.remove(self)


def _load(names: List[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            try:
                importlib.import_module(name)
            except (Exception, SystemExit):  # noqa: BLE001, PERF203 - a module may raise anything; the test will see it again
                continue


def _settle(channel: socket.socket) -> None:
    """Say that we are ready to fork, or why never. From here on nobody may look into this process."""
    if threading.active_count() > 1:
        _give_up(channel, "a module that was loaded has started a thread")
    gc.collect()
    gc.disable()
    getattr(gc, "freeze", int)()  # Python 3.7 on
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    _prctl(PR_SET_DUMPABLE, 0)
    channel.send(b'{"ready": true}')


def _prctl(option: int, value: Any) -> None:
    try:
        import ctypes
    except ImportError:
        return
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


class Forks:
    """Serves a process per job. `between` is called in the zygote after each, with what the child had to say to it."""

    def __init__(self, channel: socket.socket, between: Callable[[str], None] = lambda _: None) -> None:
        self._channel, self._between = channel, between
        self.hint: Callable[[str], None] = lambda _: None

    def next(self) -> Tuple[Dict[str, Any], Any]:
        """Returns only in a child: the job, and the channel for its report."""
        while True:
            message, handles = _receive(self._channel)
            if "zygote" in message:
                self._divide(handles[0])
                continue
            read, write = os.pipe()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # Python counts the threads of a numerical library, too
                pid = os.fork()
            if pid == 0:
                os.close(read)
                return self._child(message, handles, write)
            for handle in (*handles, write):
                os.close(handle)
            self._wait(pid, read)

    def _divide(self, handle: int) -> None:
        """Make another zygote, which listens to `handle`."""
        pid = os.fork()
        if pid == 0:
            self._channel.close()
            _collect(handle)
        os.close(handle)
        self._channel.send(b'{"pid": %d}' % pid)

    def _wait(self, pid: int, read: int) -> None:
        self._channel.send(b'{"pid": %d}' % pid)
        _, status, used = os.wait4(pid, 0)
        seconds = used.ru_utime + used.ru_stime
        self._channel.send(json.dumps({"pid": pid, "status": status, "cpu": seconds}).encode())
        os.set_blocking(read, False)
        with contextlib.suppress(BlockingIOError):
            self._between(os.read(read, 4096).decode("utf-8", "replace"))
        os.close(read)

    def _child(self, message: Dict[str, Any], handles: List[int], hint: int) -> Tuple[Dict[str, Any], Any]:
        self._channel.close()
        for there, ours in zip((3, 4, 1, 2), handles):
            os.dup2(ours, there, inheritable=there < 3)
            os.close(ours)
        os.setsid()
        _limit(message["limits"])
        _prctl(PR_SET_DUMPABLE, 1)
        _prctl(PR_SET_NAME, b"pytest")
        gc.enable()
        if "random" in sys.modules:
            sys.modules["random"].seed()  # Python 3.7 on does it by itself
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()
        job = json.loads(session.read_all(3))
        self.hint = lambda text: _tell(hint, text)
        return job, session.open_channel(4, bytes.fromhex(job.pop("key")))


def _tell(handle: int, text: str) -> None:
    """One word to the zygote, before any code of a candidate runs."""
    os.write(handle, text.encode()[:4096])
    os.close(handle)


def _limit(limits: Dict[str, Any]) -> None:
    for name, number, grace in (("cpu", resource.RLIMIT_CPU, 1), ("fsize", resource.RLIMIT_FSIZE, 0)):
        if limits.get(name):
            resource.setrlimit(number, (int(limits[name]), int(limits[name]) + grace))


def _receive(channel: socket.socket) -> Tuple[Dict[str, Any], List[int]]:
    """The next job's message and descriptors. The end of the socket ends us."""
    handles = array.array("i")
    data, ancillary, _, _ = channel.recvmsg(LONGEST, socket.CMSG_SPACE(4 * handles.itemsize))
    if not data:
        os._exit(0)
    for _, _, rights in ancillary:
        handles.frombytes(rights[: len(rights) - len(rights) % handles.itemsize])
    return json.loads(data), list(handles)
