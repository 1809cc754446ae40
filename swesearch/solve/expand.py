"""One expansion: the next action of a node, carried out and valued."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext

from swesearch.base import Action, Attempt, EditError, Evaluation, Evaluator, Plan, Proposer, State
from swesearch.engine.loop import Outcome
from swesearch.engine.tree import Child, Lease
from swesearch.solve.frontier import Frontier
from swesearch.store import Store

TRUST = 0.3  # the chance that an edit belongs to the fix, for each point of value that it gained


class Expander:
    """Turns a lease into a child. Safe to call from several threads, for different leases.

    A state is expanded again only if it is worth more than the state it came from: where no progress was made,
    further edits on top only multiply the candidates (max backup takes care of those that did make some).
    With `patient`, every state that parses is: a model reads how it failed, and may do better.
    """

    def __init__(
        self,
        store: Store,
        proposer: Proposer,
        evaluator: Evaluator,
        forbidden: Callable[[str], str],
        others: Callable[[int], Sequence[Attempt]] = lambda _: (),
        patient: bool = False,
        about: Callable[[State, str], AbstractContextManager[object]] = lambda _state, _why: nullcontext(),
    ) -> None:
        """`forbidden`: why a path may not be changed. `others`: the first so many attempts of the whole search. `about`: told what for."""
        self._store = store
        self._proposer = proposer
        self._evaluator = evaluator
        self._forbidden = forbidden
        self._others = others
        self._patient = patient
        self._about = about
        self._frontiers: dict[int, Frontier] = {}
        self._lock = threading.Lock()

    def __call__(self, lease: Lease[Attempt]) -> Outcome[Attempt]:
        """Carry out the lease's plan. Raises SandboxUnavailable where its worth could not be found out, and what the proposer raises."""
        with self._about(lease.item.state, ""):
            plan, following = self._frontier(lease).take(lease)
        if plan is None:
            return Outcome(None, None)
        with self._about(lease.item.state, plan.why):
            return Outcome(self._child(lease.item, plan), following)

    def renew(self, index: int, nth: int) -> None:
        """Let the proposer think anew about a node: its plans from number `nth` on come of that."""
        with self._lock:
            if frontier := self._frontiers.get(index):
                frontier.renew(nth)

    def _frontier(self, lease: Lease[Attempt]) -> Frontier:
        with self._lock:
            if lease.node.index not in self._frontiers:
                self._frontiers[lease.node.index] = Frontier(self._think, self._proposer.rounds)
            return self._frontiers[lease.node.index]

    def _think(self, lease: Lease[Attempt]) -> Iterable[Plan]:
        return self._proposer.propose(lease.path, lease.siblings, self._others(lease.known))

    def _child(self, parent: Attempt, plan: Plan) -> Child[Attempt]:
        action = Action((), plan.why, plan.prior)  # until it is carried out
        try:
            action = plan.carry_out()
            state = self._apply(parent.state, action)
        except EditError as error:
            refused = Attempt(action, parent.state, Evaluation(0.0, feedback=str(error)))
            return Child(refused, object(), 0.0, action.prior, closed=True)
        evaluation = self._evaluator.evaluate(state, parent)
        gained = evaluation.value - parent.evaluation.value
        prior = max(action.prior, TRUST * gained)  # what it did speaks louder than what was thought of it
        child = Attempt(action, state, evaluation)
        hopeless = any(term.blocked for term in evaluation.terms[:1]) if self._patient else gained <= 0
        closed = hopeless and not evaluation.solved
        return Child(child, state, evaluation.value, prior, solved=evaluation.solved, closed=closed, open=self._first)

    @property
    def _first(self) -> float:
        """The prior of the very first plan: what is expected of the first one elsewhere."""
        return next(iter(self._frontiers.values())).first

    def _apply(self, state: State, action: Action) -> State:
        for edit in action.edits:
            for path in {edit.path, getattr(edit, "to", edit.path)}:
                if reason := self._forbidden(path):
                    raise EditError(f"{path} may not be changed: {reason}")
        return self._store.apply(state, action.edits)
