"""A run that begins at a node of another one."""

import shutil
import threading

import pytest

from swesearch import runs, solve
from swesearch.base import UsageError
from swesearch.steer import LONGEST
from tests.solve.test_search import nodes, run


def partial(finished):
    """The number of a node that is neither the root, nor a dead end, nor solved; else of any that was tried."""
    rows = [event.data for event in finished.events("node")]
    return next((row["id"] for row in rows if row["id"] and not row["closed"] and not row["solved"]), 1)


def test_a_fork_searches_below_its_node_only_and_knows_what_was_known(finished):
    number = partial(finished)
    way = [row for row in nodes(finished) if row[0] in (0, number)]
    settings = finished.settings.updated({"budget": {"evaluations": 3}}, "test")

    made = solve.fork(finished, number, settings, "look at `high`")
    _, events = run(made)

    grown = nodes(made)
    assert [row[2] for row in grown[:2]] == [row[2] for row in way]
    assert grown[1][3] == way[1][3]
    assert {row[1] for row in grown[2:]} <= {1, *(row[0] for row in grown[2:])}
    assert len(grown) == 2 + 3
    assert (made.fork.run, made.fork.node, made.fork.path[-1].hints) == (finished.id, number, ("look at `high`",))
    assert [event.kind for event in events].count("localised") <= 1  # of the node; the code as it was is known
    again = runs.open_run(made.folder.parent.parent, made.id)
    assert again == made
    assert run(again)[1][-1].kind == "stopped"
    assert nodes(made) == grown


def test_a_fork_does_not_need_the_run_it_came_from(finished, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(finished.folder, home / "runs" / finished.id)
    parent = runs.open_run(home, finished.id)
    made = solve.fork(parent, partial(parent), parent.settings.updated({"budget": {"evaluations": 2}}, "test"))
    shutil.rmtree(parent.folder)

    assert run(made)[1][-1].data["why"] in ("budget", "solved")


def test_a_fork_hands_over_a_patch_for_the_code_as_it_was(finished):
    solved = next(event.data for event in finished.events("node") if event.data["solved"])

    made = solve.fork(finished, solved["id"], finished.settings.updated({"budget": {"evaluations": 30}}, "test"))
    solution = solve.search(made, lambda _: None, threading.Event())

    assert made.patch.read_bytes().startswith(b"diff --git a/pkg/core.py")
    assert solution.best is None or solution.best.patch.startswith(b"diff --git a/pkg/core.py")


@pytest.mark.parametrize(("number", "hint", "words"), [(99_999, "", "has no node n99999"), (0, "x" * (LONGEST + 1), "at most")])
def test_what_cannot_be_forked_is_refused_and_leaves_nothing(finished, number, hint, words):
    before = sorted(finished.folder.parent.iterdir())

    with pytest.raises(UsageError, match=words):
        solve.fork(finished, number, finished.settings, hint)
    assert sorted(finished.folder.parent.iterdir()) == before
