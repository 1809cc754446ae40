"""The planner: one question for several different hypotheses.

Models no longer take a temperature, so that variety has to come from the prompt: what was tried, with its outcome, is shown and to be
departed from; each round has an angle of its own; what is nearly the same as something else is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from math import isfinite
from string import Template
from typing import Any

from swesearch.agents.clean import visible, wrapped
from swesearch.agents.experience import experience, weight
from swesearch.agents.history import advice, one_line, outcomes, paths, size
from swesearch.agents.hypothesis import Hypothesis
from swesearch.agents.structured import array, ask, prompt, record, string
from swesearch.base import Attempt
from swesearch.dialogue import Message, Model, Request, Text

LEAST = 0.01  # the smallest prior
ALIKE = 0.6  # share of common words from which two texts say the same
MOST_FILES = 10
NONE = "(nothing)"
SCHEMA = record(
    hypotheses=array(
        record(
            cause=string("what is wrong, in a sentence or two"),
            files=array({"type": "string"}, "paths that would have to change"),
            approach=string("what to change"),
            falsifier=string("what would be seen if this were wrong"),
            prior={"type": "number", "description": "chance that it is right, above 0, at most 1"},
        )
    )
)
Attempts = Sequence[Attempt]


class Planner:
    """Proposes at most `k` hypotheses at a time.

    `briefing` gives the first message, the same for every node, so that it is served from the provider's cache. With `synthesise`, a
    node is thought about again to put its attempts together rather than to depart from them.
    """

    def __init__(self, model: Model, briefing: Callable[[], Message], k: int = 3, synthesise: bool = False) -> None:
        self._model = model
        self._briefing = briefing
        self._k = k
        self._synthesise = synthesise

    def plan(self, path: Attempts, siblings: Attempts, others: Attempts = ()) -> list[Hypothesis]:
        """Hypotheses for the last attempt of `path`, the likeliest first, none like one of `siblings`; at least one. Raises NoAnswer.

        `others` are attempts of all branches: their checked facts are shown, and weigh the priors.
        """
        turn = Message("user", (Text(self._turn(path, siblings, others)),))
        request = Request("planner", prompt("planner"), (self._briefing(), turn), schema=SCHEMA, shared=(0,))
        found = ask(self._model, request, lambda value: _different(value, siblings))[: self._k]
        return blended(found, list({_key(attempt): attempt for attempt in (*path, *siblings, *others)}.values()))

    def _turn(self, path: Attempts, siblings: Attempts, others: Attempts) -> str:
        angles = prompt("planner_synthesis" if self._synthesise and siblings else "planner_angles").splitlines()
        round_ = len(path) - 1 + -(-len(siblings) // self._k)  # deeper nodes begin elsewhere
        shown = {*map(_key, path), *map(_key, siblings)}
        return Template(prompt("planner_turn")).substitute(
            path=_wrapped("changes", "\n".join(map(told, path[1:]))),
            siblings=_wrapped("tried", "\n".join(map(told, siblings))),
            facts=_wrapped("facts", experience([attempt for attempt in others if _key(attempt) not in shown])),
            angle=advice(path) + angles[round_ % len(angles)],
            k=self._k,
        )


def told(attempt: Attempt) -> str:
    """An attempt as a planner is to see it: what was meant, what was done, what came of it, what was said about it."""
    action, evaluation = attempt.action, attempt.evaluation
    lines = [f"- {action.why if action else 'the code as it is'}"]
    if changed := paths(action):
        lines.append(f"  changed {', '.join(changed)} ({size(action)} lines), worth {evaluation.value:.2f}")
    lines += [f"  {outcome}" for outcome in outcomes(attempt)]
    said = (
        [term.feedback for term in evaluation.terms if term.name == "judge" and term.known] if evaluation.terms else [evaluation.feedback]
    )
    return "\n".join([*lines, *(f"  {one_line(words)}" for words in said if words)])


def blended(hypotheses: Iterable[Hypothesis], attempts: Attempts) -> list[Hypothesis]:
    """The hypotheses with priors in (0, 1] that sum to 1 at most, weighed by the record of `attempts`, the likeliest first."""
    weighed = [replace(each, prior=min(1.0, max(LEAST, each.prior * weight(each, attempts)))) for each in hypotheses]
    total = max(1.0, sum(each.prior for each in weighed))
    return sorted((replace(each, prior=each.prior / total) for each in weighed), key=lambda each: -each.prior)


def _key(attempt: Attempt) -> tuple[str, str]:
    """What tells attempts apart: the code, and what was meant by it."""
    return attempt.state.tree, attempt.action.why if attempt.action else ""


def _wrapped(name: str, text: str) -> str:
    return wrapped(name, visible(text)) if text else NONE


def _different(value: Any, siblings: Attempts) -> list[Hypothesis]:
    """The hypotheses of an answer, those dropped that say what another says, or what was tried. Raises ValueError where none is left."""
    every = [found for each in value["hypotheses"] if (found := _hypothesis(each))]
    if not every:
        raise ValueError("there must be at least one hypothesis, with a cause and an approach")
    fresh = [each for each in every if not any(_tried(each, sibling) for sibling in siblings)]
    if not fresh:
        raise ValueError("every one of these was tried already: think of other causes, or of other ways to mend them")
    kept: list[Hypothesis] = []
    for each in fresh:
        if not any(_same(each, other) for other in kept):
            kept.append(each)
    return kept


def _hypothesis(value: Mapping[str, Any]) -> Hypothesis | None:
    """None where it does not say what is wrong and what to do."""
    cause, approach, falsifier = (value[name].strip() for name in ("cause", "approach", "falsifier"))
    files = tuple(dict.fromkeys(path.strip() for path in value["files"] if path.strip()))[:MOST_FILES]
    prior = float(value["prior"])
    prior = min(1.0, max(LEAST, prior)) if isfinite(prior) else LEAST
    return Hypothesis(cause, files, approach, falsifier, prior) if cause and approach else None


def _same(one: Hypothesis, other: Hypothesis) -> bool:
    return set(one.files) == set(other.files) and (_alike(one.approach, other.approach) or _alike(one.why, other.why))


def _tried(one: Hypothesis, sibling: Attempt) -> bool:
    """Whether an attempt acted on this hypothesis. One that was given up changed no files."""
    changed = set(paths(sibling.action))
    meant = sibling.action.why if sibling.action else ""
    return (not changed or not one.files or bool(changed & set(one.files))) and _alike(one.why, meant)


def _alike(one: str, other: str) -> bool:
    """Whether two texts share most of their words (Jaccard)."""
    ours, theirs = (set(re.findall(r"\w+", text.lower())) for text in (one, other))
    return bool(ours | theirs) and len(ours & theirs) / len(ours | theirs) >= ALIKE
