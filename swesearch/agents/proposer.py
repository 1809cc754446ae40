"""Planner and executor as a proposer: hypotheses are thought of at once, and acted on only when the search wants them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from swesearch.agents.hypothesis import Hypothesis
from swesearch.agents.planner import Planner
from swesearch.agents.structured import NoAnswer
from swesearch.base import Action, Attempt, Plan

CarryOut = Callable[[Sequence[Attempt], Hypothesis], Action]
PLAIN = Hypothesis(
    cause="Not known yet: the planner gave no answer.",
    files=(),
    approach="Find the cause from the issue, the failing tests and the code, and mend it.",
    falsifier="The failing tests still fail.",
    prior=0.5,
)


@dataclass(frozen=True, slots=True)
class Intended:
    """A hypothesis about one node that nobody has acted on yet."""

    hypothesis: Hypothesis
    path: tuple[Attempt, ...]
    executor: CarryOut

    @property
    def prior(self) -> float:
        """The hypothesis's."""
        return self.hypothesis.prior

    @property
    def why(self) -> str:
        """The hypothesis in one line."""
        return self.hypothesis.why

    def carry_out(self) -> Action:
        """The executor's edits, under the hypothesis's name. Raises what the executor raises: EditError, ModelUnavailable."""
        return replace(self.executor(self.path, self.hypothesis), why=self.why, prior=self.prior)


class AgentProposer:
    """Asks `planner` about a node up to `rounds` times; each hypothesis is carried out by `carry_out`, lazily.

    Where the planner gives no answer at first, the executor is sent without one: an agent that plans for itself is better than nothing.
    Later rounds end there. `say` is told either way.
    """

    def __init__(self, planner: Planner, carry_out: CarryOut, rounds: int = 3, say: Callable[[str], None] = lambda _: None) -> None:
        self.rounds = rounds
        self._planner = planner
        self._carry_out = carry_out
        self._say = say

    def propose(self, path: Sequence[Attempt], siblings: Sequence[Attempt] = (), others: Sequence[Attempt] = ()) -> Iterator[Plan]:
        """Yield plans for the last attempt of `path`, the likeliest first. Raises ModelUnavailable."""
        for hypothesis in self._think(path, siblings, others):
            yield Intended(hypothesis, tuple(path), self._carry_out)

    def _think(self, path: Sequence[Attempt], siblings: Sequence[Attempt], others: Sequence[Attempt]) -> list[Hypothesis]:
        try:
            return self._planner.plan(path, siblings, others)
        except NoAnswer as error:
            self._say(f"no new plans: {error}" if siblings else f"no plan, the executor goes on without one: {error}")
            return [] if siblings else [PLAIN]
