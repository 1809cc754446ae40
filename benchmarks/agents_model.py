"""A noisy model: it knows the right patch of a bug, and is wrong as often as its profile says.

Every choice is drawn from a hash of the seed and of the conversation so far, never from the order of calls: the same question has the same
answer, in whatever search it is asked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from benchmarks.agents_bugs import TESTS, Bug, Spot
from benchmarks.agents_demo import DemoBug
from swesearch.dialogue import Text, ToolResult
from swesearch.testing import Answer, Turn, as_json

THOUGHTS = {"hypotheses": 2500, "honest": 800, "better": 800, "objections": 800}  # tokens of an answer, by a word of its schema
STEP = 1200  # tokens of one turn of an executor
SURE, UNSURE = 0.5, 0.2  # priors
NAMED = re.compile(r"Broken: (\w+)(?: and (\w+))?\.")  # how a hypothesis begins


@dataclass(frozen=True, slots=True)
class Profile:
    """How good a model is: chances, each drawn anew in each conversation."""

    right: float  # that a hypothesis of a planner names what is broken
    edit: float  # that the edit for a right hypothesis is right; else it is wrong, and parses
    repair: float  # that what failed is mended, by who sees how: the executor its own edit, the planner an earlier attempt
    judge: float  # that a judgement, a prior or the end of a wrong hypothesis is honest
    partial: float  # that a right hypothesis about two broken places names one of them only


PROFILES: Mapping[str, Profile] = {
    "strong": Profile(right=0.6, edit=0.8, repair=0.7, judge=0.9, partial=0.7),
    "middling": Profile(right=0.35, edit=0.6, repair=0.5, judge=0.75, partial=0.9),
    "weak": Profile(right=0.15, edit=0.4, repair=0.3, judge=0.6, partial=0.95),
}


@dataclass(frozen=True, slots=True)
class NoisyModel:
    """A brain of the fake provider."""

    bug: Bug | DemoBug
    profile: Profile
    seed: int
    looks: int = 0  # turns of an executor that only look, before it edits

    def __call__(self, turn: Turn) -> Answer:
        """Whatever role asks."""
        asked = _Asked(self, turn)
        fields = turn.schema["properties"] if turn.schema else {}
        kind = next((name for name in THOUGHTS if name in fields), "")
        roles = {"hypotheses": asked.plan, "honest": asked.judge, "better": asked.compare, "objections": asked.object}
        return replace(roles.get(kind, asked.work)(), output_tokens=THOUGHTS.get(kind, STEP))


class _Asked:
    """One turn of a conversation."""

    def __init__(self, model: NoisyModel, turn: Turn) -> None:
        self._places, self._broken, self._profile, self._looks = model.bug.places, model.bug.broken, model.profile, model.looks
        self._text = "".join(message.text for message in turn.messages)
        parts = [part for message in turn.messages for part in message.parts]
        self._heard = [part.text for part in parts if isinstance(part, ToolResult)]
        words = [part.text for part in parts if isinstance(part, Text | ToolResult)]
        self._name = hashlib.sha256("\0".join([str(model.seed), turn.system, *words]).encode()).hexdigest()

    def _draw(self, *what: object) -> float:
        """A number in [0, 1) that this conversation always has for this question."""
        return int.from_bytes(hashlib.sha256(repr((self._name, what)).encode()).digest()[:7]) / 2**56

    def _pick(self, among: Sequence[Spot | str], *what: object) -> int:
        return int(self._draw("pick", *what) * len(among))

    # Planner

    def plan(self) -> Answer:
        """As many hypotheses as are asked for."""
        count = int(re.findall(r"Give (\d+) different", self._text)[-1])
        path, _, tried = self._text.rpartition("The code under repair has been changed")[2].partition("These were tried from here")
        tried = tried.partition("Checked facts")[0]
        last = path.rpartition("\n- ")[2]
        passing = "".join(line for line in last.splitlines() if line.endswith("pass now"))
        todo = [place for place in self._broken if f"test_{place.name}_1" not in passing] or list(self._broken)
        names = {name for found in NAMED.findall(last + tried) for name in found}
        failed = any(place.name in names for place in todo)
        return as_json({"hypotheses": [self._hypothesis(number, todo, failed and number == 0) for number in range(count)]})

    def _hypothesis(self, number: int, todo: Sequence[Spot], again: bool) -> dict[str, object]:
        """`again`: a right one was acted on in vain, and that can be seen."""
        sound = [place for place in self._places if place not in self._broken]
        chance = max(self._profile.right, self._profile.repair) if again else self._profile.right
        right = self._draw("right", number) < chance
        named = [todo[self._pick(todo, number)]] if right else [sound[self._pick(sound, number)]]
        if right and self._draw("partial", number) >= self._profile.partial:
            named = list(todo)
        honest = self._draw("prior", number) < self._profile.judge
        words = " ".join(self._name[place : place + 6] + str(number) for place in range(0, 42, 6))  # no two say it alike
        return {
            "cause": f"Broken: {' and '.join(place.name for place in named)}.",
            "files": list({place.path for place in named}),
            "approach": words,
            "falsifier": "the tests fail still",
            "prior": SURE if right == honest else UNSURE,
        }

    # Executor

    def work(self) -> Answer:
        """Look, edit and check, mend once what the check shows, finish."""
        named = [place for name in NAMED.findall(self._text)[-1] for place in self._places if place.name == name]
        if not self._heard:
            windows = dict.fromkeys((place.path, *place.window) for place in named)
            return Answer(calls=[("view", {"path": path, "start": start, "end": end}) for path, start, end in windows])
        if len(self._heard) <= self._looks:
            return Answer(calls=[("view", {"path": TESTS, "start": len(self._heard), "end": 0})])
        shown = "\n".join(self._heard)
        checks = sum(" tests pass, " in text for text in self._heard)
        if not checks:
            return self._begin(named, shown)
        if checks == 1 and " 0 fail" not in self._heard[-1]:
            return self._mend([place for place in named if place in self._broken], shown)
        return Answer(calls=[("finish", {"summary": "done"})])

    def _begin(self, named: Sequence[Spot], shown: str) -> Answer:
        todo = [place for place in named if place.standing(shown) != place.right]
        if not todo and self._draw("give up") < self._profile.judge:
            return Answer(calls=[("give_up", {"reason": "this code is right as it is"})])
        return _edited([(place, place.standing(shown), self._line(place, place.standing(shown))) for place in todo or named])

    def _line(self, place: Spot, now: str) -> str:
        """What the model writes there."""
        if place in self._broken and self._draw("edit", place.name) < self._profile.edit:
            return place.right
        wrong = [line for line in (*place.wrong, place.overfit) if line != now] or [place.right]
        return wrong[self._pick(wrong, place.name)]

    def _mend(self, todo: Sequence[Spot], shown: str) -> Answer:
        """Set right what was edited wrongly, with some luck. The last thing that was shown of a place counts."""
        now = {place: _latest(place, shown) for place in todo}
        wrong = [(place, line, place.right) for place, line in now.items() if line != place.right]
        if not wrong or self._draw("repair") >= self._profile.repair:
            return Answer(calls=[("finish", {"summary": "as far as I can see"})])
        return _edited(wrong)

    # Judge and referee

    def judge(self) -> Answer:
        """The rubric: as it is, or drawn."""
        good, bad = self._merits(self._text.rpartition("The patch, against")[2])
        honest = self._draw("judge") < self._profile.judge
        if not honest:
            good, bad = self._pick("012", "good"), self._pick("012", "bad")
        general = "yes" if good >= len(self._broken) and not bad else "partly" if good else "no"
        said = {"cause": "yes" if good else "no", "general": general, "safe": "no" if bad else "yes", "minimal": "yes", "honest": "yes"}
        return as_json({"reasons": "", "lesson": "", **said})

    def compare(self) -> Answer:
        """The better of two patches, or one of them."""
        first, _, second = self._text.rpartition("Patch A:")[2].partition("Patch B:")
        (one, bad), (other, worse) = self._merits(first), self._merits(second)
        gap = (one - bad) - (other - worse)
        better = "A" if gap > 0 else "B" if gap < 0 else "equal"
        return as_json({"why": "", "better": better if self._draw("judge") < self._profile.judge else "AB"[self._pick("AB")]})

    def object(self) -> Answer:
        """Nothing that evidence bears out."""
        return as_json({"objections": []})

    def _merits(self, patch: str) -> tuple[int, int]:
        """How many places a patch sets right, and how many it leaves or makes wrong."""
        added = [line[1:].strip() for line in patch.splitlines() if line.startswith("+")]
        good = sum(place.right in added for place in self._broken)
        return good, sum(line in added for place in self._places for line in place.lines if line != place.right)


def _latest(place: Spot, shown: str) -> str:
    """The line that was shown last."""
    return max(place.lines, key=lambda line: f"{shown}\n".rfind(f"{line}\n"))


def _edited(edits: Sequence[tuple[Spot, str, str]]) -> Answer:
    lines = [(place, " " * place.indent + old + "\n", " " * place.indent + new + "\n") for place, old, new in edits]
    calls = [("replace", {"path": place.path, "before": before, "after": after}) for place, before, after in lines]
    return Answer(calls=[*calls, ("check", {})])
