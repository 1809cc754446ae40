"""Small real steps for the runner: they repair nothing, and do what a search and a grading do around that."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.swebench.base import Finalist, Grade, Instance, Outcome, Place
from benchmarks.swebench.outputs import patch_id
from benchmarks.swebench.workers import Life, Tell
from sandbox.base import SandboxUnavailable
from swesearch import runs
from swesearch.base import Cost, Event, Task
from swesearch.settings import Settings

RIGHT, WRONG = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+3\n"


def instance(name: str) -> Instance:
    return Instance(name, "owner/name", "0" * 40, "It is wrong", "1.0", "2024-01-01", RIGHT, "", ("t::a",), ("t::b",))


def ready(_instance: Instance, _tell: Tell) -> Place:
    return Place("image", "python3", Path("/nowhere"))


@dataclass(frozen=True)
class Search:
    """Hands over the right patch for instances called right..., a wrong one for wrong..., none for empty...; notes each call."""

    notes: Path
    seconds: float = 0.0
    unavailable: str = ""  # an instance whose engine is dead while this file is there: NAME=FILE
    dies: str = ""  # an instance that kills its worker, once

    def __call__(self, instance: Instance, _place: Place, home: Path, life: Life) -> Outcome | None:
        with self.notes.open("a") as notes:
            notes.write(f"search {instance.id}\n")
        until = time.monotonic() + self.seconds
        while time.monotonic() < until:
            if life.stop.wait(0.01):
                return None
        name, _, file = self.unavailable.partition("=")
        if name == instance.id and Path(file).exists():
            raise SandboxUnavailable("no Docker engine answers")
        if self.dies == instance.id and not (home / "died").exists():
            (home / "died").touch()
            os.kill(os.getpid(), 9)
        patch = {"right": RIGHT, "wrong": WRONG}.get(instance.id.partition("-")[0], "")
        finalists = tuple(Finalist(each, each == patch, 0.5) for each in (patch, RIGHT) if each)
        return Outcome(instance.id, "Submitted", patch, finalists, Cost(3, 1.5, 100, 0.0))


@dataclass(frozen=True)
class Grader:
    notes: Path
    undecided: str = ""  # a patch whose tests do not end

    def __call__(self, instance: Instance, _place: Place, patch: str, _home: Path) -> Grade:
        with self.notes.open("a") as notes:
            notes.write(f"grade {instance.id} {patch_id(patch)}\n")
        if patch and patch == self.undecided:
            return Grade(instance.id, patch_id(patch), "error", why="the tests did not end")
        status = "resolved" if patch == RIGHT else "unresolved" if patch else "empty"
        return Grade(instance.id, patch_id(patch), status, (int(patch == RIGHT), 1), (1, 1), seconds=0.5)


@dataclass(frozen=True)
class Count:
    """Counts to twelve in a run's journal, and goes on there when it is called again; notes each number."""

    notes: Path

    def __call__(self, instance: Instance, _place: Place, home: Path, _life: Life) -> Outcome:
        known = runs.list_runs(home)
        run = runs.open_run(home, known[0].id) if known else runs.begin(Task(home, ()), Settings(), home)
        journal = run.journal()
        for number in range(sum(1 for _ in journal.events()), 12):
            journal.append(Event("count", {"n": number}))
            with self.notes.open("a") as notes:
                notes.write(f"{instance.id} {number} {os.getpid()}\n")
            time.sleep(0.4)
        journal.close()
        return Outcome(instance.id, "Submitted", RIGHT, run=run.id)
