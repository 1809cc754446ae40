"""The random baseline."""

from swesearch.agents.shuffled import Shuffled
from swesearch.base import Action, Attempt, Evaluation, State

PATH = [Attempt(None, State("a" * 40), Evaluation(0.0))]


class Counts:
    """Proposes twenty actions, the first the likeliest."""

    def propose(self, path, siblings=(), others=()):
        return (Action((), str(number), 1 / (number + 1)) for number in range(20))


def order(seed):
    return [action.why for action in Shuffled(Counts(), seed).propose(PATH, [])]


def test_every_action_comes_once_in_an_order_that_only_the_seed_decides():
    assert sorted(order(1)) == sorted(map(str, range(20)))
    assert order(1) == order(1)
    assert order(1) != order(2)


def test_no_action_is_likelier_than_another():
    assert {action.prior for action in Shuffled(Counts(), 1).propose(PATH, [])} == {1 / 20}
