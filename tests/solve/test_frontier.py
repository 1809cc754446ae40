"""The numbered stream of a node's plans."""

from swesearch.base import Action, Delete
from swesearch.engine.tree import Child, Lease, Node
from swesearch.solve.frontier import FADING, Frontier


def stream(*priors):
    return [Action((), prior=prior) for prior in priors]


def lease(nth, seen=0):
    return Lease(Node(0, Child("root", "root", 0.0), 0), (), nth, 1.0, seen)


def frontier_of(*rounds):
    """One that begins these rounds, and what it was told before each."""
    told = []

    def think(lease):
        told.append(lease.seen)
        return stream(*rounds[len(told) - 1])

    return Frontier(think, len(rounds)), told


def test_plans_are_numbered_in_the_order_they_come():
    frontier, _ = frontier_of((0.5, 0.3))

    assert frontier.take(lease(0)) == (Action((), prior=0.5), 0.3)
    assert frontier.take(lease(1)) == (Action((), prior=0.3), None)
    assert frontier.take(lease(2)) == (None, None)


def test_workers_may_come_out_of_order():
    frontier, _ = frontier_of((0.5, 0.3, 0.2))

    assert frontier.take(lease(2))[0].prior == 0.2
    assert frontier.take(lease(0))[0].prior == 0.5


def test_no_more_is_pulled_than_was_asked_for():
    pulled = []
    frontier = Frontier(lambda _: (pulled.append(n) or Action((), prior=0.1) for n in range(100)), 1)

    frontier.take(lease(3))

    assert pulled == [0, 1, 2, 3, 4]


def test_a_second_round_begins_when_its_first_plan_is_wanted_and_hears_what_became_of_the_first():
    frontier, told = frontier_of((0.5, 0.4), (0.2,), (0.1,))

    frontier.take(lease(0))
    assert frontier.take(lease(1, 1)) == (Action((), prior=0.4), 0.4 * FADING)
    assert told == [0]
    assert frontier.take(lease(2, 2)) == (Action((), prior=0.2), 0.2 * FADING)
    assert told == [0, 2]
    assert frontier.take(lease(3, 3)) == (Action((), prior=0.1), None)


def test_after_an_empty_round_there_is_no_other():
    frontier, told = frontier_of((0.5,), (), (0.9,))

    frontier.take(lease(0))

    assert frontier.take(lease(1)) == (None, None)
    assert frontier.take(lease(2)) == (None, None)
    assert len(told) == 2


def test_what_could_not_be_found_out_can_be_taken_again():
    frontier, _ = frontier_of((0.5, 0.4))

    assert frontier.take(lease(0)) == frontier.take(lease(0))


def test_a_renewed_frontier_keeps_what_was_promised_and_then_thinks_anew():
    frontier, told = frontier_of((0.9, 0.8, 0.7, 0.6))
    frontier.take(lease(0))

    frontier.renew(2)  # plan 1 is under way: somebody will come for it
    frontier._think = lambda lease: told.append(("anew", lease.seen)) or stream(0.3, 0.2)

    assert frontier.take(lease(2, 7))[0].prior == 0.3
    assert frontier.take(lease(1)) == (Action((), prior=0.8), 0.3)
    assert frontier.take(lease(3)) == (Action((), prior=0.2), None)
    assert told == [0, ("anew", 7)]


def test_the_plan_after_a_renewal_is_promised_whatever_the_old_round_had_left():
    frontier, _ = frontier_of((0.5,), ())
    frontier.renew(1)

    assert frontier.take(lease(0)) == (Action((), prior=0.5), 1.0)


def test_a_renewed_round_does_not_repeat_edits():
    edits = [Action((Delete(name),), prior=0.5) for name in "abc"]
    frontier = Frontier(lambda _: edits, 1)
    first = frontier.take(lease(0))[0]
    frontier.renew(1)

    assert [frontier.take(lease(number))[0] for number in range(1, 4)] == [*edits[1:], None]
    assert first == edits[0]
