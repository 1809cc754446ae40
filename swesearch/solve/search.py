"""One run from beginning to end: prepare, show that the check fails, search, verify, hand over."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sandbox.base import SandboxUnavailable
from swesearch import __version__
from swesearch.agents.reproducer import NoReproduction
from swesearch.base import CheckPasses, CheckUnusable, Event, ModelUnavailable, Solution, State, UsageError, Verdict
from swesearch.codec import encode
from swesearch.dialogue import Model
from swesearch.discriminator.confidence import confidence
from swesearch.engine.budget import Budget, BudgetExhausted
from swesearch.engine.loop import Ending
from swesearch.runs import Run
from swesearch.solve.finalists import Finals
from swesearch.solve.hunt import Hunt, write
from swesearch.solve.models import model_of
from swesearch.solve.parts import Parts
from swesearch.solve.prepare import Bench, prepare
from swesearch.solve.ready import ready
from swesearch.solve.record import Record, cost
from swesearch.solve.reproduce import reproduce
from swesearch.steer import Mailbox
from swesearch.value.checks import Baseline
from swesearch.value.tests import wants_network

EXIT_CODES = {"solved": 0, "exhausted": 1, "abandoned": 1, "abstained": 1, "unreproduced": 1, "budget": 3, "interrupted": 130}
FAILURES = {UsageError: "usage", SandboxUnavailable: "sandbox", CheckUnusable: "check", ModelUnavailable: "model", CheckPasses: "passes"}
SHOWN = 20  # failing tests of the code as it is that are kept with their errors
NO_NETWORK = (
    "{some} of {all} failing tests want a network, which the sandbox does not have ({first}). If that is not the bug, "
    "give tests that do without; --sandbox local has one, but protects nothing"
)
FAILED = {"usage": 2, "sandbox": 4, "check": 4, "model": 5, "passes": 7}


def search(run: Run, observer: Callable[[Event], None], stop: threading.Event) -> Solution:
    """Search until a fix is verified or nothing more can be done; goes on where an earlier session of the run stopped.

    Raises CheckPasses, CheckUnusable, UsageError, JournalError, ModelUnavailable, and SandboxUnavailable where we could not find out.
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
        self.mailbox = Mailbox(run.folder)
        limits = run.settings.budget
        self.before = record.used()
        self.budget = Budget(
            limits.evaluations or None, limits.seconds or None, limits.tokens or None, limits.dollars or None, spent=self.before
        )
        self.model: Model | None = None

    def go(self) -> Solution:
        """The phases in order."""
        try:
            bench = self._prepare()
            try:
                return self._search(self._with_checks(bench))
            finally:
                bench.close()
        except BudgetExhausted as error:  # before there was anything to search
            return self._nothing("budget", f"the budget does not pay for the first question ({error})")
        except NoReproduction as error:
            return self._nothing("unreproduced", str(error))
        except tuple(FAILURES) as error:
            if self.stop.is_set() and isinstance(error, ModelUnavailable):  # the waiting for it was ended
                return self._nothing("interrupted", "stopped before the end")
            self._stopped(next(why for kind, why in FAILURES.items() if isinstance(error, kind)), str(error))
            raise

    def _prepare(self) -> Bench:
        task, settings = self.run.task, self.run.settings
        ready(task, settings)
        self.model = model_of(settings.model, self.budget, self.record, self.stop)
        known = self.record.kept("started")
        root = State(known["root"]) if known else self.run.fork.root if self.run.fork else None
        bench = prepare(self.run, self.record, root)
        self.record.append(
            "started", run=self.run.id, repo=str(task.repo), root=bench.root.tree, strategy=settings.search.strategy,
            seed=settings.search.seed, checks=[" ".join(check.command) for check in task.checks], version=__version__,
            resumed=known is not None,
        )  # fmt: skip
        return bench

    def _with_checks(self, bench: Bench) -> Bench:
        """The bench with tests written from the issue, where no check was given."""
        return bench if self.model is None or bench.checks else reproduce(self.run, bench, self.model, self.record)

    def _search(self, bench: Bench) -> Solution:
        self.record.append("phase", name="reproduce", detail="the check must fail on the code as it is")
        for check in bench.checks:
            self._tell(" ".join(check.check.command), check.baseline)
        parts = Parts(self.run, bench, self.record, self.budget, self.model, self.stop, self.mailbox)
        finals = Finals(bench, parts.evaluator, parts.discriminator, self.record, lambda: self.budget.left()["seconds"] == 0)
        ending = parts.hunt.go(parts.phases)
        while (solved := [node.item for node in parts.hunt.tree.solved]) and ending != "stopped":
            verdict = finals.run(solved, self.run.settings.discriminator.finalists)
            if verdict.ranking:
                return self._handed_over(verdict, parts)
            if not parts.hunt.refute(finals.refuted) or ending != "solved":
                break
            ending = parts.hunt.go_on()
        why = self._why(ending, parts.hunt)
        return self._nothing(why, self._explain(why, parts.hunt, bool(finals.refuted)))

    def _tell(self, command: str, baseline: Baseline) -> None:
        """What the check says of the code as it is."""
        failing, passing = baseline.failing, len(baseline.passing)
        told = {name: f"{outcome.error}: {outcome.message}"[:1000] for name, outcome in list(failing.items())[:SHOWN]}
        self.record.append("baseline", check=command, tests=told, failing=len(failing), passing=passing)
        self.record.show("phase", name="reproduce", detail=f"{len(failing)} fail ({', '.join(list(failing)[:3])}), {passing} pass")
        if lacking := [name for name, outcome in failing.items() if wants_network(outcome)]:
            self.record.append("warning", text=NO_NETWORK.format(some=len(lacking), all=len(failing), first=lacking[0]))

    def _why(self, ending: Ending, hunt: Hunt) -> str:
        if hunt.abandoned:
            return "abandoned"
        return {"stopped": "interrupted", "solved": "exhausted"}.get(ending, ending)

    def _handed_over(self, verdict: Verdict, parts: Parts) -> Solution:
        """The best of the finalists, unless it is less certain than was asked for."""
        sure = confidence(parts.evidence(verdict.ranking))
        least = self.run.settings.discriminator.confidence
        used = cost(self.budget)
        if sure < least:
            words = f"what was found passes, but is right with a chance of {sure:.2f} only, and {least:.2f} was asked for"
            return self._conclude("abstained", Solution(None, verdict.ranking, words, used, sure))
        write(self.run.patch, verdict.ranking[0].patch)
        return self._conclude("solved", Solution(verdict.ranking[0], verdict.ranking[1:], verdict.why, used, sure))

    def _nothing(self, why: str, words: str) -> Solution:
        return self._conclude(why, Solution(None, (), words, cost(self.budget)))

    def _conclude(self, why: str, solution: Solution) -> Solution:
        best, used = solution.best, solution.cost
        action = best.attempt.action.why if best and best.attempt.action else ""
        self.record.append(
            "solution", node=best.attempt.state.tree if best else None, why=action, evaluations=used.evaluations, seconds=used.seconds,
            tokens=used.tokens, dollars=used.dollars, confidence=solution.confidence,
            patch=best.patch.decode(errors="replace") if best else "", solution=encode(solution),
        )  # fmt: skip
        self._stopped(why)
        return solution

    def _explain(self, why: str, hunt: Hunt, refuted: bool) -> str:
        """Why there is no fix, and what there is instead. `refuted`: something passed, and did not hold."""
        reasons = {
            "exhausted": _exhausted(hunt, refuted),
            "abandoned": f"the last {hunt.abandon} attempts improved nothing",
            "budget": f"the budget ended ({self.budget.exhausted() or 'what is left does not pay for the next step'})",
            "interrupted": "stopped before the end",
        }
        failed = "; what passed did not hold when it was verified afresh" if refuted and why == "budget" else ""
        kept = f"; the best partial result is in {self.run.patch}" if hunt.tree.root.best > hunt.tree.root.value else ""
        return reasons.get(why, why) + failed + kept

    def _stopped(self, why: str, error: str = "") -> None:
        self.record.append("phase", name="done", detail="")
        spent = self.budget.spent()
        seconds = spent["seconds"] - self.before["seconds"]
        code = (EXIT_CODES | FAILED)[why]
        self.record.append(
            "stopped", why=why, error=error, exit_code=code, seconds=seconds, tokens=spent["tokens"], dollars=spent["dollars"]
        )


def _exhausted(hunt: Hunt, refuted: bool) -> str:
    if hunt.tree.solved or refuted:
        return "no candidate held when it was verified afresh"
    if not hunt.tree.root.tried:
        return "nothing to try: no line of the repository that may be changed is reached by the failing tests"
    return "no candidate passed all tests"
