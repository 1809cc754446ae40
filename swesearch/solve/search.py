"""One run from beginning to end: prepare, show that the check fails, search, verify, hand over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.base import SandboxUnavailable
from swesearch import __version__
from swesearch.agents.shuffled import Shuffled
from swesearch.agents.templates.proposer import TemplateProposer
from swesearch.base import Attempt, Event, Proposer, Solution, State, Verdict
from swesearch.codec import encode
from swesearch.engine.budget import Budget
from swesearch.engine.loop import Ending, Outcome, Retry
from swesearch.engine.loop import run as run_loop
from swesearch.engine.scores import puct
from swesearch.engine.search import Search
from swesearch.engine.strategies import options
from swesearch.engine.tree import Lease, Node
from swesearch.runs import Run
from swesearch.solve.behaviour import selector
from swesearch.solve.expand import Expander
from swesearch.solve.finalists import Finals
from swesearch.solve.localiser import localiser
from swesearch.solve.prepare import Bench, prepare
from swesearch.solve.record import Record, cost
from swesearch.value.hybrid import Hybrid
from swesearch.value.lint import Lint, LintUnavailable
from swesearch.value.parses import Parses
from swesearch.value.protect import protected
from swesearch.value.tests import Failing, Nearby

EXIT_CODES = {"solved": 0, "exhausted": 1, "budget": 3, "sandbox": 4, "interrupted": 130}


def search(run: Run, observer: Callable[[Event], None], stop: threading.Event) -> Solution:
    """Search until a fix is verified or nothing more can be done; goes on where an earlier session of the run stopped.

    Raises CheckPasses, CheckUnusable, UsageError, JournalError, and SandboxUnavailable where we could not find out.
    """
    journal = run.journal()
    try:
        return _Session(run, Record(journal, observer), stop).go()
    finally:
        journal.close()


class _Session:
    """One process's part of a run."""

    def __init__(self, run: Run, record: Record, stop: threading.Event) -> None:
        self.run = run
        self.record = record
        self.stop = stop
        limits = run.settings.budget
        self.budget = Budget(limits.evaluations or None, limits.seconds or None, spent={"seconds": record.used()})

    def go(self) -> Solution:
        """The phases in order."""
        try:
            bench = self._prepare()
            try:
                return self._conclude(*self._search(bench))
            finally:
                bench.close()
        except SandboxUnavailable:
            self._stopped("sandbox")
            raise

    def _prepare(self) -> Bench:
        known = self.record.kept("started")
        bench = prepare(self.run, self.record, State(known["root"]) if known else None)
        settings = self.run.settings.search
        self.record.append(
            "started", run=self.run.id, repo=str(self.run.task.repo), root=bench.root.tree, strategy=settings.strategy, seed=settings.seed,
            checks=[" ".join(check.command) for check in self.run.task.checks], version=__version__, resumed=known is not None,
        )  # fmt: skip
        return bench

    def _search(self, bench: Bench) -> tuple[str, Verdict, Search[Attempt]]:
        self.record.append("phase", name="reproduce", detail="the check must fail on the code as it is")
        for check in bench.checks:
            names = ", ".join(list(check.baseline.failing)[:3])
            self.record.show(
                "phase", name="reproduce", detail=f"{len(check.baseline.failing)} fail ({names}), {len(check.baseline.passing)} pass"
            )
        evaluator = self._evaluator(bench)
        tree = self._tree(bench, evaluator)
        expander = Expander(bench.store, self._proposer(bench), evaluator, lambda path: protected(path, bench.store.files(bench.root)))
        ending = self._loop(bench, tree, expander)
        finals = Finals(bench, evaluator, selector(bench), self.record)
        solved = [node.item for node in tree.solved]
        verdict = finals.run(solved, self.run.settings.discriminator.finalists) if solved and ending != "stopped" else Verdict(())
        return self._why(ending, verdict), verdict, tree

    def _evaluator(self, bench: Bench) -> Hybrid:
        weights = self.run.settings.value
        terms = (
            Parses(bench.store, bench.root),
            Failing(bench.checks, weights.failing),
            Lint(bench.store, bench.root, weights.lint),
            Nearby(bench.checks, weights.nearby),
        )
        hybrid = Hybrid(terms)
        for state, evaluation in self.record.evaluations().items():
            hybrid.remember(state, evaluation)
        return hybrid

    def _proposer(self, bench: Bench) -> Proposer:
        locate = localiser(bench, self.run.task.issue, self.record)
        templates = TemplateProposer(bench.store, locate, lambda path: bool(protected(path, bench.store.files(bench.root))))
        settings = self.run.settings.search
        return Shuffled(templates, settings.seed) if settings.strategy == "random" else templates

    def _tree(self, bench: Bench, evaluator: Hybrid) -> Search[Attempt]:
        settings = self.run.settings.search
        root = Attempt(None, bench.root, evaluator.start())
        score = {"score": puct(settings.exploration)} if settings.strategy == "mcts" else {}
        rules = options(settings.strategy, seed=settings.seed, max_depth=settings.depth, **score)
        tree: Search[Attempt] = Search(root, bench.root, root.evaluation.value, **rules)
        self.record.node(root, None, tree.root.index)
        return tree

    def _loop(self, bench: Bench, tree: Search[Attempt], expander: Expander) -> Ending:
        def tell(lease: Lease[Attempt], outcome: Outcome[Attempt], nodes: Sequence[Node[Attempt]]) -> None:
            if outcome.child is not None:
                marks = {"closed": outcome.child.closed, "duplicate": not nodes and not outcome.child.closed}
                self.record.node(outcome.child.item, lease.node.index, nodes[0].index if nodes else None, **marks)
                if outcome.child.solved and len(tree.solved) == 1:
                    self._keep(bench, outcome.child.item)
            self.record.progress(tree, self.budget)

        self.record.append("phase", name="search", detail=self.run.settings.search.strategy)
        ending = run_loop(
            tree, expander, self.budget, workers=self.run.settings.search.workers or bench.sandbox.slots,
            patience=self.run.settings.discriminator.patience, on_tell=tell, stop=self.stop,
            retry=Retry((SandboxUnavailable, LintUnavailable)),
        )  # fmt: skip
        self.record.progress(tree, self.budget, last=True)
        best = max(tree.nodes, key=lambda node: (node.solved, node.value))
        if best is not tree.root:
            self._keep(bench, best.item)
        return ending

    def _keep(self, bench: Bench, attempt: Attempt) -> None:
        """Put the best patch so far on disk."""
        _write(self.run.patch, bench.store.diff(bench.root, attempt.state))

    def _why(self, ending: Ending, verdict: Verdict) -> str:
        if verdict.ranking:
            return "solved"
        return {"stopped": "interrupted", "solved": "exhausted"}.get(ending, ending)

    def _conclude(self, why: str, verdict: Verdict, tree: Search[Attempt]) -> Solution:
        best = verdict.ranking[0] if verdict.ranking else None
        if best:
            _write(self.run.patch, best.patch)
        used = cost(self.budget)
        solution = Solution(best, verdict.ranking[1:], verdict.why if best else self._explain(why, tree), used)
        action = best.attempt.action.why if best and best.attempt.action else ""
        self.record.append(
            "solution", node=best.attempt.state.tree if best else None, why=action, evaluations=used.evaluations, seconds=used.seconds,
            patch=best.patch.decode(errors="replace") if best else "", solution=encode(solution),
        )  # fmt: skip
        self._stopped(why)
        return solution

    def _explain(self, why: str, tree: Search[Attempt]) -> str:
        """Why there is no fix, and what there is instead."""
        reasons = {
            "exhausted": _exhausted(tree),
            "budget": f"the budget ended ({self.budget.exhausted() or 'all of it is used'})",
            "interrupted": "stopped before the end",
        }
        kept = f"; the best partial result is in {self.run.patch}" if tree.root.best > tree.root.value else ""
        return reasons.get(why, why) + kept

    def _stopped(self, why: str) -> None:
        self.record.append("phase", name="done", detail="")
        spent = self.budget.spent()["seconds"] - self.record.used()
        self.record.append("stopped", why=why, exit_code=EXIT_CODES[why], seconds=spent)


def _exhausted(tree: Search[Attempt]) -> str:
    if tree.solved:
        return "no candidate held when it was verified afresh"
    if not tree.root.tried:
        return "nothing to try: no line of the repository that may be changed is reached by the failing tests"
    return "no candidate passed all tests"


def _write(path: Path, patch: bytes) -> None:
    """Replace a file in one step: a reader sees the old patch or the new one."""
    draft = path.with_suffix(".new")
    draft.write_bytes(patch)
    draft.replace(path)
