"""Choose among patches that somebody else thought of, where nothing says what is broken: no check, no search, no model.

Each is applied and valued (it parses, it is clean, it keeps what worked near it); the discriminator ranks them. What is handed over
first is `verified` where it breaks none of those tests: that it mends the issue is not shown, and nothing here says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from sandbox.base import Limits, SandboxUnavailable
from swesearch import __version__
from swesearch.base import Action, Attempt, Candidate, EditError, Evaluation, Event, Plan, Proposer, Solution, State
from swesearch.code.examples import examples
from swesearch.code.touched import touched
from swesearch.codec import encode
from swesearch.discriminator.weigh import Weigh
from swesearch.engine.budget import Budget
from swesearch.runs import Run
from swesearch.solve.hunt import write
from swesearch.solve.prepare import Bench, prepare
from swesearch.solve.record import Record, cost
from swesearch.store import Store
from swesearch.value.examples import ExampleRuns, example_files, homes_of
from swesearch.value.hybrid import Hybrid
from swesearch.value.lint import Lint
from swesearch.value.parses import Parses
from swesearch.value.protect import is_test
from swesearch.value.regression import Regression, Trials, near

ROOT = 0
PATIENCE = 5  # times as long on the clock as in CPU seconds


def rank(run: Run, propose: Callable[[Store], Proposer], observer: Callable[[Event], None], stop: threading.Event) -> Solution:
    """Value and rank all that the proposer has for the code as it is; what an earlier session of the run found out is used again.

    Raises UsageError, JournalError, and SandboxUnavailable where we could not find out.
    """
    journal = run.journal()
    record = Record(journal, observer)
    try:
        known = record.kept("started")
        bench = prepare(run, record, State(known["root"]) if known else None)
        try:
            return _Ranking(run, record, bench, stop).of(propose(bench.store))
        finally:
            bench.close()
    except SandboxUnavailable as error:
        record.append("stopped", why="sandbox", error=str(error), exit_code=4, seconds=0.0, tokens=0, dollars=0.0)
        raise
    finally:
        journal.close()


class _Ranking:
    """One process's part of a ranking."""

    def __init__(self, run: Run, record: Record, bench: Bench, stop: threading.Event) -> None:
        self._run, self._record, self._bench, self._stop = run, record, bench, stop
        self._budget = Budget(None, None, None, None, spent=record.used())
        self._before = self._budget.spent()["seconds"]

    def of(self, proposer: Proposer) -> Solution:
        """The solution: the best first, all others as alternatives."""
        bench = self._bench
        self._record.append(
            "started", run=self._run.id, repo=str(self._run.task.repo), root=bench.root.tree, strategy="rank",
            seed=self._run.settings.search.seed, checks=[], version=__version__, resumed=bool(self._record.past),
        )  # fmt: skip
        root = Attempt(None, bench.root, Evaluation(1.0))
        self._record.node(root, None, ROOT)
        applied = [self._applied(plan) for plan in proposer.propose((root,))]
        attempts = self._valued([attempt for attempt in applied if attempt is not None])
        if self._stop.is_set():
            return self._end("interrupted", Solution(None, (), "stopped before the end", cost(self._budget)))
        candidates = [_candidate(bench, attempt) for attempt in attempts]
        verdict = Weigh(bench.store, bench.root, self._run.task.issue).pick(candidates)
        if not verdict.ranking:
            return self._end("exhausted", Solution(None, (), "no patch could be applied", cost(self._budget)))
        write(self._run.patch, verdict.ranking[0].patch)
        return self._end("solved", Solution(verdict.ranking[0], verdict.ranking[1:], verdict.why, cost(self._budget)))

    def _applied(self, plan: Plan) -> Attempt | None:
        """The plan's state, not valued yet; None for a dead end, which is kept in the record."""
        action = Action((), plan.why, plan.prior)
        try:
            action = plan.carry_out()
            return Attempt(action, self._bench.store.apply(self._bench.root, action.edits), Evaluation(0.0))
        except EditError as error:
            refused = Attempt(action, self._bench.root, Evaluation(0.0, feedback=str(error)))
            self._record.node(refused, ROOT, None, closed=True, duplicate=False)
            return None

    def _valued(self, attempts: Sequence[Attempt]) -> list[Attempt]:
        """Every attempt with its evaluation; as many at once as the sandbox has slots."""
        evaluator = self._evaluator(attempts)

        def value(numbered: tuple[int, Attempt]) -> Attempt:
            number, attempt = numbered
            if self._stop.is_set():
                return attempt
            found = Attempt(attempt.action, attempt.state, evaluator.evaluate(attempt.state, None))
            self._record.node(found, ROOT, number, closed=False, duplicate=False)
            return found

        with ThreadPoolExecutor(self._bench.sandbox.slots) as pool:
            return list(pool.map(value, enumerate(attempts, 1)))

    def _evaluator(self, attempts: Sequence[Attempt]) -> Hybrid:
        bench, weights = self._bench, self._run.settings.value
        changed = [bench.store.changed(bench.root, attempt.state) for attempt in attempts]
        tests = near(changed, bench.store.files(bench.root))
        seconds = self._run.settings.sandbox.seconds
        limits = Limits(PATIENCE * seconds, cpu_seconds=seconds)  # a busy machine must not look like a slow candidate
        self._record.show("phase", name="search", detail=f"{len(attempts)} patches; tests near them: {', '.join(tests) or 'none'}")
        names = {name for attempt in attempts for name in _touched(bench, attempt.state)}
        sources = sorted({path for paths in changed for path in paths if path.endswith(".py") and not is_test(path)})
        shown = examples(self._run.task.issue)
        trials = Trials(bench.store, bench.sandbox, bench.root, tests, example_files(shown, homes_of(sources, tests)), names, limits)
        terms = (
            Parses(bench.store, bench.root),
            Lint(bench.store, bench.root, weights.lint),
            Regression(trials, weights.nearby),
            ExampleRuns(trials, shown.answers, weights.failing),
        )
        hybrid = Hybrid(terms)
        for state, evaluation in self._record.evaluations().items():
            hybrid.remember(state, evaluation)
        return hybrid

    def _end(self, why: str, solution: Solution) -> Solution:
        best, used = solution.best, solution.cost
        self._record.append(
            "solution", node=best.attempt.state.tree if best else None, why=solution.why, evaluations=used.evaluations,
            seconds=used.seconds, tokens=0, dollars=0.0, confidence=None,
            patch=best.patch.decode(errors="replace") if best else "", solution=encode(solution),
        )  # fmt: skip
        code = {"solved": 0, "exhausted": 1, "interrupted": 130}[why]
        self._record.append("stopped", why=why, error="", exit_code=code, seconds=used.seconds - self._before, tokens=0, dollars=0.0)
        return solution


def _touched(bench: Bench, state: State) -> frozenset[str]:
    texts = [(before or b"", after or b"") for path, before, after in bench.store.texts(bench.root, state) if path.endswith(".py")]
    return frozenset().union(*(touched(before, after) for before, after in texts))


def _candidate(bench: Bench, attempt: Attempt) -> Candidate:
    found = {term.name: term for term in attempt.evaluation.terms if term.known}
    kept = "regression" in found and found["regression"].score == 1.0
    return Candidate(attempt, bench.store.diff(bench.root, attempt.state), verified=kept)
