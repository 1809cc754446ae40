"""The story of a real run with a scripted model, and of journals that are cut short."""

import json

import pytest

from benchmarks.made_up import MadeUp
from swesearch.base import Event, JournalError
from swesearch.report.story import Story, story


@pytest.fixture(scope="module")
def told(run_with_a_model):
    """The events of a run with a model, and its story."""
    events = list(run_with_a_model.events())
    return events, story(events)


def lines(found, title):
    return next(section["lines"] for section in found["account"] if section["title"] == title)


def test_the_account_says_what_was_wrong_what_was_changed_and_why_it_is_believed(told):
    found = told[1]
    assert any(
        "`pytest -q tests/test_core.py` failed on the code as it was: 2 tests of 4." in line for line in lines(found, "What was wrong")
    )
    assert any("AssertionError: assert 9 == 5" in line for line in lines(found, "What was wrong"))
    assert "pkg/core.py: 1 line added, 1 line taken out." in lines(found, "What was changed")
    assert any("failed before and passes now" in line for line in lines(found, "Why it is believed to be right"))
    assert lines(found, "What else was tried")[0].startswith(
        "2 changes were tried: 1 made every test pass, 1 left the failing tests failing."
    )
    assert "claude-sonnet-5-5" in lines(found, "What it cost")[0]


def test_every_node_of_the_journal_is_in_the_story(told):
    events, found = told
    kept = [event.data for event in events if event.kind == "node"]
    assert [(n["id"], n["parent"], n["value"]) for n in found["nodes"]] == [(n["id"], n["parent"], n["value"]) for n in kept]
    assert [node["outcome"] for node in found["nodes"]] == ["root", "failing", "passes"]
    assert found["path"] == [0, 2]


def test_a_node_tells_its_change_its_tests_its_judge_and_its_messages(told):
    passing = told[1]["nodes"][2]
    assert "-    if value < high:" in passing["diff"]
    assert "+    if value > high:" in passing["diff"]
    assert passing["fixed"] == ["tests/test_core.py::test_clamp_high", "tests/test_core.py::test_clamp_inside"]
    assert set(passing["judge"]) >= {"reasons", "cause", "honest"}
    roles = [message["role"] for message in passing["messages"]]
    assert roles[0] == "executor"
    assert roles[-1] == "judge"
    assert [call["name"] for message in passing["messages"] for call in message["calls"]][:2] == ["replace", "check"]
    assert told[1]["nodes"][0]["messages"][0]["role"] == "planner"


def test_time_and_money_never_go_back(told):
    nodes = told[1]["nodes"][1:]
    assert [node["at"] for node in nodes] == sorted(node["at"] for node in nodes)
    assert 0 < nodes[0]["paid"] <= nodes[-1]["paid"] <= told[1]["cost"]["dollars"]


def test_a_story_is_json_wherever_its_journal_was_cut_off(told):
    events, whole = told
    following = Story()
    for event in events:
        json.dumps(following.head())
        following.see(event)
    assert following.to_dict() == whole


def test_a_story_that_is_followed_says_which_nodes_have_changed(told):
    following = Story()
    seen = []
    for event in told[0]:
        following.changed.clear()
        following.see(event)
        seen += sorted(following.changed)
    assert set(seen) == {0, 1, 2}
    assert seen.count(0) > 1  # the planner's answers belong to the node it was asked about


def test_diffs_come_from_the_store_where_there_is_one(told):
    asked = []

    def diff(a, b):
        asked.append((a, b))
        return f"{a[:4]}..{b[:4]}"

    nodes = story(told[0], diff)["nodes"]
    assert nodes[1]["diff"] == f"{nodes[0]['tree'][:4]}..{nodes[1]['tree'][:4]}"
    assert len(asked) == 2


