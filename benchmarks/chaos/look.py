"""What is left when it is over: processes, containers, temporary files; what was done twice; whether the result is the same."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.chaos.place import Lost, Place, Running, must
from swesearch.base import Event
from swesearch.journal import Journal
from swesearch.runs import JOURNAL

PR_SET_CHILD_SUBREAPER = 36
GONE = 15.0  # seconds that boxes have to end themselves
OWN = {"journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite.lock", "patch.diff", "store.git"}


@contextmanager
def subreaper(on: bool = True) -> Iterator[None]:
    """From here on whoever outlives the process that started it becomes a child of ours, and so can be seen. Or, for a while, not."""
    control = ctypes.CDLL(None).prctl
    control(PR_SET_CHILD_SUBREAPER, int(on))
    try:
        yield
    finally:
        control(PR_SET_CHILD_SUBREAPER, int(not on))


def below(pid: int, spared: Collection[int] = ()) -> set[int]:
    """Every process below this one; zombies are left out, and those that are spared with all below them."""
    parents = dict(_processes())
    found, layer = set[int](), {pid}
    while layer := {child for child, parent in parents.items() if parent in layer} - found - set(spared):
        found |= layer
    return found


def _processes() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
                if state != "Z":
                    yield int(folder.name), int(parent)


def agents(running: Running) -> list[int]:
    """The boxes of a process: where the sandbox's agent is run."""
    return [pid for pid in below(running.process.pid) if "sandbox.probe" in _command(pid) and "stage.py" not in _command(pid)]


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def containers(run: str = "") -> dict[str, str]:
    """Boxes on the Docker engine, those of one run or all: id and name. None where there is no engine."""
    import docker

    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():
        return {}
    with closing(docker.from_env(timeout=30)) as client:
        label = f"sandbox.run={run}" if run else "sandbox.owner"
        return {each["Id"]: each["Names"][0] for each in client.api.containers(all=True, filters={"label": label})}


def events(place: Place) -> list[Event]:
    """The journal of the run."""
    with closing(Journal.read(place.run / JOURNAL)) as journal:
        return [event for _, event in journal.events()]


def result(place: Place) -> Mapping[str, Any]:
    """What a run found out and hands over: states by what led to them, and the patch. No times, no money."""
    nodes = [event.data for event in events(place) if event.kind == "node"]
    names = {node["id"]: node["tree"] for node in nodes}
    states = sorted((names.get(n["parent"], ""), n["why"], n["tree"], n["value"], n["solved"]) for n in nodes)
    return {"states": states, "patch": (place.run / "patch.diff").read_text()}


def nothing_lost(place: Place) -> None:
    """Raises Lost where a state that was told of is not in the journal, or one was found out twice."""
    nodes = [event.data for event in events(place) if event.kind == "node"]
    kept = {(node["id"], node["tree"]) for node in nodes}
    told = {(node["id"], node["tree"]) for running in place.runs for node in running.nodes}
    must(told <= kept, f"{len(told - kept)} states that were told of are not in the journal")
    twice = [id for id, count in Counter(node["id"] for node in nodes).items() if count > 1]
    trees = Counter(node["tree"] for node in nodes if node["terms"] and not node.get("duplicate") and not node.get("closed"))
    must(not twice, f"states found out twice: {twice}")
    must(max(trees.values(), default=0) <= 1, f"a tree was evaluated twice: {trees.most_common(1)}")


def same_result(place: Place, quiet: Mapping[str, Any]) -> None:
    """Raises Lost where the run came to another end than an undisturbed one."""
    found = result(place)
    must(found["patch"] == quiet["patch"], f"another patch than an undisturbed run's:\n{found['patch']}")
    missing = [state for state in quiet["states"] if state not in found["states"]]
    must(found["states"] == quiet["states"], f"another tree: {len(found['states'])} states, {len(missing)} of the undisturbed are missing")


def paid_twice(place: Place, in_flight: int = 0) -> int:
    """How many answers were given twice. Raises Lost where that is more than the questions that were under way at a kill."""
    assert place.provider
    bodies = Counter(json.dumps(seen.body, sort_keys=True) for seen in place.provider.requests if seen.turn and seen.status == 200)
    twice = sum(count - 1 for count in bodies.values())
    must(twice <= in_flight, f"{twice} answers were paid twice")
    return twice


def nothing_left(place: Place, *, sealed: bool = True) -> None:
    """Raises Lost where a process, a container or a temporary file is left. `sealed`: the states are packed up, as a clean end does."""
    names = {run.name for run in (place.home / "runs").iterdir()} if (place.home / "runs").exists() else set()
    soon(lambda: not _alive(place), lambda: f"processes are left: {[(pid, _command(pid)[:120]) for pid in _alive(place)]}")
    if place.sandbox == "docker":
        soon(lambda: not any(containers(name) for name in names), lambda: "containers are left")
    must(not list(place.tmp.iterdir()), f"temporary files are left: {sorted(path.name for path in place.tmp.iterdir())}")
    strange = sorted(_strangers(place.home, sealed))
    must(not strange, f"files are left in the home: {strange}")


def _strangers(home: Path, sealed: bool) -> Iterator[str]:
    """Files below the home that no finished run has."""
    yield from (path.name for path in home.iterdir() if path.name not in ("runs", "environments", "lost+found"))
    for run in (home / "runs").glob("*"):
        yield from (path.name for path in run.iterdir() if path.name not in OWN and ".damaged" not in path.name)
        store = run / "store.git"
        yield from (
            path.name for path in store.glob("*") if path.name not in ("HEAD", "config", "in-use", "info", "logs", "objects", "refs")
        )
        yield from (str(path.relative_to(store)) for path in (*store.rglob("tmp*"), *(store.glob("logs/*.log") if sealed else ())))


def _alive(place: Place) -> set[int]:
    """Whoever became our child by outliving its parent. Zombies among them are buried."""
    _bury()
    return below(os.getpid(), place.before)


def _bury() -> None:
    """Wait for the dead that nobody else waits for: they are not ours by `Popen`."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def soon(reached: Callable[[], bool], words: Callable[[], str], seconds: float = GONE) -> None:
    """Raises Lost where something does not come about in a while."""
    end = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > end:
            raise Lost(words())
        time.sleep(0.05)


def kill(pids: Iterable[int]) -> int:
    """Kill processes with no warning. Returns how many there were."""
    done = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            done += 1
    return done
