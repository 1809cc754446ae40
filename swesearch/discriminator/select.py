"""Which candidate is first, and why, in plain words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import log

from swesearch.base import Candidate, State, Verdict
from swesearch.discriminator import natural
from swesearch.discriminator.cluster import agreement, apart, clusters
from swesearch.discriminator.mutate import original
from swesearch.discriminator.rules import Rule, broken_rules
from swesearch.store import Store

Behave = Callable[[State], Mapping[str, str]]  # what a state shows on changed inputs: see mutate.behaviour
LEAST = 1e-6  # priors and shares below this count as this


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each term counts; 0 leaves it out."""

    agreement: float = 2.0
    regression: float = 4.0
    patterns: float = 1.0
    prior: float = 0.5
    size: float = 0.05
    surprise: float = 0.05


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known about one candidate."""

    candidate: Candidate
    rules: tuple[Rule, ...]
    size: int
    surprise: float
    shown: Mapping[str, str] = field(default_factory=dict)
    alike: int = 1  # candidates that behave like this one, itself included
    share: float = 1.0  # the prior of those, as a share of the prior of all
    kept: float = 1.0  # the share of what the root shows on changed inputs of passing tests that is the same

    @property
    def prior(self) -> float:
        """How likely the proposer held it to be."""
        action = self.candidate.attempt.action
        return max(action.prior if action else 0.0, LEAST)


def terms(found: Findings, weights: Weights) -> dict[str, float]:
    """What speaks for a candidate, term by term; the score is their sum.

    agreement * ln(share) - regression * (1 - kept) - patterns * (sum of penalties) + prior * ln(prior)
    - size * (tokens changed) - surprise * (bits per new token)
    """
    return {
        "agreement": weights.agreement * log(max(found.share, LEAST)),
        "regression": weights.regression * (found.kept - 1),
        "patterns": -weights.patterns * sum(rule.penalty for rule in found.rules),
        "prior": weights.prior * log(found.prior),
        "size": -weights.size * found.size,
        "surprise": -weights.surprise * found.surprise,
    }


WHY = {
    "agreement": "more candidates agree with how it behaves on changed inputs",
    "regression": "it keeps more of what the code did on changed inputs of passing tests",
    "patterns": "it looks less like a patch that only pleases the tests",
    "prior": "its kind of edit at its place was held to be likelier",
    "size": "it changes less",
    "surprise": "it is written more like the code around it",
}


@dataclass
class Select:
    """Ranks candidates by `terms`. `failing` are the ids of the tests that fail on the root, `literals` the values in their sources.

    `behave` says what a state shows on changed inputs; it is asked about the root and the `most` best by the other terms, `abreast` of
    them at a time.
    """

    store: Store
    root: State
    failing: Collection[str] = ()
    literals: frozenset[object] = frozenset()
    behave: Behave | None = None
    weights: Weights = field(default_factory=Weights)
    most: int = 12
    abreast: int = 1

    def pick(self, candidates: Sequence[Candidate]) -> Verdict:
        """Rank candidates from best to worst; those that were verified come first. Raises what `behave` raises."""
        language = natural.Language(self._sources(candidates))
        found = self._sorted([self._look(candidate, language) for candidate in candidates])
        found = self._sorted(self._compare(found[: self.most])) + found[self.most :]
        return Verdict(tuple(replace(each.candidate, reasons=self._reasons(each, found)) for each in found), self._why(found))

    def score(self, found: Findings) -> float:
        """The sum of the terms."""
        return sum(terms(found, self.weights).values())

    def _sorted(self, found: list[Findings]) -> list[Findings]:
        return sorted(found, key=lambda each: (not each.candidate.verified, -self.score(each)))

    def _sources(self, candidates: Iterable[Candidate]) -> Iterable[bytes]:
        """The root's text of every file that some candidate changes."""
        known = {path: before for each in candidates for path, before, _ in self.store.texts(self.root, each.attempt.state) if before}
        return known.values()

    def _look(self, candidate: Candidate, language: natural.Language) -> Findings:
        """Everything that the text alone tells."""
        texts = [(path, before or b"", after or b"") for path, before, after in self.store.texts(self.root, candidate.attempt.state)]
        rules = [rule for path, *text in texts if path.endswith(".py") for rule in broken_rules(text[0], text[1], self.literals)]
        sizes = [natural.size(before, after) for _, before, after in texts]
        surprises = [language.surprise(before, after) for _, before, after in texts]
        return Findings(candidate, tuple(dict.fromkeys(rules)), sum(sizes), max(surprises, default=0.0))

    def _compare(self, found: list[Findings]) -> list[Findings]:
        """The findings with what running the candidates on changed inputs tells."""
        if self.behave is None or len(found) < 2:
            return found
        reference = self._reference
        with ThreadPoolExecutor(self.abreast) as pool:
            shown = dict(enumerate(pool.map(self.behave, (each.candidate.attempt.state for each in found))))
        weights = {place: each.prior for place, each in enumerate(found)}
        groups = {place: group for group in clusters(shown, weights) for place in group.members}
        return [
            replace(
                each,
                shown=shown[place],
                alike=len(groups[place].members),
                share=groups[place].share,
                kept=agreement(shown[place], reference),
            )
            for place, each in enumerate(found)
        ]

    @cached_property
    def _reference(self) -> Mapping[str, str]:
        """What the root shows on changed inputs of tests that it passes: right until shown otherwise."""
        shown = self.behave(self.root) if self.behave else {}
        return {test: seen for test, seen in shown.items() if original(test) not in self.failing}

    def _reasons(self, each: Findings, found: Sequence[Findings]) -> tuple[str, ...]:
        """What speaks for or against a candidate, and what tells it apart from the first."""
        said = [f"changes {each.size} token{'s' if each.size != 1 else ''}"]
        said += [rule.sentence for rule in each.rules]
        if each.shown:
            said.append(
                f"{each.alike} of {sum(bool(other.shown) for other in found)} candidates behave like it on {len(each.shown)} changed inputs"
            )
        if each.kept < 1:
            said.append(f"changes {1 - each.kept:.0%} of what the code did on changed inputs of passing tests")
        if each is not found[0] and (differ := apart(each.shown, found[0].shown)):
            said.append(f"shows [{differ[0]}] where the first shows [{differ[1]}]")
        return tuple(said)

    def _why(self, found: Sequence[Findings]) -> str:
        """Why the first is first, the weightiest reason first."""
        if len(found) < 2:
            return "the only candidate" if found else ""
        first, second = (terms(each, self.weights) for each in found[:2])
        leads = sorted((second[name] - first[name], name) for name in first if first[name] > second[name])
        if found[0].candidate.verified and not found[1].candidate.verified:
            return "the only one that was verified"
        return "; ".join(WHY[name] for _, name in leads) or "equal to the next in every way; it was found first"
