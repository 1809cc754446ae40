"""The host's side of one box: starts the agent in it, speaks frames with it, holds it to deadlines."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from sandbox.base import Command, Environment, File, Files, Limits, Quota, Result, SandboxError, SandboxUnavailable

PROBE = Path(__file__).parent / "probe"
AGENT = ("jail", "leftovers", "changes", "worktree", "processes", "watch", "nursery", "runs", "agent")  # in the order they are loaded
BOOT = """
import json, os, sys, types
def read(count):
    data = b""
    while len(data) < count:
        part = os.read(0, count - len(data))
        if not part: sys.exit(0)
        data += part
    return data
def module(name):
    made = sys.modules[name] = types.ModuleType(name)
    home, _, last = name.rpartition(".")
    if home: setattr(sys.modules[home], last, made)
    return made
module("sandbox"), module("sandbox.probe")
for name, source in json.loads(read(int.from_bytes(read(4), "big"))):
    exec(compile(source, name + ".py", "exec"), module("sandbox.probe." + name).__dict__)
sys.modules["sandbox.probe.agent"].main()
"""
AGENT_COMMAND = ("-X", "utf8", "-I", "-S", "-c", BOOT)
WORK = "/testbed"  # where no host path that a box mounts is likely to be
PROBE_INSIDE = "/box/probe"
START_SECONDS, GRACE_SECONDS, ZYGOTE_SECONDS = 60.0, 30.0, 150.0
REPORT_CAP = 64 << 20


class Link(Protocol):
    """A pipe into a box and out of it. Every method raises SandboxUnavailable once the box is gone."""

    def send(self, data: bytes) -> None:
        """Write all of `data`."""
        ...

    def receive(self, count: int, deadline: float) -> bytes:
        """Exactly `count` bytes, before the monotonic clock shows `deadline`."""
        ...

    def kill(self) -> None:
        """End the box and all in it, at once. May be called twice."""
        ...


def variables(environment: Environment, temporary: str = "/tmp", probe: str = PROBE_INSIDE) -> dict[str, str]:
    """All the variables a test gets to see. Nothing is inherited from the host."""
    folder = str(Path(environment.python).parent) + ":" if environment.python.startswith("/") else ""
    found = {
        "PATH": folder + "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": temporary,
        "TMPDIR": temporary,
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }
    if environment.site:
        found |= {"PYTHONPATH": f"{probe}/site", "BOX_SITE": ":".join(environment.site)}
    return found


class Box:
    """A box with its agent. Not for two threads at once; whoever gets an error from it must kill it."""

    def __init__(self, link: Link, config: Mapping[str, Any]) -> None:
        """Takes the link over: it is killed where the agent does not get ready."""
        self._link = link
        self.runs = 0
        self.fit = True  # whether it may be used again
        with ExitStack() as on_failure:
            on_failure.callback(link.kill)
            self._start(config)
            on_failure.pop_all()

    def _start(self, config: Mapping[str, Any]) -> None:
        sources = [(name, (PROBE / f"{name}.py").read_text("utf-8")) for name in AGENT]
        text = json.dumps(sources).encode()
        self._link.send(struct.pack(">I", len(text)) + text)
        if not self._ask(config, [], START_SECONDS)[0].get("ready"):
            raise SandboxUnavailable("the agent in the box did not get ready")

    def run(self, files: Files, command: Command, limits: Limits) -> Result:
        """Run `command` in a clean copy of `files`. Raises SandboxError, and SandboxUnavailable where we could not find out."""
        header, blobs = _request(files, command, limits)
        patience = limits.seconds + GRACE_SECONDS + (ZYGOTE_SECONDS if command.warm else 0)
        reply, raw = self._ask(header, blobs, patience)
        if reply.get("missing"):
            self._ask({"op": "base", "base": files.base}, [files.archive()], GRACE_SECONDS * 4)
            reply, raw = self._ask(header, blobs, patience)
        self.runs += 1
        result = _result(reply, raw)
        self.fit = self.fit and result.status != "memory" and reply.get("calm", True) is True
        return result

    def kill(self) -> None:
        """End the box. May be called twice."""
        self._link.kill()

    def _ask(self, header: Mapping[str, Any], blobs: Sequence[bytes], seconds: float) -> tuple[dict[str, Any], bytes]:
        text = json.dumps({**header, "n": sum(map(len, blobs))}).encode()
        self._link.send(b"".join((struct.pack(">I", len(text)), text, *blobs)))
        deadline = time.monotonic() + seconds
        size = struct.unpack(">I", self._link.receive(4, deadline))[0]
        reply = _decode(self._link.receive(_bounded(size, 1 << 20), deadline))
        raw = self._link.receive(_bounded(reply.get("n"), 4 * REPORT_CAP), deadline)
        if "error" in reply:
            raise SandboxError(str(reply["error"]))
        return reply, raw


def agent_config(environment: Environment, quota: Quota, **settings: Any) -> dict[str, Any]:
    """The agent's first frame. `settings`: uid, work, probe, scratch, keep, init, cgroup, filter, files, env, modes."""
    return {"python": environment.python, "quota": asdict(quota), "remove": [], **settings}


