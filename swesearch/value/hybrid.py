"""The hybrid value: terms measured from cheap to dear, combined into one number.

    V(s) = G(s) * sum_i w_i * m_i(s) / sum_i w_i        over the terms i that were measured and found something out

where m_i(s) in [0, 1] is what term i says, w_i its weight, and G(s) is 0 as soon as a term blocks (a gate), else 1.
Terms behind a gate are not measured. A solved state is worth 1, so that no blend of partial scores can beat it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from swesearch.base import Attempt, Evaluation, Measurement, State, Term

GAINS = frozenset({"failing", "judge"})  # terms that are 0 on the root, where nothing is mended; all others are 1 there


class Hybrid:
    """Values states by a ladder of terms; asks each state only once."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = tuple(terms)
        self._cache: dict[State, Evaluation] = {}

    def evaluate(self, state: State, parent: Attempt | None) -> Evaluation:
        """Value `state`. Raises SandboxUnavailable where a term could not find out; nothing is cached then."""
        if state not in self._cache:
            begun = time.monotonic()
            found = self._climb(state, parent)
            self._cache[state] = replace(self._combine(found), seconds=time.monotonic() - begun)
        return self._cache[state]

    def start(self) -> Evaluation:
        """What a state is worth that gained nothing and lost nothing: what the root is, without measuring it."""
        gained = sum(term.weight for term in self._terms if term.name in GAINS)
        return Evaluation(1 - gained / sum(term.weight for term in self._terms))

    def remember(self, state: State, evaluation: Evaluation) -> None:
        """Put back an evaluation that an earlier session of the run paid for."""
        self._cache[state] = evaluation

    def __contains__(self, state: State) -> bool:
        return state in self._cache

    def _climb(self, state: State, parent: Attempt | None) -> tuple[Measurement, ...]:
        found = []
        for term in self._terms:
            found.append(term.measure(state, parent))
            if found[-1].blocked:
                break
        return tuple(found)

    def _combine(self, found: tuple[Measurement, ...]) -> Evaluation:
        feedback = "\n".join(m.feedback for m in found if m.feedback)
        if found[-1].blocked:
            return Evaluation(0.0, terms=found, feedback=feedback)
        solved = any(m.solved for m in found) and all(m.solved is not False for m in found)
        weights = {term.name: term.weight for term in self._terms}
        heard = [m for m in found if m.known]
        total = sum(weights[m.name] for m in heard) or 1.0
        value = 1.0 if solved else sum(weights[m.name] * m.score for m in heard) / total
        return Evaluation(value, solved, found, feedback)
