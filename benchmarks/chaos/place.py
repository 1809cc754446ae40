"""Where a real `swesearch fix` is broken on purpose: a small repository, a home, a folder for temporary files, a provider."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.agents_bugs import CLAMP, INITIALS, Bug
from benchmarks.agents_model import NoisyModel, Profile
from swesearch.testing import FakeProvider
from swesearch.testing.faults import Fault

ROOT = Path(__file__).parents[2]
SOURCE = """\
def total(items):
    result = 0
    for item in items:
        result -= item
    return result
"""
TESTS = """\
import time

from calc import total


def test_total():
    time.sleep({pause})
    assert total([1, 2, 3]) == 6


def test_nothing():
    assert total([]) == 0
"""
TEMPLATES = ("--check", "pytest -q test_calc.py::test_total", "--patience", "4")
BUG = Bug((CLAMP, INITIALS))
MODEL = ("--check", BUG.check, "--model", "claude-sonnet-5-5", "--budget", "40,10m,$50", "--strategy", "mcts")
KNOWING = Profile(right=0.5, edit=0.5, repair=0.5, judge=0.7, partial=0.9)
PATIENT, LONG = 60.0, 180.0  # seconds that we wait for what must happen


class Lost(AssertionError):
    """Something was lost, done twice, left behind, or lied about."""


def must(condition: object, words: str) -> None:
    """Raises Lost with these words where the condition does not hold."""
    if not condition:
        raise Lost(words)


@dataclass(eq=False)
class Running:
    """A swesearch process: what it has told so far, as it tells it."""

    process: subprocess.Popen[str]
    errors: Path
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._enough = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for row in self.process.stdout:
            if row.endswith("\n"):  # what was cut short was not told
                self.events.append(json.loads(row))
            if self._enough.is_set():
                break
        self.process.stdout.close()

    def deaf(self) -> None:
        """Hear one more event, and close the pipe."""
        self._enough.set()
        self._reader.join(PATIENT)

    @property
    def nodes(self) -> list[dict[str, Any]]:
        """The states that it has told of."""
        return [event for event in self.events if event["event"] == "node"]

    @property
    def said(self) -> str:
        """What it has written to stderr."""
        return self.errors.read_text(errors="replace")

    def until(self, reached: Callable[[], object], what: str = "") -> None:
        """Wait for something to happen while it runs. Raises Lost where it ends before, or does not come to it."""
        end = time.monotonic() + LONG
        while not reached():
            must(self.process.poll() is None, f"it ended before {what or 'it came to the moment'}: {self.said[-600:]}")
            must(time.monotonic() < end, f"it never came to {what or 'the moment'}")
            time.sleep(0.002)

    def until_nodes(self, count: int) -> None:
        """Wait until it has told of so many states."""
        self.until(lambda: len(self.nodes) >= count, f"state {count}")

    def send(self, number: int) -> None:
        """A signal."""
        self.process.send_signal(number)

    def wait(self, seconds: float = LONG) -> int:
        """Its exit code; negative where a signal ended it. Raises Lost where it hangs."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Lost(f"it hung for {seconds:.0f} s: {self.said[-600:]}") from None
        self._reader.join(PATIENT)
        return code

    def ends(self, *codes: int, line: str = "") -> None:
        """Raises Lost where its exit code is another, or stderr holds a traceback, or not one line of error with these words."""
        code = self.wait()
        errors = [row for row in self.said.splitlines() if row.startswith("error: ")]
        must("Traceback" not in self.said, f"a traceback: {self.said[-1500:]}")
        must(code in codes, f"exit code {code}, not {codes}: {self.said[-600:]}")
        must(len(errors) == (code in (2, 4, 5, 7)), f"not one line of error for exit code {code}: {errors}")
        must(line in "\n".join(errors), f"the line does not say {line!r}: {errors}")


