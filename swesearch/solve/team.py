"""The agents of a run: planner, executor, reproducer, judge and referee around one model, at work on one bench."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.base import Limits, TestOutcome
from swesearch.agents.executor import Executor
from swesearch.agents.judge import Judge, Referee
from swesearch.agents.planner import Planner
from swesearch.agents.proposer import AgentProposer
from swesearch.agents.workspace import Workspace
from swesearch.base import Attempt, Candidate, Discriminator, Measurement, ModelUnavailable, Proposer, State, Term
from swesearch.code.localise import Localisation
from swesearch.dialogue import Message, Model
from swesearch.discriminator.debate import Debate
from swesearch.engine.budget import BudgetExhausted
from swesearch.runs import Run
from swesearch.solve.briefing import briefing
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.value.checks import BAD, CheckRun
from swesearch.value.protect import protected

SHOWN = 10  # failing tests that an executor is told of


@dataclass(frozen=True, slots=True)
class Team:
    """Everybody who asks the model."""

    run: Run
    bench: Bench
    record: Record
    model: Model
    brief: Callable[[], Message]

    @classmethod
    def of(cls, run: Run, bench: Bench, record: Record, model: Model, locate: Callable[[State], Localisation]) -> Team:
        """The team for a bench whose checks are known to fail."""
        return cls(run, bench, record, model, briefing(run.task, bench, locate, record))

    def proposer(self, hypotheses: int, rounds: int, synthesise: bool = False) -> Proposer:
        """Planner and executor. Hypotheses are thought of at once and carried out when the search wants them."""
        planner = Planner(self.model, self.brief, hypotheses, synthesise)
        return AgentProposer(planner, self.executor().carry_out, rounds, lambda words: self.record.append("warning", text=words))

    def executor(self) -> Executor:
        """The one that works out edits."""
        settings = self.run.settings.agents
        return Executor(
            self.model, self._workspace, self.brief, self.record,
            mode=settings.context, max_steps=settings.steps, window=settings.window,  # type: ignore[arg-type]  # one of its choices
        )  # fmt: skip

    def judge(self, weight: float) -> Term:
        """The value term."""
        return Spared(
            Judge(self.model, self.brief, lambda state: self.bench.store.diff(self.bench.root, state).decode("utf-8", "replace"), weight)
        )

    def referee(self, inner: Discriminator, behave: Callable[[Candidate], Mapping[str, str]]) -> Discriminator:
        """A debate around `inner`; what was verified is handed over even where nobody can be asked any more."""
        calls = self.run.settings.discriminator.debate
        referee = Referee(self.model, self.brief)
        return Debate(inner, referee, behave=behave, calls=calls, spared=(BudgetExhausted, ModelUnavailable)) if calls else inner

    def _workspace(self, state: State) -> Workspace:
        bench = self.bench
        return Workspace(
            bench.store, bench.sandbox, state, bench.checks[0].files, lambda tried: checked(bench.checks, tried),
            lambda path: protected(path, bench.store.files(bench.root)), Limits(seconds=self.run.settings.sandbox.seconds),
        )  # fmt: skip


class Spared:
    """A term that asks a model, and is silent where that cannot be paid: a candidate that was tried is never lost for a judgement.

    Nor is it asked about the many small variants of a finalist, which have no parent.
    """

    def __init__(self, term: Term) -> None:
        self.name, self.weight = term.name, term.weight
        self._term = term

    def measure(self, state: State, parent: Attempt | None) -> Measurement:
        """Ask, where there is a parent and money. Raises ModelUnavailable."""
        if parent is None:
            return Measurement(self.name, 0.0, known=False)
        try:
            return self._term.measure(state, parent)
        except BudgetExhausted as error:
            return Measurement(self.name, 0.0, known=False, feedback=f"the judge was not asked: {error}")


def checked(checks: Sequence[CheckRun], state: State) -> str:
    """How the checks end on `state`, in words: which of the failing tests pass now, and what is newly broken."""
    lines = []
    for check in checks:
        runs = [run for run in (check.failing(state, stop=False), check.nearby(state)) if run]
        outcomes = [outcome for run in runs for outcome in run.outcomes]
        bad = [outcome for outcome in outcomes if outcome.outcome in BAD]
        lines += [f"the run ended as {run.status}: {run.detail}" for run in runs if run.status != "complete"]
        lines += map(_line, bad[:SHOWN])
        lines.append(f"{len(outcomes) - len(bad)} tests pass, {len(bad)} fail")
    return "\n".join(lines)


def _line(outcome: TestOutcome) -> str:
    where = "".join(f" at {frame.path}:{frame.line}" for frame in outcome.frames[-1:])
    return f"{outcome.id}: {outcome.outcome}{where}: {outcome.error}: {outcome.message}"
