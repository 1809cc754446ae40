"""Reproduction tests that the search did not see: candidates that pass more of them come first, and are believed more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sandbox.base import Sandbox
from swesearch.base import Candidate, Discriminator, State, Verdict
from swesearch.value.checks import CheckRun


@dataclass
class Variants:
    """A discriminator around another: more variants passed is better, what `inner` says decides among equals.

    A candidate and a test agree where it passes; a test that no candidate passes tells nothing (dual agreement, after CodeT, 2022).
    """

    inner: Discriminator
    checks: Sequence[CheckRun]
    sandbox: Sandbox
    _passed: dict[State, int] = field(default_factory=dict)

    def pick(self, candidates: Sequence[Candidate]) -> Verdict:
        """Rank candidates from best to worst. Raises SandboxUnavailable."""
        verdict = self.inner.pick(candidates)
        if not self.checks:
            return verdict
        ranking = sorted(verdict.ranking, key=lambda each: (not each.verified, -self.passed(each.attempt.state)))
        words = [f"passes {self.passed(each.attempt.state)} of {len(self.checks)} other tests written for the issue" for each in ranking]
        told = tuple(replace(each, reasons=(*each.reasons, said)) for each, said in zip(ranking, words, strict=True))
        kept = not ranking or ranking[0] is verdict.ranking[0]
        return Verdict(told, verdict.why if kept else "it passes more of the tests that were written for the issue")

    def passed(self, state: State) -> int:
        """How many of the variants pass on a state."""
        if state not in self._passed:
            self._passed[state] = sum(check.verify(state, self.sandbox).passed for check in self.checks)
        return self._passed[state]
