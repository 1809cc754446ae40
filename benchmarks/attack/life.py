"""Attacks on the life of a run: the search is killed, or its boxes are, while a candidate is at work."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.attack.base import Finding
from benchmarks.attack.boxes import Arena
from benchmarks.attack.ground import waited
from sandbox.base import SandboxUnavailable

SLEEP = {"deep.py": "import time\n\n\ndef answer():\n    time.sleep(60)\n"}
VICTIM = """
import sys
from pathlib import Path
from benchmarks.attack.ground import Ground
from benchmarks.attack.life import SLEEP
ground = Ground(sys.argv[1], Path(sys.argv[2]), run=sys.argv[3])
ground.bench.checks[0].baseline
print("begun", flush=True)
ground.evaluate(ground.state(SLEEP))
"""
GONE, AGAIN, SETTLED = 8.0, 0.4, 0.5  # seconds until nothing may be left; between two kills; until a candidate is at work


def run(arena: Arena, folder: Path) -> Iterator[Finding]:
    """Both attacks on one backend."""
    backend = arena.ground.backend
    left = _orphaned(backend, folder)
    yield Finding(backend, "the search is killed", "a box lives as long as the pipe to its owner", not left, True, "no verdict", left)
    scored = _struck(arena)
    problem = arena.trace().differs(arena.untouched)
    by = "a box that dies is no test result"
    yield Finding(backend, "the boxes are killed, again and again", by, not scored, True, "no verdict", scored, problem)


def _orphaned(backend: str, folder: Path) -> str:
    """Kill a process in the midst of an evaluation. Returns what it left behind."""
    folder.mkdir(exist_ok=True)
    name = f"attack-{secrets.token_hex(6)}"
    command = [sys.executable, "-c", VICTIM, backend, str(folder), name]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        begun = owner.stdout.readline() == b"begun\n"
        time.sleep(SETTLED)
        kin = _kin(owner.pid)
        alive = begun and (kin or left_of(backend, name))
        owner.kill()

    def left() -> str:
        processes = [pid for pid in kin if _parent(pid)]
        return ", ".join(filter(None, [f"{len(processes)} processes" if processes else "", left_of(backend, name)]))

    if not alive:
        return "it never began: this shows nothing"
    return "" if waited(lambda: not left(), GONE) else left()


def _struck(arena: Arena) -> str:
    """Kill every box as soon as it is there. Returns what the evaluation said all the same."""
    with _striker(_killer(arena)):
        try:
            evaluation = arena.ground.evaluate(arena.ground.state(SLEEP))
        except SandboxUnavailable:
            return ""
    return f"it was given the value {evaluation.value}: {evaluation.feedback[:80]}"


@contextmanager
def _striker(strike: Callable[[], None]) -> Iterator[None]:
    over = threading.Event()

    def work() -> None:
        while not over.wait(AGAIN):
            strike()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _killer(arena: Arena) -> Callable[[], None]:
    """What kills the boxes of a ground from outside."""
    run = arena.ground.run
    if arena.ground.backend == "docker":
        return lambda: _kill_containers(run)
    spared = {arena.host.helper.pid}
    return lambda: _kill_all(_children() - spared)


def _kill_containers(run: str) -> None:
    import docker

    with closing(docker.from_env()) as client:
        for entry in client.api.containers(filters={"label": f"sandbox.run={run}"}):
            try:
                client.api.kill(entry["Id"])
            except docker.errors.APIError:
                continue  # it has gone by itself


def _kill_all(pids: set[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def _children() -> set[int]:
    return {int(pid) for path in Path("/proc/self/task").glob("*/children") for pid in path.read_text().split()}


def left_of(backend: str, run: str) -> str:
    """What there is of a run: containers, temporary folders; "" for nothing."""
    folders = [*Path(tempfile.gettempdir()).glob(f"sandbox-{run}*")]
    if backend != "docker":
        return f"{len(folders)} folders" if folders else ""
    import docker

    with closing(docker.from_env()) as client:
        found = client.api.containers(all=True, filters={"label": f"sandbox.run={run}"})
    return f"{len(found)} containers" if found else ""


def _kin(pid: int) -> set[int]:
    """The live processes that came of one."""
    parents = {
        number: parent
        for number in map(int, filter(str.isdigit, (path.name for path in Path("/proc").iterdir())))
        if (parent := _parent(number))
    }
    found, new = set[int](), {pid}
    while new:
        found |= new
        new = {child for child, parent in parents.items() if parent in found} - found
    return found - {pid}


def _parent(pid: int) -> int:
    """The parent of a live process, 0 for a dead one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in "ZX" else int(fields[1])