def probe_files() -> dict[str, str]:
    """What the tests' interpreter needs in a box, by path below the probe folder."""
    return {str(path.relative_to(PROBE)): path.read_text("utf-8") for path in PROBE.rglob("*.py")}


def with_parents(paths: Sequence[str]) -> list[str]:
    """The paths and every folder above them: what wiping must leave alone."""
    return sorted({str(folder) for path in paths for folder in (PurePosixPath(path), *PurePosixPath(path).parents)})


def scratch(folders: Sequence[str], mounts: Sequence[str]) -> list[str]:
    """What is emptied between runs: `folders`, and those in them that are there only to hold a mount."""
    return [*folders, *(path for path in with_parents(mounts) if path not in mounts and path.startswith(tuple(f"{f}/" for f in folders)))]


def _request(files: Files, command: Command, limits: Limits) -> tuple[dict[str, Any], list[bytes]]:
    if bool(command.argv) == bool(command.job):
        raise SandboxError("a command has either an argv or a job")
    changed = [_entry(path, file) for path, file in files.changed.items()]
    blobs = [file.data if file else b"" for file in files.changed.values()] + [command.job, command.preload]
    header = {
        "op": "run",
        "base": files.base,
        "changed": changed,
        "argv": command.argv,
        "env": dict(command.env),
        "warm": command.warm,
        "job": len(command.job),
        "preload": len(command.preload),
        "limits": {"seconds": limits.seconds, "cpu": limits.cpu_seconds, "output": limits.output},
    }
    return header, blobs


def _entry(path: str, file: File | None) -> dict[str, Any]:
    if file is None:
        return {"path": path, "kind": "delete", "size": 0}
    kind = "symlink" if file.symlink else "executable" if file.executable else "file"
    return {"path": path, "kind": kind, "size": len(file.data)}


def _result(reply: Mapping[str, Any], raw: bytes) -> Result:
    if reply.get("refused"):
        return Result("done", None, refused=str(reply["refused"]))
    try:
        out, err, report = (int(size) for size in reply["sizes"])
        code, status = reply["exit_code"], reply["status"]
        times = float(reply["seconds"]), float(reply["cpu"])
    except (KeyError, TypeError, ValueError) as error:
        raise SandboxUnavailable(f"the box does not keep to the protocol: {error!r}") from error
    if status not in ("done", "timeout", "memory") or out + err + report != len(raw):
        raise SandboxUnavailable("the box does not keep to the protocol")
    streams = raw[:out], raw[out : out + err], raw[out + err :]
    return Result(status, code if code is None else int(code), *streams, *times, truncated=bool(reply.get("truncated")))


def _decode(text: bytes) -> dict[str, Any]:
    try:
        reply = json.loads(text)
    except ValueError as error:
        raise SandboxUnavailable("the box does not keep to the protocol") from error
    if not isinstance(reply, dict):
        raise SandboxUnavailable("the box does not keep to the protocol")
    return reply


def _bounded(size: object, most: int) -> int:
    if not isinstance(size, int) or not 0 <= size <= most:
        raise SandboxUnavailable("the box does not keep to the protocol")
    return size
