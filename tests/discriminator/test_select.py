from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from swesearch.base import Action, Attempt, Candidate, Evaluation, State
from swesearch.discriminator.cluster import agreement, apart, clusters
from swesearch.discriminator.rules import literals_of
from swesearch.discriminator.select import Select, Weights
from tests.discriminator.project import Project

CODE = """\
def total(items, limit):
    result = 0
    for item in items:
        if item > limit:
            result += item - limit
        else:
            result += item
    return result
"""
BEST = CODE.replace("item > limit", "item >= limit")


def candidate(project: Project, text: str, prior: float = 0.5, verified: bool = True) -> Candidate:
    state = project.state({"a.py": text})
    patch = project.store.diff(project.root, state)
    return Candidate(Attempt(Action((), "", prior), state, Evaluation(1.0, True)), patch, verified)


def states(candidates) -> list[State]:
    return [each.attempt.state for each in candidates]


def test_equal_behaviour_makes_a_cluster_weighed_by_prior() -> None:
    shown = {"a": {"t": "1"}, "b": {"t": "2"}, "c": {"t": "1"}, "d": {"t": "3"}}
    found = clusters(shown, {"a": 0.1, "b": 0.5, "c": 0.2, "d": 0.2})
    assert [cluster.members for cluster in found] == [("b",), ("a", "c"), ("d",)]
    assert [cluster.share for cluster in found] == pytest.approx([0.5, 0.3, 0.2])


def test_two_behaviours_are_told_apart_by_the_shortest_difference() -> None:
    assert apart({"a": "long words", "b": "x", "c": "1"}, {"a": "long other words", "b": "y", "c": "1"}) == ("x", "y")
    assert apart({"a": "1"}, {"a": "1", "b": "2"}) is None
    assert agreement({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == 0.5


def test_without_running_anything_the_smaller_and_harmless_edit_is_first(make_project) -> None:
    project = make_project({"a.py": CODE})
    early = candidate(project, CODE.replace("    result = 0", "    if not items:\n        return 0\n    result = 0"))
    special = candidate(project, CODE.replace("    result = 0", "    if limit == 1234:\n        items = []\n    result = 0"))
    best = candidate(project, BEST)
    verdict = Select(project.store, project.root, literals=literals_of(b"total([], 1234)")).pick([special, early, best])
    assert states(verdict.ranking) == states([best, early, special])
    assert verdict.why.startswith("it ")
    assert "only pleases the tests" in verdict.why
    assert verdict.ranking[0].reasons == ("changes 1 token",)
    assert "compares with a value that the failing test uses" in verdict.ranking[2].reasons


def test_behaviour_that_more_candidates_agree_on_wins_over_a_smaller_edit(make_project) -> None:
    project = make_project({"a.py": CODE})
    small = candidate(project, BEST)
    first = candidate(project, CODE.replace("result += item - limit", "result += item - limit + 1"))
    second = candidate(project, CODE.replace("result += item - limit", "result += 1 + item - limit"))

    def behave(state: State) -> Mapping[str, str]:
        return {"t__0_0": "total([9], 0) | gives 9" if state == small.attempt.state else "total([9], 0) | gives 10"}

    verdict = Select(project.store, project.root, behave=behave, failing=["t"]).pick([small, first, second])
    assert states(verdict.ranking)[2] == small.attempt.state
    assert "2 of 3 candidates behave like it on 1 changed inputs" in verdict.ranking[0].reasons
    assert "shows [total([9], 0) | gives 9] where the first shows [total([9], 0) | gives 10]" in verdict.ranking[2].reasons


def test_doing_what_the_code_did_where_its_tests_passed_speaks_for_a_candidate(make_project) -> None:
    project = make_project({"a.py": CODE})
    one, other = candidate(project, BEST), candidate(project, CODE.replace("item > limit", "item < limit"))

    def behave(state: State) -> Mapping[str, str]:
        return {"old__0_0": "9" if state == one.attempt.state else "3", "new__0_0": "1"}

    verdict = Select(project.store, project.root, behave=behave, failing=["new"]).pick([one, other])
    assert states(verdict.ranking) == states([other, one])
    assert "keeps more of what the code did" in verdict.why
    assert "changes 100% of what the code did on changed inputs of passing tests" in verdict.ranking[1].reasons


def test_a_verified_candidate_is_before_any_other(make_project) -> None:
    project = make_project({"a.py": CODE})
    best, other = candidate(project, BEST, verified=False), candidate(project, "def total(items, limit):\n    return 0\n", 0.001)
    verdict = Select(project.store, project.root).pick([best, other])
    assert states(verdict.ranking) == states([other, best])
    assert verdict.why == "the only one that was verified"


def test_only_the_most_promising_are_run(make_project) -> None:
    project = make_project({"a.py": CODE})
    candidates = [candidate(project, CODE.replace("item > limit", f"item > limit + {n}" + " * 1" * n)) for n in range(5, 0, -1)]
    asked = []

    def behave(state: State) -> Mapping[str, str]:
        asked.append(state)
        return {"t__0_0": "1"}

    verdict = Select(project.store, project.root, behave=behave, most=2).pick(candidates)
    assert asked == [project.root, *states(candidates[:2:-1])]
    assert states(verdict.ranking) == states(candidates[::-1])


def test_every_term_can_be_weighed_away(make_project) -> None:
    project = make_project({"a.py": CODE})
    candidates = [candidate(project, BEST.replace("result += item\n", "pass\n"), 0.1), candidate(project, BEST, 0.9)]
    verdict = Select(project.store, project.root, weights=Weights(0, 0, 0, 0, 0, 0)).pick(candidates)
    assert states(verdict.ranking) == states(candidates)
    assert verdict.why == "equal to the next in every way; it was found first"


def test_new_deleted_and_binary_files_can_be_ranked(make_project) -> None:
    project = make_project({"a.py": CODE, "gone.py": "x = 1\n"})
    state = project.state({"gone.py": None, "new.py": "y = 1\n", "data.bin": "\0\1"})
    odd = replace(candidate(project, BEST), attempt=Attempt(Action(()), state, Evaluation(1.0, True)))
    assert len(Select(project.store, project.root).pick([odd, candidate(project, BEST)]).ranking) == 2


def test_nothing_to_rank_is_no_error(make_project) -> None:
    project = make_project({"a.py": CODE})
    assert Select(project.store, project.root).pick([]).ranking == ()
    assert Select(project.store, project.root).pick([candidate(project, BEST)]).why == "the only candidate"
