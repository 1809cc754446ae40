"""Finalists are looked at side by side, and told in the order of their ranks."""

import sys
import threading
from contextlib import ExitStack

import pytest

from sandbox.base import Environment, Limits
from sandbox.local import LocalSandbox
from swesearch.base import Attempt, Check, Evaluation, Replace, Verdict
from swesearch.journal import Journal
from swesearch.solve.finalists import Finals
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.store import Store
from swesearch.value.checks import CheckRun
from tests.solve.project import FEE

BUG = "member and amount > 100"
RIGHT, ALSO_RIGHT = "member", "member is True"
BREAKS_OTHERS, BREAKS_THEM_TOO = "True", "amount <= 100"  # the tests in test_more.py


class AsGiven:
    """Ranks candidates in the order in which they come."""

    def pick(self, candidates):
        return Verdict(tuple(candidates), "as given")


class Meeting(LocalSandbox):
    """A sandbox whose first run waits for the first run of another one."""

    barrier: threading.Barrier
    met = False

    def run(self, files, command, limits):
        if not self.met:
            self.met = True
            self.barrier.wait()
        return super().run(files, command, limits)


@pytest.fixture
def finals(repo, tmp_path):
    """What comes of candidates, each a condition, on a bench with room for two; and what is told meanwhile."""
    with ExitStack() as ends:

        def go(conditions, most, fresh=LocalSandbox):
            store = Store.open(repo(FEE), tmp_path / "store")
            sandbox = LocalSandbox(Environment(python=sys.executable), slots=2)
            root, told = store.root(), []
            check = CheckRun(store, sandbox, root, Check(("pytest", "-q", "test_fee.py")), Limits(seconds=60))
            bench = Bench(store, root, sandbox, lambda: fresh(Environment(python=sys.executable), slots=1), (check,))
            journal = Journal.create(tmp_path / "journal.sqlite")
            ends.callback(bench.close)
            ends.callback(journal.close)
            states = {condition: store.apply(root, [Replace("fee.py", BUG.encode(), condition.encode())]) for condition in conditions}
            solved = [Attempt(None, state, Evaluation(1.0, solved=True)) for state in states.values()]
            found = Finals(bench, None, AsGiven(), Record(journal, told.append)).run(solved, most)
            names = {state.tree: condition for condition, state in states.items()}
            return found, [(names[e.data["node"]], e.data["verified"]) for e in told if e.kind == "finalist"]

        yield go


def test_as_many_as_there_is_room_for_are_looked_at_at_once_and_told_in_their_order(finals):
    Meeting.barrier = threading.Barrier(2, timeout=60)

    found, told = finals([RIGHT, ALSO_RIGHT], 2, fresh=Meeting)

    assert told == [(RIGHT, True), (ALSO_RIGHT, True)]
    assert [candidate.verified for candidate in found.ranking] == [True, True]
    assert found.why == "as given"


@pytest.mark.parametrize("most", [1, 2])
def test_who_leads_after_another_failed_has_to_hold_in_other_files_too(finals, most):
    """One by one, and where it was looked at beside the other."""
    found, told = finals([BREAKS_OTHERS, BREAKS_THEM_TOO, RIGHT], most)

    assert told == [(BREAKS_OTHERS, False), (BREAKS_THEM_TOO, False), (RIGHT, True)]
    assert [any("tests in other files is broken" in reason for reason in each.reasons) for each in found.ranking] == [True]


def test_who_was_looked_at_beside_a_leader_that_failed_leads(finals):
    found, told = finals([BREAKS_OTHERS, RIGHT, BREAKS_THEM_TOO], 2)

    assert told == [(BREAKS_OTHERS, False), (RIGHT, True), (BREAKS_THEM_TOO, True)]
    assert [any("tests in other files is broken" in reason for reason in each.reasons) for each in found.ranking] == [True, False]
