from __future__ import annotations

import io
from typing import Any

from swesearch.base import Event
from swesearch.report.terminal import console
from swesearch.report.tree import show_tree


def node(id: int, parent: int | None, value: float, **more: Any) -> Event:
    return Event("node", {"id": id, "parent": parent, "why": f"step {id}" if id else "", "value": value, "solved": value == 1.0, **more})


def shown(events: list[Event], most: int = 40) -> list[str]:
    out = io.StringIO()
    show_tree(console(out), events, most)
    return [row.rstrip() for row in out.getvalue().splitlines()]


def test_the_tree_is_shown_best_first_with_the_best_path_marked() -> None:
    events = [node(0, None, 0.2), node(1, 0, 0.3, closed=True), node(2, 0, 0.5), node(3, 2, 1.0), node(4, 2, 0.1, duplicate=True)]
    assert shown(events) == [
        "* 0.20  n0    the code as it is",
        "* 0.50  n2      step 2",
        "* 1.00  n3        step 3  [solved]",
        "  0.10  n4        step 4  [duplicate]",
        "  0.30  n1      step 1  [closed]",
    ]


def test_the_path_to_the_best_is_shown_whatever_the_limit() -> None:
    events = [node(0, None, 0.0), *(node(i, i - 1, 0.1) for i in range(1, 9)), node(9, 8, 1.0), *(node(i, 0, 0.05) for i in range(10, 30))]
    rows = shown(events, most=3)
    assert rows[-2] == "* 1.00  n9                      step 9  [solved]"
    assert rows[-1] == "and 20 more (--limit shows more)"


def test_a_deep_tree_is_no_problem() -> None:
    rows = shown([node(0, None, 0.0), *(node(i, i - 1, i / 2000) for i in range(1, 2000))], most=10)
    assert len(rows) == 2000
    assert max(len(row) for row in rows) < 100


def test_a_run_without_states_says_so() -> None:
    assert shown([Event("started", {})]) == ["no state was evaluated"]


def test_a_dead_end_says_why_it_is_one() -> None:
    events = [node(0, None, 0.2), node(1, 0, 0.0, closed=True, evaluation={"feedback": "it never called\na tool"})]
    assert shown(events)[1] == "  0.00  n1      step 1  [closed] it never called a tool"


def test_what_the_user_pruned_or_spoke_of_is_marked() -> None:
    events = [
        node(0, None, 0.2),
        node(1, 0, 0.1),
        Event("steered", {"order": "prune", "node": 1}),
        Event("steered", {"order": "hint", "node": 0}),
    ]
    assert shown(events) == ["* 0.20  n0    the code as it is  [with a hint]", "  0.10  n1      step 1  [pruned]"]


def test_what_passed_but_did_not_hold_comes_last() -> None:
    events = [
        node(0, None, 0.2, tree="a"),
        node(1, 0, 1.0, tree="b"),
        node(2, 0, 1.0, tree="c"),
        Event("finalist", {"node": "b", "verified": False}),
        Event("finalist", {"node": "c", "verified": True}),
    ]
    assert shown(events)[1:] == ["* 1.00  n2      step 2  [solved]", "  1.00  n1      step 1  [solved, did not hold]"]
