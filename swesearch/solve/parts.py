"""What a run's settings make of the rooms: proposer, evaluator, search, discriminator."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from swesearch.agents.shuffled import Shuffled
from swesearch.agents.templates.proposer import TemplateProposer
from swesearch.base import Candidate, Discriminator, Proposer, Term
from swesearch.dialogue import Model
from swesearch.discriminator.confidence import Evidence, gather
from swesearch.engine.budget import Budget
from swesearch.runs import Run
from swesearch.settings import AgentSettings
from swesearch.solve.behaviour import Behave, behaviour_on, selector
from swesearch.solve.hunt import Hunt
from swesearch.solve.localiser import localiser
from swesearch.solve.models import attempts
from swesearch.solve.phases import Phase, chosen, phases
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.solve.team import Team
from swesearch.solve.variants import Variants
from swesearch.steer import Mailbox
from swesearch.value.hybrid import Hybrid
from swesearch.value.lint import Lint
from swesearch.value.parses import Parses
from swesearch.value.protect import protected
from swesearch.value.tests import Failing, Nearby


class Parts:
    """The parts of one search, each made when it is first asked for."""

    def __init__(
        self,
        run: Run,
        bench: Bench,
        record: Record,
        budget: Budget,
        model: Model | None,
        stop: threading.Event,
        mailbox: Mailbox | None = None,
    ) -> None:
        self.run, self.bench, self.record, self.budget, self.model, self.stop = run, bench, record, budget, model, stop
        self.mailbox = mailbox or Mailbox(run.folder)
        self.way = run.fork.path[1:] if run.fork else ()
        self.settings = run.settings
        self.locate = localiser(bench, run.task.issue, record)

    @cached_property
    def team(self) -> Team | None:
        """Those who ask the model, where there is one."""
        return Team.of(self.run, self.bench, self.record, self.model, self.locate) if self.model else None

    @cached_property
    def strategy(self) -> str:
        """How to search, `auto` settled."""
        most = attempts(self.settings.model, self.budget) if self.team else None
        return chosen(self.settings.search.strategy, most)

    @property
    def phases(self) -> tuple[Phase, ...]:
        """The rules of the search, one set after another."""
        return phases(self.strategy, self.settings.search, self.team is not None, len(self.way))

    @cached_property
    def evaluator(self) -> Hybrid:
        """How good a state is; what an earlier session found out is remembered."""
        weights, bench = self.settings.value, self.bench
        judge = [self.team.judge(weights.judge)] if self.team and weights.judge else []
        terms: tuple[Term, ...] = (
            Parses(bench.store, bench.root),
            Failing(bench.checks, weights.failing, hasty=self.team is None),
            Lint(bench.store, bench.root, weights.lint),
            Nearby(bench.checks, weights.nearby),
            *judge,
        )
        hybrid = Hybrid(terms)
        for attempt in self.way:
            hybrid.remember(attempt.state, attempt.evaluation)
        for state, evaluation in self.record.evaluations().items():
            hybrid.remember(state, evaluation)
        return hybrid

    @cached_property
    def hunt(self) -> Hunt:
        """The search."""
        settings, agents = self.settings, self.settings.agents
        return Hunt(
            self.bench, self._proposer(), self.evaluator, self.budget, self.record, self.run.patch, agents=self.team is not None,
            patience=agents.patience if self.team else settings.discriminator.patience, abandon=settings.search.abandon,
            consensus=self.strategy == "synthesis", workers=self._workers, stop=self.stop, mailbox=self.mailbox, way=self.way,
        )  # fmt: skip

    @property
    def _workers(self) -> int:
        """How many attempts at once. On a model's single path each builds on the one before."""
        single = self.team and self.strategy == "linear"
        return 1 if single else self.settings.search.workers or self.bench.sandbox.slots

    def _proposer(self) -> Proposer:
        bench, settings = self.bench, self.settings.search
        if self.team:
            return self.team.proposer(*_breadth(self.strategy, self.settings.agents), synthesise=self.strategy == "synthesis")
        templates = TemplateProposer(bench.store, self.locate, lambda path: bool(protected(path, bench.store.files(bench.root))))
        return Shuffled(templates, settings.seed) if self.strategy == "random" else templates

    @cached_property
    def discriminator(self) -> Discriminator:
        """Who ranks the finalists: evidence, then tests that the search did not see, then a debate among what is left open."""
        by_evidence = self.variants
        return self.team.referee(by_evidence, lambda each: self.behave(each.attempt.state)) if self.team else by_evidence

    @cached_property
    def behave(self) -> Behave:
        """What a state shows on changed inputs."""
        return behaviour_on(self.bench)

    @cached_property
    def variants(self) -> Variants:
        """Evidence, and tests written for the issue that were not searched with."""
        return Variants(selector(self.bench, self.behave), self.bench.variants, self.bench.sandbox)

    def evidence(self, ranking: Sequence[Candidate]) -> Evidence:
        """What speaks for the first of `ranking`."""
        found = gather(ranking, lambda each: self.behave(each.attempt.state))
        passed = self.variants.passed(ranking[0].attempt.state)
        return replace(found, reproduced=passed, variants=len(self.bench.variants))


def _breadth(strategy: str, settings: AgentSettings) -> tuple[int, int]:
    """Hypotheses at once, and rounds of thinking, for each state."""
    return (1 if strategy == "linear" else settings.hypotheses), settings.rounds
