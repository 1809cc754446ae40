"""The search itself: a tree of states, grown by a proposer and an evaluator in phases, and told to the record as it grows."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.base import SandboxUnavailable
from swesearch.base import Attempt, Proposer, State
from swesearch.engine.budget import Budget
from swesearch.engine.loop import Ending, Outcome, Retry
from swesearch.engine.loop import run as run_loop
from swesearch.engine.search import Search
from swesearch.engine.tree import Child, Lease, Node
from swesearch.solve.expand import Expander
from swesearch.solve.helm import Helm
from swesearch.solve.phases import Phase
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.steer import Mailbox
from swesearch.value.hybrid import Hybrid
from swesearch.value.lint import LintUnavailable
from swesearch.value.protect import protected

ALERTS = (0.5, 0.75, 0.9)  # shares of the budget that are told of


@dataclass(eq=False)
class Hunt:
    """One search. `agents`: the proposer asks a model, so that every attempt is dear and failures are worth reading."""

    bench: Bench
    proposer: Proposer
    evaluator: Hybrid
    budget: Budget
    record: Record
    patch: Path  # where the best patch so far is put
    agents: bool
    patience: int  # leases after the first solution
    abandon: int  # attempts without any gain after which the search is given up; 0: never
    consensus: bool  # whether two ways to one solution end the search
    workers: int
    stop: threading.Event
    mailbox: Mailbox  # what somebody outside wants
    way: Sequence[Attempt] = ()  # from below the root to the state where a fork begins
    tree: Search[Attempt] = field(init=False)
    _expand: Expander = field(init=False)
    _helm: Helm = field(init=False)
    _left: list[Phase] = field(init=False)  # phases that are not over, the one under way first
    _idle: int = 0  # attempts since the last gain
    _paid: float = 0.0  # dollars at that time
    _agreed: bool = False
    _alerted: int = 0

    def go(self, phases: Sequence[Phase]) -> Ending:
        """Search phase by phase. Raises SandboxUnavailable, ModelUnavailable, KeyboardInterrupt."""
        self._plant(phases[0].rules)
        self._expand = Expander(
            self.bench.store, self.proposer, self.evaluator, self._forbidden, self._known, patient=self.agents, about=self.record.about
        )
        self._helm = Helm(self.mailbox, self.record, self.budget, self.stop, self.tree, self._expand.renew)
        self._helm.hold()  # what is asked already comes before the first look at the clock
        self._left = list(phases)
        return self.go_on()

    def refute(self, states: Collection[State]) -> bool:
        """These passed, but did not hold when they were looked at more closely: they solve nothing. False where none of them is here."""
        found = [node for node in self.tree.solved if node.item.state in states]
        for node in found:
            self.tree.prune(node)
        self._agreed = False
        return bool(found)

    def go_on(self) -> Ending:
        """The phases that are left, up to one that ends the search. Raises what `go` does."""
        while True:
            self.record.append("phase", name="search", detail=self._left[0].name)
            ending = self._run(self._left[0])
            if ending in ("stopped", "solved") or self._over() or len(self._left) == 1:
                break
            del self._left[0]
            self.tree.follow(**self._left[0].rules)
        self._keep_best()
        return "exhausted" if ending == "paused" else ending

    @property
    def abandoned(self) -> bool:
        """Whether it was given up because nothing improved."""
        return bool(self.abandon) and self._idle >= self.abandon and not self.tree.solved

    def _plant(self, rules: Mapping[str, object]) -> None:
        root = Attempt(None, self.bench.root, self.evaluator.start())
        self.tree = Search(root, self.bench.root, root.evaluation.value, keep_closed=self.agents, **rules)  # type: ignore[arg-type]
        self.record.node(root, None, self.tree.root.index)
        above = [self.tree.root.index]
        for attempt in self.way:  # nothing but its end is gone on from, be it a dead end or solved
            lease = self.tree.take(above, 0)
            [node] = self.tree.tell(lease, Child(attempt, attempt.state, attempt.evaluation.value), None)
            self.record.node(attempt, above[-1], node.index)
            above.append(node.index)

    def _run(self, phase: Phase) -> Ending:
        ending = run_loop(
            self.tree, self._expand, self.budget, workers=self.workers, patience=self.patience, on_tell=self._tell, stop=self.stop,
            retry=Retry((SandboxUnavailable, LintUnavailable)), until=lambda: self._over() or phase.until <= self.budget.share() < 1,
            hold=self._helm.hold,
        )  # fmt: skip
        self.record.progress(self.tree, self.budget, last=True)
        return ending

    def _over(self) -> bool:
        return self._agreed or self.abandoned

    def _tell(self, lease: Lease[Attempt], outcome: Outcome[Attempt], nodes: Sequence[Node[Attempt]]) -> None:
        before = self.tree.root.best
        if (child := outcome.child) is not None:
            new = bool(nodes) and nodes[0].item is child.item
            marks = {"closed": child.closed, "duplicate": not new and not child.closed}
            self.record.node(child.item, lease.node.index, nodes[0].index if nodes else None, spent=self.budget.spent(), **marks)
            self._agreed = self._agreed or (self.consensus and child.solved and not new)
            gained = child.value >= before and not child.closed and new
            self._idle = 0 if gained else self._idle + 1
            self._paid = self.budget.spent()["dollars"] if gained else self._paid
            if child.solved and len(self.tree.solved) == 1:
                self._keep(child.item)
        self._alert()
        self.record.progress(self.tree, self.budget)

    def _alert(self) -> None:
        while self._alerted < len(ALERTS) and self.budget.share() >= ALERTS[self._alerted]:
            share = ALERTS[self._alerted]
            spent = self.budget.spent()
            since = {"attempts": self._idle, "dollars": spent["dollars"] - self._paid}
            self.record.append("alert", share=share, best=self.tree.root.best, spent=spent, since_gain=since)
            self._alerted += 1

    def _forbidden(self, path: str) -> str:
        return protected(path, self.bench.store.files(self.bench.root))

    def _known(self, count: int) -> Sequence[Attempt]:
        return [node.item for node in self.tree.nodes[1:count]]

    def _keep_best(self) -> None:
        best = max(filter(self.tree.stands, self.tree.nodes), key=lambda node: (node.solved, node.value))
        if best is not self.tree.root:
            self._keep(best.item)

    def _keep(self, attempt: Attempt) -> None:
        """Put the best patch so far on disk."""
        write(self.patch, self.bench.store.diff(self.bench.root, attempt.state))


def write(path: Path, patch: bytes) -> None:
    """Replace a file in one step: a reader sees the old patch or the new one."""
    draft = path.with_suffix(".new")
    draft.write_bytes(patch)
    draft.replace(path)
