"""A debate decides what evidence leaves open, and no more."""

from __future__ import annotations

import json
import re

import pytest

from swesearch.agents.judge import Referee
from swesearch.base import Action, Attempt, Candidate, Evaluation, Measurement, ModelUnavailable, State, Verdict
from swesearch.dialogue import Message, Text
from swesearch.discriminator.debate import Debate, adverse
from swesearch.discriminator.select import Select
from swesearch.models.scripted import Scripted, say

FLAWS = {
    "a": "compares with a value that the failing test uses",
    "b": "returns a value that the failing test expects",
    "c": "catches an error and hides it",
    "d": "changes 25% of what the code did on changed inputs of passing tests",
}
BRIEFING = Message("user", (Text("The issue."),))


def candidate(name: str, *reasons: str, verified: bool = False, patch: str = "", feedback: str = "") -> Candidate:
    terms = (Measurement("lint", 0.75, feedback=feedback), Measurement("judge", 0.1, feedback="a judge finds it ugly"))
    attempt = Attempt(Action((), name), State(f"{ord(name):040x}"), Evaluation(1.0, True, terms))
    return Candidate(attempt, (patch or f"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+{name}\n").encode(), verified, reasons)


class InOrder:
    """Evidence that ranks candidates as they come."""

    def pick(self, candidates):
        return Verdict(tuple(candidates), "by evidence")


def names(verdict):
    return "".join(each.attempt.action.why for each in verdict.ranking)


class Opinions:
    """Answers as a model with opinions would: `better` gets the two names in the order shown, `objects` the name."""

    def __init__(self, better=lambda first, second: "equal", objects=lambda name: ()):
        self._better, self._objects = better, objects
        self.model = Scripted(self._answer)

    def _answer(self, request):
        text = request.messages[1].text
        shown = re.findall(r"^\+\s*([a-d])\s*$", text, re.MULTILINE)
        if "objections" in request.schema["properties"]:
            return say(json.dumps({"objections": [{"claim": c, "evidence": e} for c, e in self._objects(shown[0])]}))
        said = self._better(*shown)
        return said if not isinstance(said, str) else say(json.dumps({"why": "it handles None", "better": said}))

    @property
    def asked(self):
        return ["check" if "evidence:" in r.messages[1].text else "pair" for r in self.model.requests]

    def debate(self, **more):
        return Debate(InOrder(), Referee(self.model, lambda: BRIEFING), **more)


def prefers(*order):
    """A model that likes names in this order, wherever they are shown."""
    return lambda first, second: "A" if order.index(first) < order.index(second) else "B"


def test_a_winner_in_both_orders_goes_first_and_the_reasons_say_so():
    opinions = Opinions(prefers("c", "a", "b"))
    verdict = opinions.debate().pick([candidate("a", "changes 1 token"), candidate("b"), candidate("c")])
    assert names(verdict) == "cab"
    assert verdict.why == "first in a debate among 3 that the evidence left open"
    assert verdict.ranking[0].reasons == ("a model prefers it to another finalist, in both orders: it handles None",) * 2
    assert verdict.ranking[1].reasons[0] == "changes 1 token"
    assert opinions.asked == ["pair"] * 6 + ["check"]


def test_a_model_that_likes_what_is_shown_first_decides_nothing():
    verdict = Opinions(lambda first, second: "A").debate().pick([candidate("a"), candidate("b"), candidate("c")])
    assert names(verdict) == "abc"
    assert verdict.why == "by evidence"
    assert all(each.reasons == () for each in verdict.ranking)


@pytest.mark.parametrize("silent", ["equal", say("", stop="refusal"), say("I like A."), say("")])
def test_a_model_without_an_opinion_leaves_the_evidence_its_order(silent):
    assert names(Opinions(lambda first, second: silent).debate().pick([candidate("a"), candidate("b")])) == "ab"


def test_a_circle_of_wins_is_a_tie():
    beats = {("a", "b"), ("b", "c"), ("c", "a")}
    opinions = Opinions(lambda first, second: "A" if (first, second) in beats else "B")
    assert names(opinions.debate().pick([candidate("a"), candidate("b"), candidate("c")])) == "abc"


