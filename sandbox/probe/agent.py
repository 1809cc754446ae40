"""PID 1 of a box: takes requests over stdin, runs them as an unprivileged user, leaves nothing behind.

A frame is a 4-byte big-endian length, that many bytes of JSON, then `n` raw bytes as the JSON says. Requests: `base` (keep a tree),
`run`. The end of stdin ends the box, whatever goes on in it. Standard library only, Python 3.7 on.
"""

import contextlib
import json
import math
import os
import resource
import struct
import sys

from sandbox.probe import jail
from sandbox.probe import leftovers
from sandbox.probe import processes
from sandbox.probe import runs
from sandbox.probe import worktree
from sandbox.probe import nursery

BASES = 4  # trees kept


def read(count):
    """Exactly `count` bytes of stdin. Raises HostGone."""
    data = bytearray()
    while len(data) < count:
        part = os.read(0, min(count - len(data), 1 << 20))
        if not part:
            raise processes.HostGone
        data += part
    return data


def receive():
    """The next frame: header, raw bytes. Raises HostGone."""
    header = json.loads(read(struct.unpack(">I", read(4))[0]))
    return header, memoryview(read(header.get("n", 0)))


def send(header, blobs=()):
    """Answer with one frame."""
    text = json.dumps(dict(header, n=sum(map(len, blobs)))).encode()
    for blob in (struct.pack(">I", len(text)) + text, *blobs):
        data = memoryview(blob)
        while len(data):
            data = data[os.write(1, data) :]


class Agent:
    """What a box holds: base trees, a work tree, nursery."""

    def __init__(self, config):
        self._config, self._uid = config, config["uid"]
        self._rules = jail.compile_filter() if config["filter"] else b""
        if config["filter"] and not self._rules:
            raise OSError("no system call filter for this machine")
        self._family = processes.Family(config["init"])
        self._nursery = nursery.Nursery(self._family, self._hatch)
        self._bases = {}  # id -> Base, the least lately used first
        self._pristine = None  # the base the work tree is an untouched copy of
        self._counts_memory = processes.memory_kills() is not None and config["cgroup"]
        for name, source in config["files"].items():
            path = os.path.join(config["probe"], name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(source)
        os.chdir(config["work"])

    @contextlib.contextmanager
    def _as_tester(self):
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

    def serve(self):
        """Answer requests until the host is gone."""
        send({"ready": True, "python": sys.version.split()[0], "counts_memory": self._counts_memory})
        while True:
            header, raw = receive()
            try:
                if header["op"] == "base":
                    self._hold(header["base"], bytes(raw))
                    send({})
                elif header["base"] not in self._bases:
                    send({"missing": True})
                else:
                    send(*self._run(header, raw))
                    self._restore(header["base"])
            except worktree.TreeError as error:
                self._pristine = None
                send({"error": str(error)})

    def end(self):
        """Leave nobody behind."""
        self._family.spared.clear()
        self._family.clear()

    def _hold(self, name, archive):
        while len(self._bases) >= BASES:
            del self._bases[next(iter(self._bases))]
        self._bases[name] = worktree.Base(archive)

    def _restore(self, base):
        """Nobody alive, a pristine work tree, empty scratch folders. Done after an answer, while the host thinks."""
        self._family.clear()
        with self._as_tester():
            for folder in self._config["scratch"]:
                worktree.wipe(folder, self._config["keep"])
            if self._pristine != base:
                self._pristine = None
                worktree.wipe(self._config["work"])
                self._bases[base].write()
                self._pristine = base
            if self._config["init"]:
                leftovers.remove_shared_memory()

    def _run(self, request, raw):
        base = request["base"]
        self._bases[base] = self._bases.pop(base)
        if self._pristine != base:
            self._restore(base)
        blobs = _cut(raw, [entry["size"] for entry in request["changed"]] + [request["job"], request["preload"]])
        try:
            zygote = self._zygote(request["warm"], base, bytes(blobs[-1])) if request["warm"] else None
        except nursery.Refused as error:
            return {"refused": str(error)}, ()
        self._pristine = None
        with self._as_tester():
            for entry, data in zip(request["changed"], blobs):
                worktree.lay(entry["path"], data, entry["kind"])
        return self._watched(request, blobs[-2], zygote)

    def _zygote(self, warm, base, preload):
        key = (warm, preload, base if warm == "collected" else "")
        if self._nursery.has(key):
            return self._nursery.get(key, preload)
        try:
            return self._nursery.get(key, preload)
        finally:
            self._pristine = None  # loading runs other people's code
            self._restore(base)

    def _watched(self, request, job, zygote):
        limits = dict(request["limits"], memory=None if self._counts_memory else self._config["quota"]["memory"])
        run = runs.Run(self._family, limits, job)
        try:
            if zygote is None:
                run.directly(lambda ends: self._start(request, ends))
            elif not run.by(zygote, self._zygote_limits(limits)):
                self._nursery.drop(zygote)
            return run.reply()
        finally:
            run.close()

    def _start(self, request, ends):
        if request["argv"]:
            argv, ends = request["argv"], {1: ends[1], 2: ends[2]}
        else:
            argv = self._runner()
        return self._launch(argv, dict(self._config["env"], **request["env"]), ends, request["limits"])

    def _runner(self, *arguments):
        return [self._config["python"], "-B", "-s", os.path.join(self._config["probe"], "runner.py"), *arguments]

    def _hatch(self, ends):
        null = os.open(os.devnull, os.O_WRONLY)
        try:
            return self._launch(self._runner("serve"), self._config["env"], {1: null, 2: null, **ends}, {"cpu": None})
        finally:
            os.close(null)

    def _launch(self, argv, environment, ends, limits):
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            return processes.start(argv, environment, {0: null, **ends}, self._resources(limits), self._uid, self._rules)
        finally:
            os.close(null)

    def _resources(self, limits):
        """Resource limits of one process, by number."""
        quota = self._config["quota"]
        found = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: quota["workspace"], resource.RLIMIT_NOFILE: quota["open_files"]}
        if not self._counts_memory:
            found[resource.RLIMIT_DATA] = quota["memory"]
        if limits["cpu"]:
            found[resource.RLIMIT_CPU] = math.ceil(limits["cpu"])
        return found

    def _zygote_limits(self, limits):
        return {"cpu": math.ceil(limits["cpu"]) if limits["cpu"] else None, "fsize": self._config["quota"]["workspace"]}


def _cut(raw, sizes):
    pieces, start = [], 0
    for size in sizes:
        pieces.append(raw[start : start + size])
        start += size
    return pieces


def main():
    """Serve until the host is gone. A fault of ours is told on stderr and ends the box."""
    if sys.platform.startswith("linux"):
        jail.prctl(jail.PR_SET_DUMPABLE, 0)
    config, _ = receive()
    agent = Agent(config)
    try:
        agent.serve()
    except (processes.HostGone, BrokenPipeError):
        pass
    finally:
        agent.end()
