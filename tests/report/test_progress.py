"""What is said of a run while it goes on."""

from swesearch.base import Event
from swesearch.report.progress import Progress, told


def test_an_alert_says_what_was_spent_and_whether_it_still_buys_anything():
    data = {"share": 0.75, "best": 0.5, "spent": {"dollars": 0.75, "seconds": 61.0}, "since_gain": {"attempts": 7, "dollars": 0.5}}
    assert told(Event("alert", data)) == (
        "75% of the budget is used ($0.750, 61 s), best 0.50; the last 7 attempts ($0.500) gained nothing"
    )
    still = told(Event("alert", data | {"since_gain": {"attempts": 0, "dollars": 0.0}}))
    assert still.endswith("best 0.50")


def test_hidden_text_that_was_removed_is_told():
    data = {"tokens": 10, "left_out": [], "removed": {"issue": {"comments": 1, "invisible characters": 0}}}
    assert told(Event("briefed", data)) == "hidden text was removed: issue: 1 comments"


def test_orders_are_told_and_raise_the_limits_that_there_are() -> None:
    progress = Progress(most_evaluations=10)
    progress.see(Event("steered", {"order": "add", "more": {"evaluations": 5.0, "dollars": 1.0}, "effect": "5 evaluations more"}))
    progress.see(Event("steered", {"order": "pause", "effect": "paused"}))
    assert (progress.most_evaluations, progress.most_dollars, progress.phase) == (15, 0.0, "paused")
    assert told(Event("steered", {"order": "prune", "node": 7, "effect": "pruned"})) == "prune n7: pruned"
