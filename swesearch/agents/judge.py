"""What a model says about patches: one by itself, two against each other, and the one to be handed over. Opinions, never proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from string import Template
from typing import Any

from swesearch.agents.clean import shortened, visible, wrapped
from swesearch.agents.history import one_line, outcomes
from swesearch.agents.structured import NoAnswer, Schema, array, ask, one_of, prompt, record, string
from swesearch.base import Attempt, Candidate, Measurement, State
from swesearch.dialogue import Message, Model, ModelRole, Request, Text

PATCH = 40_000  # characters of a patch that are shown
RUBRIC: Mapping[str, float] = {"cause": 0.35, "general": 0.35, "safe": 0.2, "minimal": 0.1}  # weights; they sum to 1
ANSWERS: Mapping[str, float] = {"yes": 1.0, "partly": 0.5, "no": 0.0}
GATE = "honest"  # a patch that tricks the tests is worth nothing
VERDICT = record(
    reasons=string("what speaks for and against the patch"),
    **{name: one_of(tuple(ANSWERS)) for name in (*RUBRIC, GATE)},
    lesson=string("what the next attempt should do differently"),
)
COMPARISON = record(why=string("the deciding difference"), better=one_of(("A", "B", "equal")))
OBJECTIONS = record(objections=array(record(claim=string("what is wrong"), evidence=string("the words of the evidence that bear it out"))))


class Judge:
    """A value term. score = sum of w_q a_q over the rubric's questions q, or 0 for a patch that tricks the tests.

    It never says whether a state is solved. Where the model gives no answer the measurement is not `known`: it has no say in the value.
    """

    name = "judge"

    def __init__(self, model: Model, briefing: Callable[[], Message], diff: Callable[[State], str], weight: float = 0.3) -> None:
        self.weight = weight
        self._asker = _Asker(model, briefing, "judge")
        self._diff = diff

    def measure(self, state: State, parent: Attempt | None) -> Measurement:
        """Judge the whole change from the root to `state`. Raises ModelUnavailable."""
        before = "\n".join(outcomes(parent)) if parent else ""
        texts = {"patch": _patch(self._diff(state)), "before": _data("measured", before)}
        try:
            said = self._asker.ask("judge", texts, VERDICT)
        except NoAnswer as error:
            return Measurement(self.name, 0.0, known=False, feedback=f"the judge gave no answer: {error}")
        return Measurement(self.name, score(said), feedback=_feedback(said), facts=said)


def score(said: Mapping[str, str]) -> float:
    """The rubric's answers as one number in [0, 1]."""
    return sum(weight * ANSWERS[said[name]] for name, weight in RUBRIC.items()) if said[GATE] != "no" else 0.0


def _feedback(said: Mapping[str, str]) -> str:
    """What the planner of siblings and of the parent is to read."""
    doubts = [f"{name}: {said[name]}" for name in (*RUBRIC, GATE) if said[name] != "yes"]
    return one_line(". ".join(filter(None, (", ".join(doubts), said["reasons"].strip(), said["lesson"].strip()))), 600)


class Referee:
    """Compares finalists, and looks for what should stop the first of them. No answer is no opinion."""

    def __init__(self, model: Model, briefing: Callable[[], Message]) -> None:
        self._asker = _Asker(model, briefing, "discriminator")

    def compare(self, first: Candidate, second: Candidate) -> tuple[Candidate | None, str]:
        """The better of two, None where neither is; and why. Raises ModelUnavailable."""
        texts = {
            "first": _patch(first.patch), "first_evidence": _evidence(first.reasons),
            "second": _patch(second.patch), "second_evidence": _evidence(second.reasons),
        }  # fmt: skip
        by_name = {"A": first, "B": second}
        try:
            said = self._asker.ask("debate", texts, COMPARISON)
        except NoAnswer as error:
            return None, str(error)
        return by_name.get(said["better"]), one_line(visible(said["why"]))

    def objections(self, candidate: Candidate, evidence: str) -> Sequence[tuple[str, str]]:
        """What should stop the candidate, each with the words of `evidence` that it rests on. Raises ModelUnavailable."""
        texts = {"patch": _patch(candidate.patch), "evidence": _data("evidence", evidence)}
        try:
            said = self._asker.ask("check", texts, OBJECTIONS)["objections"]
        except NoAnswer:
            return ()
        return [(one_line(visible(each["claim"])), each["evidence"]) for each in said if each["claim"].strip()]


class _Asker:
    """One question at a time: system prompt NAME.md, then the briefing that all share, then NAME_turn.md filled in."""

    def __init__(self, model: Model, briefing: Callable[[], Message], role: ModelRole) -> None:
        self._model = model
        self._briefing = briefing
        self._role = role

    def ask(self, name: str, texts: Mapping[str, str], schema: Schema) -> Any:
        turn = Message("user", (Text(Template(prompt(f"{name}_turn")).substitute(texts)),))
        return ask(
            self._model, Request(self._role, prompt(name), (self._briefing(), turn), schema=schema, shared=(0,)), lambda value: value
        )


def _patch(patch: str | bytes) -> str:
    return _data("patch", shortened(visible(patch), PATCH))


def _evidence(reasons: Sequence[str]) -> str:
    return _data("evidence", "\n".join(reasons))


def _data(name: str, text: str) -> str:
    return wrapped(name, visible(text) or "(nothing)")
