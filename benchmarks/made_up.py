"""A run of any size, made up: a real journal and a real store as a search would leave them, without the hours of searching."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from swesearch import runs
from swesearch.base import Action, Attempt, Check, Evaluation, Event, Measurement, Replace, State, Task
from swesearch.codec import encode
from swesearch.settings import Settings
from swesearch.store import Store

LINES = 400  # of the file that is changed
TEST = "tests/test_numbers.py::test_the_sum_is_right"
AGAIN = "tests/test_numbers.py::test_zero_is_zero"
CHECK = ("pytest", "-q", "tests/test_numbers.py")


@dataclass
class MadeUp:
    """Makes one run. `words` stand wherever others may write: issue, file name, change, test output, messages."""

    folder: Path
    nodes: int
    words: str = "the numbers are added wrongly"
    path: str = "numbers.py"
    branching: int = 12
    seed: int = 0
    messages: bool = False
    _states: list[tuple[State, int]] = field(default_factory=list)  # with their depths

    def make(self) -> runs.Run:
        """The finished run; its repository is beside it in the folder."""
        run, events = self.begin()
        journal = run.journal()
        for event in events:
            journal.append(event)
        journal.close()
        return run

    def begin(self) -> tuple[runs.Run, Iterator[Event]]:
        """The run as it begins, and what is going to happen in it, one event after another."""
        repo = self._repository()
        task = Task(repo, (Check(CHECK),), f"{self.words}\n\nAdding up gives too much.")
        run = runs.begin(
            task, Settings().updated({"model": {"name": "claude-sonnet-5-5"}} if self.messages else {}, "made up"), self.folder / "home"
        )
        return run, self._events(run)

    def _repository(self) -> Path:
        repo = self.folder / "repo"
        repo.mkdir(parents=True)
        (repo / self.path).write_text("".join(f"def number_{k}(x):\n    return x + {k}\n" for k in range(LINES // 2)))
        for arguments in (("init", "-q"), ("add", "-A"), ("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-qm", "begin")):
            subprocess.run(["git", *arguments], cwd=repo, check=True, stdin=subprocess.DEVNULL)
        return repo

    def _events(self, run: runs.Run) -> Iterator[Event]:
        with closing(Store.open(run.task.repo, run.store)) as store:
            yield from self._search(run, store)

    def _search(self, run: runs.Run, store: Store) -> Iterator[Event]:
        chance = random.Random(self.seed)
        root = store.root()
        self._states = [(root, 0)]
        start = {
            "run": run.id,
            "repo": str(run.task.repo),
            "root": root.tree,
            "strategy": "mcts",
            "seed": self.seed,
            "checks": [" ".join(CHECK)],
            "version": "0",
            "resumed": False,
        }
        yield Event("started", start)
        yield Event("baseline", {"check": " ".join(CHECK), "tests": {TEST: f"AssertionError: {self.words}"}, "failing": 1, "passing": 7})
        yield _node(0, None, Attempt(None, root, Evaluation(0.3)), 0.0)
        yield Event("phase", {"name": "search", "detail": "mcts"})
        for number in range(1, self.nodes):
            yield from self._attempt(number, store, chance)
        yield Event("phase", {"name": "minimise", "detail": "1 candidate passes"})
        yield from self._end(store, root)

    def _attempt(self, number: int, store: Store, chance: random.Random) -> Iterator[Event]:
        parent = self._parent(number, chance)
        state, depth = self._states[parent]
        last = number == self.nodes - 1
        edit = Replace(
            self.path, b"    return x + ", f"    return x - {number} + ".encode(), start=_line(store.read(state, self.path), chance)
        )
        action = Action((edit,), f"{self.words}: subtract {number} first", round(chance.uniform(0.01, 0.6), 3))
        child = store.apply(state, action.edits)
        self._states.append((child, depth + 1))
        if self.messages:
            yield Event("memory", {"key": f"reply:{number}", "value": _reply(self.words), "parent": state.tree, "why": action.why})
        yield _node(number, parent, Attempt(action, child, _evaluation(chance, last, self.words)), 0.4 * number)

    def _parent(self, number: int, chance: random.Random) -> int:
        """Some node above, a young one more likely than an old one."""
        return number // self.branching if chance.random() < 0.8 else chance.randrange(number)

    def _end(self, store: Store, root: State) -> Iterator[Event]:
        best, _ = self._states[-1]
        patch = store.diff(root, best).decode()
        reasons = [
            f"`{' '.join(CHECK)}` failed before and passes now, in a fresh sandbox (8 tests)",
            "7 other tests in the same files still pass",
        ]
        yield Event("finalist", {"node": best.tree, "verified": True, "patch": patch, "reasons": reasons, "rank": 1})
        attempt = {"action": {"why": f"{self.words}: subtract {self.nodes - 1} first"}, "state": {"tree": best.tree}}
        candidate = {"attempt": attempt, "patch": {"text": patch}, "verified": True, "reasons": reasons}
        solution = {"best": candidate, "alternatives": [], "why": "the only candidate"}
        used = {"evaluations": self.nodes - 1, "seconds": 0.4 * self.nodes, "tokens": 0, "dollars": 0.0}
        yield Event("solution", {"node": best.tree, "why": "", **used, "confidence": 0.8, "patch": patch, "solution": solution})
        yield Event("stopped", {"why": "solved", "error": "", "exit_code": 0, "seconds": used["seconds"], "tokens": 0, "dollars": 0.0})


def _line(source: bytes, chance: random.Random) -> int:
    """Where some line that can still be changed begins."""
    return chance.choice([found.start() for found in re.finditer(rb"    return x \+ ", source)])


def _evaluation(chance: random.Random, solved: bool, words: str) -> Evaluation:
    said = f"{TEST}: AssertionError: {words}"
    parses, failing = (
        Measurement("parses", 1.0),
        Measurement("failing", 0.0, blocked=True, solved=False, feedback=said, facts={"passed": []}),
    )
    passing = Measurement("failing", 1.0, solved=True, facts={"passed": [TEST]})
    if solved:
        return Evaluation(1.0, True, (parses, passing, Measurement("nearby", 1.0, facts={"broken": []})), seconds=0.4)
    if chance.random() < 0.1:
        broken = Measurement("nearby", 0.8, blocked=True, solved=False, feedback=f"newly failing: {AGAIN}", facts={"broken": [AGAIN]})
        return Evaluation(0.0, False, (parses, passing, broken), f"newly failing: {AGAIN}", 0.4)
    if chance.random() < 0.4:
        return Evaluation(0.0, False, (parses, failing), said, 0.4)
    score = chance.random() * 0.9
    return Evaluation(score, False, (parses, Measurement("failing", score, solved=False, feedback=said, facts={"passed": []})), said, 0.4)


def _node(number: int, parent: int | None, attempt: Attempt, at: float) -> Event:
    evaluation = attempt.evaluation
    terms = [{"name": each.name, "score": each.score, "known": each.known, "feedback": each.feedback} for each in evaluation.terms]
    facts: dict[str, Any] = {
        "tree": attempt.state.tree,
        "prior": attempt.action.prior if attempt.action else None,
        "value": evaluation.value,
    }
    marks = {"solved": evaluation.solved, "seconds": evaluation.seconds, "closed": False, "duplicate": False}
    spent = {"evaluations": number, "seconds": at, "tokens": 100 * number, "dollars": 0.001 * number}
    more = {"terms": terms, "evaluation": encode(evaluation), "action": encode(attempt.action), "spent": spent}
    return Event("node", {"id": number, "parent": parent, "why": attempt.action.why if attempt.action else "", **facts, **marks, **more})


def _reply(words: str) -> dict[str, Any]:
    parts = [
        {"kind": "Text", "text": f"I think {words}"},
        {"kind": "ToolCall", "id": "1", "name": "replace", "arguments": {"path": words}, "malformed": ""},
    ]
    usage = {"input": 10, "output": 20, "cache_read": 0, "cache_write": 0}
    asked = {"role": "executor", "text": f"You are told: {words}"}
    return {
        "message": {"role": "assistant", "parts": parts},
        "stop": "end",
        "usage": usage,
        "model": "claude-sonnet-5-5",
        "dollars": 0.001,
        "note": "",
        "asked": asked,
    }
