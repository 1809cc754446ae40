"""Any proposer's actions in random order: the baseline that a proposer's priors must beat."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from random import Random

from swesearch.base import Action, Attempt, Proposer

MOST = 10_000  # actions of one state that are drawn from


class Shuffled:
    """Draws from the first actions of `proposer` with equal chances. The same seed and state give the same order."""

    rounds = 1

    def __init__(self, proposer: Proposer, seed: int) -> None:
        self._proposer = proposer
        self._seed = seed

    def propose(self, path: Sequence[Attempt], siblings: Sequence[Attempt] = (), others: Sequence[Attempt] = ()) -> Iterator[Action]:
        """Yield every action once, all with the same prior."""
        actions = [plan.carry_out() for plan in islice(self._proposer.propose(path, siblings, others), MOST)]
        Random(f"{self._seed} {path[-1].state.tree}").shuffle(actions)
        yield from (replace(action, prior=1 / len(actions)) for action in actions)