@dataclass(eq=False)
class Place:
    """One installation to be broken. `provider`: None where templates repair."""

    folder: Path
    sandbox: str = "local"
    provider: FakeProvider | None = None
    pause: float = 0.05
    environ: dict[str, str] = field(default_factory=dict)
    runs: list[Running] = field(default_factory=list)
    before: set[int] = field(default_factory=set)  # processes that are none of this place's

    def __post_init__(self) -> None:
        for name in ("home", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for folder in (self.folder.parent, self.folder, self.tmp):
            folder.chmod(0o755)  # the user that bubblewrap runs as must be able to read below it
        if self.provider:
            BUG.check_out(self.repo)
        else:
            _repository(self.repo, {"calc.py": SOURCE, "test_calc.py": TESTS.format(pause=self.pause)})

    @property
    def repo(self) -> Path:
        """The repository with a bug."""
        return self.folder / "repo"

    @property
    def home(self) -> Path:
        """Where runs are kept."""
        return self.folder / "home"

    @property
    def tmp(self) -> Path:
        """TMPDIR."""
        return self.folder / "tmp"

    @property
    def has_run(self) -> bool:
        """Whether there is a run whose journal can be read."""
        return any((self.home / "runs").glob("*/journal.sqlite"))

    @property
    def run(self) -> Path:
        """The folder of the only run."""
        (found,) = (self.home / "runs").iterdir()
        return found

    def fix(self, *more: str, **environ: str) -> Running:
        """Begin the run."""
        words = [str(self.repo), *(MODEL if self.provider else TEMPLATES), "--sandbox", self.sandbox, "--workers", "1"]
        if self.provider:
            words += ["-c", f"model.base_url={self.provider.url}"]
        python = ["--python", sys.executable] if self.sandbox == "local" else []
        return self.swesearch("fix", *words, *python, *more, **environ)

    def resume(self, *more: str, **environ: str) -> Running:
        """Go on with it."""
        return self.swesearch("resume", "last", *more, **environ)

    def swesearch(self, command: str, *words: str, **environ: str) -> Running:
        """Start the program with --json."""
        errors = self.folder / f"stderr-{len(self.runs)}"
        with errors.open("w") as sink:
            process = subprocess.Popen(
                [sys.executable, "-m", "swesearch", command, *words, "--json"], cwd=ROOT, env=self.environment() | environ,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sink, text=True, start_new_session=True,
            )  # fmt: skip
        self.runs.append(Running(process, errors))
        return self.runs[-1]

    def environment(self) -> dict[str, str]:
        """All that the program is given."""
        keep = {name: os.environ[name] for name in ("PATH", "HOME", "DOCKER_HOST") if name in os.environ}
        own = {"SWESEARCH_HOME": str(self.home), "SWESEARCH_CONFIG": os.devnull, "TMPDIR": str(self.tmp), "ANTHROPIC_API_KEY": "a-key"}
        return {**keep, **own, "PYTHONPATH": str(ROOT), **self.environ}

    def close(self) -> None:
        """End what still runs."""
        for running in self.runs:
            if running.process.poll() is None:
                os.killpg(running.process.pid, signal.SIGKILL)
                running.process.wait()
            running._reader.join(PATIENT)


@contextmanager
def place(folder: Path, sandbox: str = "local", **options: Any) -> Iterator[Place]:
    """A place without a model."""
    made = Place(folder, sandbox, **options)
    try:
        yield made
    finally:
        made.close()


@contextmanager
def modelled(folder: Path, faults: Callable[[int], Fault | None] | Sequence[Fault | None] = (), **options: Any) -> Iterator[Place]:
    """A place whose runs ask a provider, which has faults."""
    with FakeProvider(NoisyModel(BUG, KNOWING, seed=3), faults=faults) as provider, place(folder, provider=provider, **options) as made:
        yield made


def _repository(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    commit = ("-c", "user.name=chaos", "-c", "user.email=chaos@example.com", "commit", "-q", "-m", "a bug")
    environ = {"PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    for words in (("init", "-q"), ("add", "-A"), commit):
        subprocess.run(["git", *words], cwd=folder, check=True, stdin=subprocess.DEVNULL, env=environ)