def test_what_somebody_picked_is_what_is_told(tmp_path):
    made = list(MadeUp(tmp_path, 6).make().events())
    solution = next(event for event in made if event.kind == "solution")
    best = solution.data["solution"]["best"]
    other = {**best, "attempt": {"action": {"why": "the other way"}, "state": {"tree": "0" * 40}}, "reasons": ["shorter"]}
    two = Event("solution", {**solution.data, "solution": {**solution.data["solution"], "alternatives": [other]}})
    events = [two if event.kind == "solution" else event for event in made]

    assert [(each["letter"], each["chosen"]) for each in story(events)["finalists"]] == [("A", True), ("B", False)]
    found = story([*events, Event("picked", {"number": 1, "node": "0" * 40})])
    assert [(each["letter"], each["chosen"]) for each in found["finalists"]] == [("A", False), ("B", True)]
    assert "The other way." in lines(found, "What was changed")
    assert "Somebody picked it; the search had put another one first." in lines(found, "Why it is believed to be right")
    assert story([*events, Event("picked", {"number": 0, "node": best["attempt"]["state"]["tree"]})])["picked"] is False


def test_what_did_not_hold_is_told_and_is_not_the_way_to_the_best(tmp_path):
    made = [event for event in MadeUp(tmp_path, 6).make().events() if event.kind not in ("finalist", "solution", "stopped")]
    best = story(made)["path"][-1]
    tree = next(event.data["tree"] for event in made if event.kind == "node" and event.data["id"] == best)
    failed = Event("finalist", {"node": tree, "verified": False, "patch": "", "reasons": ["newly failing elsewhere: test_b"], "rank": 1})

    found = story([*made, failed, Event("phase", {"name": "search"}), Event("phase", {"name": "minimise"})])

    assert found["nodes"][best]["marks"] == ["did not hold when it was tried afresh"]
    assert found["path"][-1] != best
    assert any("did not hold when it was tried afresh; newly failing elsewhere" in line for line in lines(found, "What else was tried"))


def test_what_was_chosen_without_being_tried_is_the_end_of_the_path(tmp_path):
    made = [event for event in MadeUp(tmp_path, 6).make().events() if event.kind not in ("finalist", "stopped")]
    solution = next(event.data for event in made if event.kind == "solution")
    untried = {**solution["solution"], "best": {**solution["solution"]["best"], "verified": False}}

    found = story([*(each for each in made if each.kind != "solution"), Event("solution", {**solution, "solution": untried})])

    assert found["finalists"][0]["chosen"]
    assert found["path"][-1] == found["finalists"][0]["node"]


def test_orders_are_told_and_mark_their_nodes(tmp_path):
    made = list(MadeUp(tmp_path, 6).make().events())
    orders = [
        {"order": "pause", "effect": "paused"},
        {"order": "prune", "node": 2, "effect": "pruned: nothing more"},
        {"order": "hint", "node": 3, "text": "look", "effect": "heard"},
    ]
    found = story([*made, *(Event("steered", {"number": 1, "at": [1, 0], **order}) for order in orders)])
    assert [each["order"] for each in found["orders"]] == ["pause", "prune", "hint"]
    assert found["paused"]
    assert [node.get("marks") for node in found["nodes"][2:4]] == [["pruned"], ["hint: look"]]


def test_an_event_of_an_unknown_kind_says_nothing(told):
    assert story([*told[0], Event("never heard of", {})]) == told[1]


@pytest.mark.parametrize(
    "event", [Event("node", {}), Event("finalist", {"node": 3}), Event("begun", {"task": None}), Event("memory", {"key": "reply:x"})]
)
def test_an_event_that_no_search_wrote_is_one_clear_error(event):
    with pytest.raises(JournalError, match=f"an event '{event.kind}' that no search wrote"):
        story([event])


def test_a_run_that_found_nothing_says_why():
    stopped = [Event("stopped", {"why": "model", "error": "no key was given", "seconds": 0.0})]
    assert lines(story([*begun(), *stopped]), "What was changed") == ["Nothing: no key was given."]
    assert lines(story(begun()), "What was changed") == ["Nothing yet: the search is not at its end."]


def begun():
    task = {"issue": "", "repo": {"text": "/r"}, "checks": [{"command": ["pytest"]}]}
    return [Event("begun", {"task": task, "settings": {}, "time": 1.0, "version": "0"})]
