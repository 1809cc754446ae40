"""Thousands of evaluations through one sandbox: whether anything grows, and what an evaluation costs beyond the bare test process.

    python -m benchmarks.soak [--evaluations 2000] [--sandboxes docker bubblewrap]

An evaluation is what a search does for a candidate it has never seen: an edit is applied in the store, the files that differ go to a
warm box, a fresh process runs the tests, and a verdict is read. Now and then the same test command runs bare, as a user would run it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from benchmarks.chaos.look import below
from sandbox.base import Environment, Files, Limits, Sandbox, SandboxUnavailable
from sandbox.choose import choose
from sandbox.commands import TestJob
from sandbox.docker import connect
from sandbox.pool import DEFAULT_QUOTA
from sandbox.pytests import run_tests
from swesearch.base import Replace
from swesearch.store import Store

TESTS = """\
from calc import total


def test_total():
    assert total([1, 2, 3]) == 6


def test_none():
    assert total([]) == 0
"""
FILES: Mapping[str, str] = {"calc.py": "NUMBER = 0\n\n\ndef total(items):\n    return sum(items)\n", "test_calc.py": TESTS}
WORKERS = 2
BARE_EVERY = 20  # evaluations between two bare runs
SAMPLES = 40  # times that everything is counted
WARM = 4  # one part in so many of a soak is for warming up
SLACK = {"memory": 16.0, "boxes": 24.0, "files": 2, "threads": 1, "processes": 4, "containers": 0, "temporary": 1}  # MB, or pieces


@dataclass(frozen=True, slots=True)
class Sample:
    """What there is of everything, after so many evaluations."""

    after: int
    memory: float  # MB resident, this process
    boxes: float  # MB resident, the boxes' processes
    files: int  # open descriptors
    threads: int
    processes: int  # below this one
    containers: int  # of this run
    temporary: int  # entries in the folder for temporary files
    store: int  # bytes


@dataclass(slots=True)
class Soak:
    """What came of one sandbox."""

    sandbox: str
    samples: list[Sample] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)  # of each evaluation
    bare: list[float] = field(default_factory=list)  # of each bare run
    left: int = 0  # processes, containers and temporary files after the end

    def grown(self) -> list[str]:
        """What is more at the end than it was once everything was warm."""
        warm, end = self._part(1, 2), self._part(WARM - 1, WARM)
        found = []
        for name, slack in SLACK.items():
            before, after = (max(getattr(sample, name) for sample in part) for part in (warm, end))
            if after > before + slack:
                found.append(f"{name}: {before:.0f} -> {after:.0f}")
        return found + ([f"{self.left} things were left behind"] if self.left else [])

    def _part(self, first: int, last: int) -> Sequence[Sample]:
        count = len(self.samples)
        return self.samples[count * first // WARM : count * last // WARM] or self.samples[-1:]

    def row(self) -> str:
        """A row of the table."""
        times, bare, (first, last) = sorted(self.seconds), statistics.median(self.bare), (self._part(1, 2)[0], self.samples[-1])
        p50, p99 = statistics.median(times), times[int(len(times) * 0.99)]
        cells = [
            self.sandbox, str(len(self.seconds)), f"{1000 * bare:.0f}", f"{1000 * (p50 - bare):+.0f} ({p50 / bare:.2f})",
            f"{1000 * (p99 - bare):+.0f} ({p99 / bare:.2f})", *(f"{getattr(first, n):.0f} -> {getattr(last, n):.0f}" for n in SLACK),
            f"{(last.store - first.store) / max(1, last.after - first.after):.0f}", ", ".join(self.grown()) or "nothing",
        ]  # fmt: skip
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| sandbox | evaluations | bare ms | p50 over bare, ms | p99 over bare, ms | memory MB | boxes MB | files | threads | processes | "
    "containers | temporary | store bytes per state | grew |\n|---|" + "---:|" * 12 + "---|"
)


class Ground:
    """A repository, its states, and a sandbox."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name, self.run = folder, name, f"soak-{os.getpid()}-{name}"
        self.repo = folder / "repo"
        _repository(self.repo)
        self.store = Store.open(self.repo, folder / "store.git")
        self.root = self.store.root()
        self.archive = self.store.archive(self.root)
        venv, base = Path(sys.prefix), Path(sys.base_prefix).resolve()
        environment = Environment(python=str(venv / "bin" / "python"), mounts=(str(base), str(venv)))
        self.sandbox: Sandbox = choose(name).make(environment, DEFAULT_QUOTA, WORKERS, self.run)

    def evaluate(self, number: int) -> float:
        """One candidate, from edit to verdict. Returns the seconds. Raises AssertionError where the verdict is wrong."""
        began = time.perf_counter()
        right = number % 3 > 0
        after = f"NUMBER = {number}\n" if right else f"NUMBER = {number}; sum = max\n"
        state = self.store.apply(self.root, [Replace("calc.py", b"NUMBER = 0\n", after.encode())])
        files = Files(self.root.tree, lambda: self.archive, self.store.changed(self.root, state))
        found = run_tests(self.sandbox, files, TestJob(("-q", "test_calc.py"), module=True), Limits())
        assert (found.status, found.passed) == ("complete", right), f"{found.status}: {found.detail}"
        return time.perf_counter() - began

    def bare(self) -> float:
        """The same tests as a user runs them."""
        began = time.perf_counter()
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_calc.py"]
        environ = {"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        subprocess.run(words, cwd=self.repo, env=environ, check=True, capture_output=True)
        return time.perf_counter() - began

    def sample(self, after: int) -> Sample:
        """Count everything."""
        children, boxes = below(os.getpid()), self._containers()
        resident = sum(_resident(pid) for pid in {*children, *boxes, *(child for pid in boxes for child in below(pid))})
        store = sum(path.stat().st_size for path in (self.folder / "store.git").rglob("*") if path.is_file())
        files, temporary = len(os.listdir("/proc/self/fd")), len(os.listdir(tempfile.gettempdir()))  # noqa: PTH208
        return Sample(after, _resident(os.getpid()), resident, files, threading.active_count(), len(children), len(boxes), temporary, store)

    def _containers(self) -> list[int]:
        """The first process of each container of this run."""
        if self.name != "docker":
            return []
        with closing(connect()) as client:
            found = client.api.containers(filters={"label": f"sandbox.run={self.run}"})
            return [int(client.api.inspect_container(each["Id"])["State"]["Pid"]) for each in found]


def soak(name: str, evaluations: int, folder: Path, tell: Callable[[str], None] = lambda _: None, minutes: float = inf) -> Soak:
    """So many evaluations by two workers, or as many as there is time for; everything counted again and again."""
    made, done, end = Soak(name), 0, time.monotonic() + 60 * minutes
    ground = Ground(folder, name)
    step = max(4 * WORKERS, evaluations // SAMPLES)
    try:
        with ThreadPoolExecutor(WORKERS) as workers:
            while done < evaluations and time.monotonic() < end:
                count = min(step, evaluations - done)
                made.seconds += workers.map(ground.evaluate, range(done + 1, done + count + 1))
                made.bare += workers.map(lambda _: ground.bare(), range(max(WORKERS, count // BARE_EVERY)))
                done += count
                made.samples.append(ground.sample(done))
                tell(f"{name}: {done} of {evaluations}")
    finally:
        ground.sandbox.close()
        ground.store.close()
    until = time.monotonic() + 15
    while (last := ground.sample(done)) and last.processes + last.containers and time.monotonic() < until:
        time.sleep(0.2)
    made.left = last.processes + last.containers + last.temporary
    return made


def _repository(folder: Path) -> None:
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text)
    commit = ("-c", "user.name=soak", "-c", "user.email=soak@example.com", "commit", "-q", "-m", "start")
    environ = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for words in (("init", "-q"), ("add", "-A"), commit):
        subprocess.run(["git", *words], cwd=folder, check=True, stdin=subprocess.DEVNULL, env=environ)


def _resident(pid: int) -> float:
    """Megabytes that a process holds in memory; 0 where it is gone."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    return 0.0


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Soak each sandbox and print the table. Exit code 1 where something grew, 4 where a sandbox cannot be had."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=2000, help="for each sandbox")
    parser.add_argument("--sandboxes", nargs="+", choices=("docker", "bubblewrap"), default=["docker", "bubblewrap"])
    parser.add_argument("--minutes", type=float, default=inf, help="the most that each may take")
    given = parser.parse_args(arguments)
    found = []
    for name in given.sandboxes:
        with tempfile.TemporaryDirectory(prefix="soak-") as folder:
            private = Path(folder) / "tmp"
            private.mkdir()
            for each in (Path(folder), private):
                each.chmod(0o755)
            tempfile.tempdir = str(private)  # so that only what this soak leaves there is counted
            try:
                found.append(soak(name, given.evaluations, Path(folder), _tell, given.minutes))
            except SandboxUnavailable as error:
                _tell(f"error: {error}")
                return 4
            finally:
                tempfile.tempdir = None
    print("\n".join([HEAD, *(each.row() for each in found)]))
    return int(any(each.grown() for each in found))


if __name__ == "__main__":
    sys.exit(main())
