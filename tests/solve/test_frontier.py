"""The numbered stream of a node's actions."""

from swesearch.base import Action
from swesearch.solve.frontier import Frontier


def stream(*priors):
    return (Action((), prior=prior) for prior in priors)


def test_actions_are_numbered_in_the_order_they_come():
    frontier = Frontier(stream(0.5, 0.3))

    assert frontier.take(0) == (Action((), prior=0.5), 0.3)
    assert frontier.take(1) == (Action((), prior=0.3), None)
    assert frontier.take(2) == (None, None)


def test_workers_may_come_out_of_order():
    frontier = Frontier(stream(0.5, 0.3, 0.2))

    assert frontier.take(2)[0].prior == 0.2
    assert frontier.take(0)[0].prior == 0.5


def test_no_more_is_pulled_than_was_asked_for():
    pulled = []
    frontier = Frontier(pulled.append(n) or Action((), prior=0.1) for n in range(100))

    frontier.take(3)

    assert pulled == [0, 1, 2, 3, 4]
