"""Attacks in a sandbox: each a candidate that is evaluated as any other, and then two more in the same box that must not notice."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack.base import BREACH, Attack, Finding
from benchmarks.attack.escapes import ESCAPES
from benchmarks.attack.forgeries import VERDICTS
from benchmarks.attack.ground import Ground, Host
from benchmarks.attack.residue import RESIDUE
from benchmarks.attack.resources import RESOURCES
from benchmarks.attack.screen import steered
from sandbox.base import SandboxUnavailable
from sandbox.promises import NOT_STOPPED
from swesearch.base import Evaluation

ATTACKS: tuple[Attack, ...] = (*RESOURCES, *ESCAPES, *RESIDUE, *VERDICTS)
PATIENCE = 60.0  # seconds for an attack with a deadline of ten or so: whatever takes longer escaped it
GROWN = 150 << 20  # bytes that this process may grow by while one attack runs
STATUS = re.compile(r"(timeout|memory|crashed|empty|broken|usage|tampered): ")
LOOK = Attack(
    "look", "",
    body="""
    def look(root):
        found = []
        for folder, names, files in os.walk(root):
            names[:] = sorted(set(names) - {"__pycache__"})
            for name in sorted(names + files):
                path = os.path.join(folder, name)
                info = os.lstat(path)
                found.append(f"{os.path.relpath(path, root)} {info.st_mode:o} {0 if os.path.isdir(path) else info.st_size}")
        return sorted(found)
    places, names = [".", os.environ["TMPDIR"]], set()
    seen = [oct(os.stat(".").st_mode), os.umask(0), os.getpriority(os.PRIO_PROCESS, 0), len(os.sched_getaffinity(0)), sorted(os.environ)]
    kinds = (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE, resource.RLIMIT_DATA, resource.RLIMIT_NPROC)
    seen += [resource.getrlimit(kind) for kind in kinds]
    if <<outward>>:
        places += ["/dev/shm", "/dev/mqueue"]
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try: names.add(open(f"/proc/{pid}/comm").read().strip())
            except OSError: pass
        seen += [sorted(name for name in names if not name.startswith(("python", "pytest")))]
        seen += [len(open("/proc/sysvipc/" + kind).readlines()) for kind in ("shm", "msg", "sem")]
    raise AssertionError(repr([*seen, *map(look, places)]))
    """,
)  # fmt: skip
MEND = {"deep.py": "def answer():\n    return 42\n"}


@dataclass(frozen=True, slots=True)
class Trace:
    """What a candidate sees of its box, and what an honest mend is worth in it."""

    seen: str
    solved: bool
    scores: tuple[tuple[str, float], ...]

    def differs(self, other: Trace) -> str:
        """In what, "" for nothing."""
        if self == other:
            return ""
        if (self.solved, self.scores) != (other.solved, other.scores):
            return f"the next candidate, an honest mend, was worth {self.scores}"
        return f"the next candidate saw {_difference(self.seen, other.seen)}"


class Arena:
    """The boxes of one backend under attack."""

    def __init__(self, ground: Ground, host: Host) -> None:
        """Finds out what a candidate sees in a sandbox that nothing hostile has run in. Raises SandboxUnavailable."""
        self.ground, self.host = ground, host
        self.words = host.words(outward=ground.backend != "local")
        with ground.fresh():
            self.untouched = self.trace()

    def run(self, attacks: Sequence[Attack]) -> Iterator[Finding]:
        """Carry out one attack after another."""
        return map(self.attack, attacks)

    def attack(self, attack: Attack) -> Finding:
        """Carry out one attack, and look what the next candidate notices."""
        promised = attack.name not in NOT_STOPPED[self.ground.backend]
        if self.ground.backend in attack.spares:
            return Finding(self.ground.backend, attack.name, attack.by, False, promised, "not run", run=False)
        began, before = time.monotonic(), _memory()
        stopped, verdict, seen = self._outcome(attack)
        seconds = time.monotonic() - began
        problems = [self.trace().differs(self.untouched)]
        problems += ["this process grew"] if _memory() - before > GROWN else []
        problem = "; ".join(filter(None, problems))
        return Finding(self.ground.backend, attack.name, attack.by, stopped, promised, verdict, seen, problem, seconds)

    def trace(self) -> Trace:
        """What a candidate sees now, and what a mend is worth. Raises SandboxUnavailable."""
        look = self.ground.evaluate(self.ground.state(LOOK.patch(self.words)))
        mend = self.ground.evaluate(self.ground.state(MEND))
        return Trace(look.feedback, mend.solved, tuple((term.name, term.score) for term in mend.terms))

    def _outcome(self, attack: Attack) -> tuple[bool, str, str]:
        """Whether it was stopped, what the verdict was, and what was seen."""
        state = self.ground.state(attack.patch(self.words))
        try:
            evaluation = self.ground.evaluate(state)
            if evaluation.solved:
                through, said = self.ground.handed_over(state, evaluation)
                return not through, "handed over" if through else "refused", said
        except SandboxUnavailable as error:
            return not self.host.harm(), "no verdict", str(error)
        broken = self.host.harm() or _mistimed(evaluation, attack) or steered(evaluation.feedback, self.ground.patch(state))
        said = evaluation.feedback.partition("AssertionError: ")[2] or evaluation.feedback
        return not broken and BREACH not in said, _verdict(evaluation), broken or said


def _verdict(evaluation: Evaluation) -> str:
    """In one word, what the check came to."""
    match = STATUS.match(evaluation.feedback)
    return match[1] if match else "timeout" if ": Timeout: " in evaluation.feedback else "failed"


def _mistimed(evaluation: Evaluation, attack: Attack) -> str:
    """What is wrong with the time that an evaluation says it took, "" for nothing."""
    if evaluation.seconds > PATIENCE:
        return "it went on past its deadline"
    return "it took no time at all" if evaluation.seconds < attack.quickest else ""


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _difference(now: str, before: str) -> str:
    """Where two texts begin to differ."""
    first = next((i for i, (a, b) in enumerate(zip(now, before, strict=False)) if a != b), min(len(now), len(before)))
    return repr(now[max(0, first - 20) : first + 120])
