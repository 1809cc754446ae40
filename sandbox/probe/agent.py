"""PID 1 of a box: takes requests over stdin, runs them as an unprivileged user, leaves nothing behind.

A frame is a 4-byte big-endian length, that many bytes of JSON, then `n` raw bytes as the JSON says. Requests: `base` (keep a tree),
`run`. The end of stdin ends the box, whatever goes on in it. Standard library only, Python 3.7 on.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import shutil
import signal
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from sandbox.probe import jail, leftovers
from sandbox.probe.nursery import Nursery, Refused, Zygote
from sandbox.probe.processes import Family, memory_kills, standing, start
from sandbox.probe.runs import Run
from sandbox.probe.watch import HostGone
from sandbox.probe.worktree import DATE, TEST_FILE, Base, TreeError, WorkTree, wipe

BASES = 4  # trees kept
UNLIMITED = {"cpu": None}
COMPILE_SECONDS = 3.0  # between two runs
WORTHWHILE = 1 << 14  # bytes of source


def read(count: int) -> bytearray:
    """Exactly `count` bytes of stdin. Raises HostGone."""
    data = bytearray()
    while len(data) < count:
        part = os.read(0, min(count - len(data), 1 << 20))
        if not part:
            raise HostGone
        data += part
    return data


def receive() -> tuple[dict[str, Any], memoryview]:
    """The next frame: header, raw bytes. Raises HostGone."""
    header = json.loads(read(struct.unpack(">I", read(4))[0]))
    return header, memoryview(read(header.get("n", 0)))


def send(header: dict[str, Any], blobs: Sequence[bytes] = ()) -> None:
    """Answer with one frame. Raises HostGone."""
    text = json.dumps(dict(header, n=sum(map(len, blobs)))).encode()
    view = memoryview(b"".join([struct.pack(">I", len(text)), text, *blobs]))
    try:
        while len(view):
            view = view[os.write(1, view) :]
    except BrokenPipeError:
        raise HostGone from None


class Agent:
    """What a box holds: base trees, a work tree, zygotes."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._config, self._uid = config, config["uid"]
        self._rules = jail.compile_filter() if config["filter"] else b""
        if config["filter"] and not self._rules:
            raise OSError("there is no system call filter for this machine")
        self._family = Family(config["init"])
        self._nursery = Nursery(self._family, self._hatch)
        self._bases: dict[str, Base] = {}  # the least lately used first
        self._tree = WorkTree()
        self._standing = standing(os.getpid())
        self._counts_memory = config["cgroup"] and memory_kills() is not None
        for folder, mode in config["modes"].items():
            os.chmod(folder, mode)
        _install(config["probe"], config["files"])
        os.chdir(config["work"])

    def serve(self) -> None:
        """Answer requests. Raises HostGone in the end."""
        send({"ready": True})
        while True:
            header, raw = receive()
            if header["op"] == "base":
                self._hold(header["base"], raw)
            elif header["base"] not in self._bases:
                send({"missing": True})
            else:
                base = self._bases[header["base"]] = self._bases.pop(header["base"])
                self._answer(base, header, raw)
                self._restore(base)
                self._compile(base)

    def end(self) -> None:
        """Leave nobody behind, and no folder of our own."""
        self._family.spared.clear()
        self._family.clear()
        for folder in self._config["remove"]:
            shutil.rmtree(folder, ignore_errors=True)

    def _hold(self, name: str, archive: memoryview) -> None:
        while len(self._bases) >= BASES:
            del self._bases[next(iter(self._bases))]
        try:
            self._bases[name] = Base(bytes(archive))
            send({})
        except TreeError as error:
            send({"error": str(error)})

    def _answer(self, base: Base, request: dict[str, Any], raw: memoryview) -> None:
        try:
            send(*self._run(base, request, raw))
        except TreeError as error:
            self._tree.base = None
            send({"error": str(error)})

    @contextlib.contextmanager
    def _as_tester(self) -> Iterator[None]:
        """Touch files with no more rights than the tests have. Only the effective ids change."""
        if self._uid is None:
            yield
            return
        os.setegid(self._uid)
        os.seteuid(self._uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)

    def _restore(self, base: Base) -> None:
        """Nobody alive, a pristine work tree, empty scratch folders. Done after an answer, while the host thinks."""
        self._family.clear()
        with self._as_tester():
            for folder in self._config["scratch"]:
                wipe(folder, self._config["keep"])
            self._tree.restore(base)
            if self._config["init"]:
                leftovers.remove_shared_memory()

    def _compile(self, base: Base) -> None:
        """Add the bytecode of modules that were read to the base: a run's own is thrown away with the rest of what it wrote."""
        wanted = base.to_compile(self._tree.read)
        if sum(len(base.files[path][1]) for path in wanted) < WORTHWHILE:
            return
        tests = [path for path in wanted if TEST_FILE.search(path)]
        modules = [path for path in wanted if path not in tests]
        order = json.dumps({"modules": modules, "tests": tests, "seconds": COMPILE_SECONDS, "time": DATE}).encode()
        run = Run(self._family, {"seconds": 5 * COMPILE_SECONDS, "output": 1 << 10, "cpu": None}, None, memoryview(order))
        argv = [self._config["python"], "-I", "-B", os.path.join(self._config["probe"], "bytecode.py")]
        try:
            run.directly(lambda ends: self._launch(argv, self._config["env"], ends, UNLIMITED))
            base.take_bytecode(wanted, run.reply()[1][2])
        finally:
            run.close()
        self._tree.base = None
        self._restore(base)

    def _run(self, base: Base, request: dict[str, Any], raw: memoryview) -> tuple[dict[str, Any], Sequence[bytes]]:
        if self._tree.base is not base:
            self._restore(base)
        entries = request["changed"]
        *data, job, preload = _cut(raw, [entry["size"] for entry in entries] + [request["job"], request["preload"]])
        try:
            zygote = self._zygote(request["warm"], request["base"], bytes(preload)) if request["warm"] else None
        except Refused as error:
            return {"refused": str(error)}, ()
        with self._as_tester():
            self._tree.lay((entry["path"], entry["kind"], part) for entry, part in zip(entries, data))
        return self._watched(request, job, zygote)

    def _zygote(self, warm: str, base: str, preload: bytes) -> Zygote:
        key = (warm, preload, "" if warm == "imports" else base)
        if self._nursery.has(key):
            return self._nursery.get(key)
        try:
            return self._nursery.get(key)
        finally:
            self._restore(self._bases[base])  # loading ran other people's code

    def _watched(self, request: dict[str, Any], job: memoryview, zygote: Zygote | None) -> tuple[dict[str, Any], Sequence[bytes]]:
        limits, quota = request["limits"], self._config["quota"]
        run = Run(self._family, limits, None if self._counts_memory else quota["memory"], job)
        try:
            if zygote is None:
                run.directly(lambda ends: self._start(request, ends))
            elif not run.by(zygote, {"cpu": limits["cpu"] and math.ceil(limits["cpu"]), "fsize": quota["workspace"]}):
                self._nursery.drop(zygote)
            header, blobs = run.reply()
            header["calm"] = header["calm"] and standing(os.getpid()) == self._standing  # else this box is not to be used again
            return header, blobs
        finally:
            run.close()

    def _start(self, request: dict[str, Any], ends: dict[int, int]) -> int:
        environment = dict(self._config["env"], **request["env"])
        if request["argv"]:
            return self._launch(request["argv"], environment, {1: ends[1], 2: ends[2]}, request["limits"])
        return self._launch(self._runner(), environment, ends, request["limits"])

    def _hatch(self, ends: dict[int, int]) -> int:
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            return self._launch(self._runner("serve"), self._config["env"], {1: null, 2: null, **ends}, UNLIMITED)
        finally:
            os.close(null)

    def _runner(self, *arguments: str) -> list[str]:
        return [self._config["python"], "-B", "-s", os.path.join(self._config["probe"], "runner.py"), *arguments]

    def _launch(self, argv: list[str], environment: dict[str, str], ends: dict[int, int], limits: dict[str, Any]) -> int:
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            return start(argv, environment, {0: null, **ends}, self._resources(limits), self._uid, self._rules)
        finally:
            os.close(null)

    def _resources(self, limits: dict[str, Any]) -> dict[int, int]:
        """Resource limits of one process, by number."""
        quota = self._config["quota"]
        found = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: quota["workspace"], resource.RLIMIT_NOFILE: quota["open_files"]}
        if not self._counts_memory:
            found[resource.RLIMIT_DATA] = quota["memory"]
            if self._config["init"]:  # of this user namespace
                found[resource.RLIMIT_NPROC] = quota["processes"]
        if limits["cpu"] is not None:
            found[resource.RLIMIT_CPU] = math.ceil(limits["cpu"])
        return found


def _install(folder: str, files: dict[str, str]) -> None:
    for name, source in files.items():
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(source)


def _cut(raw: memoryview, sizes: Sequence[int]) -> list[memoryview]:
    pieces, position = [], 0
    for size in sizes:
        pieces.append(raw[position : position + size])
        position += size
    return pieces


def main() -> None:
    """Serve until the host is gone. A fault of ours is told on stderr and ends the box."""
    if sys.platform.startswith("linux"):
        jail.prctl(jail.PR_SET_DUMPABLE, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # for PID 1: from inside, not at all
    config, _ = receive()
    agent = Agent(config)
    try:
        agent.serve()
    except HostGone:
        pass
    finally:
        agent.end()