def test_only_the_first_few_play_and_the_rest_keeps_its_order():
    opinions = Opinions(prefers("d", "c", "b", "a"))
    verdict = opinions.debate(top=2).pick([candidate(name) for name in "abcd"])
    assert names(verdict) == "bacd"


def test_candidates_with_the_same_patch_or_behaviour_do_not_play_each_other():
    opinions = Opinions(prefers("c", "a", "b", "d"))
    same = candidate("b", patch=candidate("a").patch.decode().replace("@@ -1 +1 @@", "@@ -1 +1 @@ def f():").replace("+a", "+a  "))
    shown = {"a": {"t": "1"}, "b": {}, "c": {"t": "2"}, "d": {"t": "1"}}
    debate = opinions.debate(behave=lambda each: shown[each.attempt.action.why])
    assert names(debate.pick([candidate("a"), same, candidate("d"), candidate("c")])) == "cabd"
    assert opinions.asked.count("pair") == 2


def test_an_indentation_is_a_difference():
    other = candidate("b", patch=candidate("a").patch.decode().replace("+a", "+    a"))
    opinions = Opinions()
    opinions.debate().pick([candidate("a"), other])
    assert "pair" in opinions.asked


def test_what_nothing_is_known_about_is_not_called_alike():
    opinions = Opinions(prefers("b", "a"))
    assert names(opinions.debate(behave=lambda each: {}).pick([candidate("a"), candidate("b")])) == "ba"


def test_a_debate_cannot_put_an_unverified_candidate_first():
    opinions = Opinions(prefers("b", "a"))
    assert names(opinions.debate().pick([candidate("a", verified=True), candidate("b")])) == "ab"


@pytest.mark.parametrize(("calls", "pairs", "checks"), [(9, 6, 1), (7, 4, 1), (5, 2, 1), (3, 0, 1), (1, 0, 1), (0, 0, 0)])
def test_no_more_questions_are_asked_than_allowed(calls, pairs, checks):
    opinions = Opinions(prefers("c", "b", "a"))
    verdict = opinions.debate(calls=calls).pick([candidate("a"), candidate("b"), candidate("c")])
    assert [opinions.asked.count(kind) for kind in ("pair", "check")] == [pairs, checks]
    assert names(verdict) == ("cab" if calls == 9 else "abc")


def test_pairs_that_cannot_change_the_order_cost_nothing():
    opinions = Opinions(prefers("a", "b", "c"))
    opinions.debate().pick([candidate("a"), candidate("b"), candidate("c")])
    assert opinions.asked == ["pair"] * 4 + ["check"]


def test_who_does_not_beat_all_others_does_not_pass_the_first():
    beats = {("b", "a"), ("b", "c"), ("c", "a")}
    both = Opinions(lambda first, second: "equal" if {first, second} == {"b", "c"} else "A" if (first, second) in beats else "B")
    assert names(both.debate().pick([candidate("a"), candidate("b"), candidate("c")])) == "abc"


def test_the_self_check_never_goes_over_the_limit_either():
    opinions = Opinions(prefers("c", "b", "a"), lambda name: [("no", FLAWS[name])])
    opinions.debate().pick([candidate(name, FLAWS[name]) for name in "abc"])
    assert opinions.asked == ["pair"] * 6 + ["check"] * 3


# the self-check


def test_an_objection_that_evidence_bears_out_makes_the_next_finalist_the_winner():
    opinions = Opinions(objects=lambda name: [("It is made for the test.", "value that the failing test uses")] if name == "a" else [])
    verdict = opinions.debate().pick([candidate("a", FLAWS["a"]), candidate("b")])
    assert names(verdict) == "ba"
    assert (
        'objection, borne out by "compares with a value that the failing test uses": It is made for the test.' in verdict.ranking[1].reasons
    )


