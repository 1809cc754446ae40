"""Which candidate is right where no test says so: a sum of log-odds over what each was found to do.

    score(c) = sum_i w_i x_i(c)

The weights are stated, not fitted: each is about ln of how much oftener right patches show the sign than wrong ones. They are the same
for every repository; `benchmarks.swebench.selection` measures what they are worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log, log2

from swesearch.base import Candidate, Measurement, State, Verdict
from swesearch.code.issue import Mentions, mentions
from swesearch.code.touched import program, touched
from swesearch.discriminator import natural
from swesearch.discriminator.rules import broken_rules
from swesearch.store import Store

WEIGHTS: Mapping[str, float] = {
    "sound": 6.0,  # it parses, and ruff finds nothing fatal in it
    "acts": 4.0,  # a file that was there is another program now: notes and scripts beside the code mend nothing
    "agreement": 0.3,  # ln of the share of candidates that are the same program or do the same
    "regression": 1.0,  # tests near the change that pass no more, each doubling
    "changed": 1.0,  # the issue's example does something else now ...
    "mended": 1.0,  # ... and fails no more
    "hurt": 1.5,  # an example fails that did not
    "said": 1.0,  # an example says now what stands in the issue
    "patterns": 0.25,  # what patches look like that only hide a symptom
    "size": 0.05,  # tokens changed, each doubling
    "mentioned": 0.5,  # it changes what the issue names
    "tidy": 0.5,  # it leaves no new Python files behind
}
WHY: Mapping[str, str] = {
    "sound": "it is sound code",
    "acts": "it changes the program",
    "agreement": "more candidates agree with it",
    "regression": "it breaks fewer tests near the change",
    "changed": "the issue's example does something else with it",
    "mended": "the issue's example no longer fails with it",
    "hurt": "it breaks no example of the issue",
    "said": "the issue's example gives with it what the issue says",
    "patterns": "it looks less like a patch that hides a symptom",
    "size": "it changes less",
    "mentioned": "it changes what the issue speaks of",
    "tidy": "it leaves no new files behind",
}
Behaviour = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known about one candidate: its x_i, its program (new files left out), and what it does where that tells."""

    candidate: Candidate
    values: Mapping[str, float]
    code: object
    behaviour: Behaviour | None

    def score(self, weights: Mapping[str, float]) -> float:
        """The sum of log-odds."""
        return sum(weights[name] * value for name, value in self.values.items())


@dataclass
class Weigh:
    """Ranks candidates by `score`. Reads what their evaluations found out; runs nothing."""

    store: Store
    root: State
    issue: str = ""
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)

    def pick(self, candidates: Sequence[Candidate]) -> Verdict:
        """Rank candidates from best to worst."""
        found = sorted(self.signs(candidates), key=lambda each: -each.score(self.weights))
        ranking = tuple(replace(each.candidate, reasons=_reasons(each)) for each in found)
        return Verdict(ranking, self._why(found))

    def signs(self, candidates: Sequence[Candidate]) -> list[Signs]:
        """The signs of each candidate, in the order given."""
        said = mentions(self.issue)
        found = [self._look(candidate, said) for candidate in candidates]
        return [replace(each, values={**each.values, "agreement": log(_votes(each, found) / len(found))}) for each in found]

    def _look(self, candidate: Candidate, said: Mentions) -> Signs:
        texts = [(path, before or b"", after or b"") for path, before, after in self.store.texts(self.root, candidate.attempt.state)]
        code = [(path, before, after) for path, before, after in texts if path.endswith(".py")]
        acts = [(path, program(path, after)) for path, before, after in texts if before and program(path, before) != program(path, after)]
        rules = {rule for _, before, after in code if before for rule in broken_rules(before, after)}
        terms = {term.name: term for term in candidate.attempt.evaluation.terms}
        values = {
            "sound": -float(any(term.blocked for term in terms.values())),
            "acts": -float(not acts),
            "patterns": -sum(rule.penalty for rule in rules),
            "size": -log2(1 + sum(natural.size(before, after) for _, before, after in texts)),
            "mentioned": float(any(_mentioned(said, path, before, after) for path, before, after in code)),
            "tidy": -float(any(not before for _, before, _ in code)),
            **_ran(terms),
        }
        return Signs(
            candidate, values, frozenset((path, program(path, after)) for path, before, after in texts if before), _behaviour(terms)
        )

    def _why(self, found: Sequence[Signs]) -> str:
        if len(found) < 2:
            return "the only candidate" if found else ""
        first, second = ({name: self.weights[name] * value for name, value in each.values.items()} for each in found[:2])
        leads = sorted((second[name] - first[name], name) for name in first if first[name] > second[name])
        return "; ".join(WHY[name] for _, name in leads) or "equal to the next in every way; it was found first"


def _ran(terms: Mapping[str, Measurement]) -> dict[str, float]:
    """What running tests and examples showed; 0 where nothing did."""
    broken = _fact(terms, "regression", "count")
    shown = {name: float(_fact(terms, "examples", name) > 0) for name in ("changed", "mended", "hurt", "said")}
    return {"regression": -log2(1 + broken), **shown, "hurt": -shown["hurt"]}


def _fact(terms: Mapping[str, Measurement], term: str, name: str) -> float:
    found = terms.get(term)
    return float(found.facts.get(name, 0)) if found and found.known else 0.0


def _behaviour(terms: Mapping[str, Measurement]) -> Behaviour | None:
    """What a candidate does, as far as it differs from what the root does; None where nothing differs or nothing was run."""
    found = terms.get("examples")
    shown: Mapping[str, str] = found.facts.get("shown", {}) if found and found.known else {}
    before: Mapping[str, str] = found.facts.get("before", {}) if found and found.known else {}
    differs = frozenset((test, text) for test, text in shown.items() if before.get(test) != text)
    tests = terms.get("regression")
    broken = frozenset((test, "broken") for test in (tests.facts.get("broken", ()) if tests and tests.known else ()))
    return differs | broken if differs else None


def _votes(one: Signs, all_of_them: Sequence[Signs]) -> int:
    """How many candidates are the same code as this one, or do the same."""
    return sum(other.code == one.code or (one.behaviour is not None and other.behaviour == one.behaviour) for other in all_of_them)


def _mentioned(said: Mentions, path: str, before: bytes, after: bytes) -> bool:
    """Whether the issue names the file, or a function or class that changes in it."""
    if said.weight(path, "", 0) > 1:
        return True
    return bool(touched(before, after) & said.names)


def _reasons(each: Signs) -> tuple[str, ...]:
    said = {
        "regression": "breaks tests near the change",
        "hurt": "breaks an example of the issue",
        "sound": "is no sound code",
        "acts": "changes nothing that was there",
    }
    good = {"mended": WHY["mended"], "said": WHY["said"], "changed": WHY["changed"]}
    worse = [words for name, words in said.items() if each.values.get(name, 0.0) < 0]
    return (*worse, *(words for name, words in good.items() if each.values.get(name, 0.0) > 0))
