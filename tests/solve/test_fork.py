"""A run that begins at a node of another one."""

import shutil

import pytest

from swesearch import runs, solve
from swesearch.base import UsageError
from swesearch.steer import LONGEST
from tests.solve.test_search import nodes, run


def partial(parent):
    """The number of a node below the root that is no dead end; of any where all are."""
    rows = [event.data for event in parent.events("node")]
    return next((row["id"] for row in rows if row["id"] and not row["closed"]), 1)


def test_a_fork_searches_below_its_node_only_and_knows_what_was_known(stopped):
    number = partial(stopped)
    way = [row for row in nodes(stopped) if row[0] in (0, number)]
    settings = stopped.settings.updated({"budget": {"evaluations": 3}}, "test")

    made = solve.fork(stopped, number, settings, "look at `high`")
    _, events = run(made)

    grown = nodes(made)
    assert [row[2:] for row in grown[:2]] == [row[2:] for row in way]
    assert {row[1] for row in grown[2:]} <= {1, *(row[0] for row in grown[2:])}
    assert len(grown) == 2 + 3
    assert (made.fork.run, made.fork.node, made.fork.path[-1].hints) == (stopped.id, number, ("look at `high`",))
    assert [event.kind for event in events].count("localised") <= 1  # of the node; the code as it was is known
    assert runs.open_run(made.folder.parent.parent, made.id) == made


def test_a_fork_of_a_solution_does_not_need_the_run_it_came_from_and_its_patch_is_for_the_code_as_it_was(finished, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(finished.folder, home / "runs" / finished.id)
    parent = runs.open_run(home, finished.id)
    solved = next(event.data["id"] for event in parent.events("node") if event.data["solved"])

    made = solve.fork(parent, solved, parent.settings.updated({"budget": {"evaluations": 1}}, "test"))
    shutil.rmtree(parent.folder)
    run(made)

    assert made.patch.read_bytes().startswith(b"diff --git a/pkg/core.py")


@pytest.mark.parametrize(("number", "hint", "words"), [(99_999, "", "has no node n99999"), (0, "x" * (LONGEST + 1), "at most")])
def test_what_cannot_be_forked_is_refused_and_leaves_nothing(stopped, number, hint, words):
    before = sorted(stopped.folder.parent.iterdir())

    with pytest.raises(UsageError, match=words):
        solve.fork(stopped, number, stopped.settings, hint)
    assert sorted(stopped.folder.parent.iterdir()) == before