@pytest.mark.parametrize(
    "quote", ["", "test", "it deletes all files", "changes 1 token", "a judge finds it ugly", "passes 1 of 2 other tests"]
)
def test_an_objection_without_evidence_is_noted_and_stops_nothing(quote):
    opinions = Opinions(objects=lambda name: [("It is wrong.", quote)])
    verdict = opinions.debate().pick([candidate("a", "changes 1 token", FLAWS["a"], "passes 1 of 2 other tests"), candidate("b")])
    assert names(verdict) == "ab"
    assert "objection without evidence: It is wrong." in verdict.ranking[0].reasons


def test_what_the_next_finalist_shares_is_no_reason_to_prefer_it():
    reason = FLAWS["a"]
    opinions = Opinions(objects=lambda name: [("It is made for the test.", reason)])
    assert names(opinions.debate().pick([candidate("a", reason), candidate("b", reason)])) == "ab"


def test_measured_feedback_is_evidence():
    opinions = Opinions(objects=lambda name: [("A leftover.", "unused variable")] if name == "a" else [])
    assert names(opinions.debate().pick([candidate("a", feedback="F841 unused variable `x`"), candidate("b")])) == "ba"


def test_there_are_at_most_two_revisions_and_none_who_is_free_of_objections_leaves_the_order():
    def objects(name):
        return [("Bad.", FLAWS[name])]

    four = [candidate(name, FLAWS[name]) for name in "abcd"]
    assert names(Opinions(objects=objects).debate(top=4, calls=20).pick(four)) == "abcd"
    assert names(Opinions(objects=objects).debate().pick(four[:3])) == "abc"
    free = Opinions(objects=lambda name: objects(name) if name in "ab" else [])
    assert names(free.debate(top=4, calls=20).pick(four)) == "cabd"
    late = Opinions(objects=lambda name: objects(name) if name in "abc" else [])
    assert names(late.debate(top=4, calls=20).pick(four)) == "abcd"


def test_a_single_candidate_is_checked_but_stays():
    opinions = Opinions(objects=lambda name: [("Bad.", FLAWS["a"])])
    verdict = opinions.debate().pick([candidate("a", FLAWS["a"])])
    assert opinions.asked == ["check"]
    assert verdict.ranking[0].reasons[1].startswith("objection, borne out")


def test_nothing_to_debate_is_no_error():
    assert Opinions().debate().pick([]).ranking == ()


# when the model is lost


def broken(request):
    raise ModelUnavailable("no network")


def test_an_outage_is_raised_unless_it_is_spared():
    referee = Referee(Scripted(broken), lambda: BRIEFING)
    with pytest.raises(ModelUnavailable):
        Debate(InOrder(), referee).pick([candidate("a"), candidate("b")])
    verdict = Debate(InOrder(), referee, spared=(ModelUnavailable,)).pick([candidate("a"), candidate("b")])
    assert names(verdict) == "ab"
    assert verdict.ranking[0].reasons == ("the debate ended early: no network",)


def test_what_evidence_says_against_a_candidate_is_known_for_that_and_nothing_else_is(make_project):
    code = "def f(x):\n    return x > 1\n"
    project = make_project({"a.py": code})
    texts = (code.replace(">", ">="), code.replace("x > 1", "x >= 1 if x != 1234 else True"))
    candidates = [
        Candidate(Attempt(Action(()), state, Evaluation(1.0, True)), project.store.diff(project.root, state), True)
        for state in (project.state({"a.py": text}) for text in texts)
    ]
    kept = candidates[0].attempt.state

    def behave(state):
        return {"old__0_0": "1" if state in (kept, project.root) else "2"}

    ranked = Select(project.store, project.root, ["new"], frozenset({1234}), behave).pick(candidates).ranking
    assert [each.attempt.state == kept for each in ranked] == [True, False]
    assert ranked[0].reasons
    assert list(adverse(ranked[0])) == []
    found = set(adverse(ranked[1]))
    assert {FLAWS["a"], "changes 100% of what the code did on changed inputs of passing tests"} <= found
    assert not any("token" in line or "behave like it" in line or "where the first shows" in line for line in found)
