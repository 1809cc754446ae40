from __future__ import annotations

from math import log, sqrt
from random import Random

import pytest

from swesearch.engine.backup import blend, maximum, mean
from swesearch.engine.scores import Score, best_first, onward, puct, uct
from swesearch.engine.search import Search
from swesearch.engine.strategies import options
from swesearch.engine.tree import Child


def test_puct_is_the_published_formula() -> None:
    assert puct(1.5)(16, 0.25, 0.5, 3) == 0.25 + 1.5 * 0.5 * sqrt(16) / 4


def test_uct_is_the_published_formula_with_ones_added() -> None:
    assert uct(1.41)(16, 0.25, 0.5, 3) == pytest.approx(0.25 + 1.41 * sqrt(log(17) / 4))


def test_backups_are_what_their_names_say() -> None:
    assert (maximum(0.9, 1.0, 4), mean(0.9, 1.0, 4), blend(0.5)(0.9, 1.0, 4)) == (0.9, 0.25, pytest.approx(0.575))


def test_onward_follows_the_best_child_wherever_it_leads_on_and_else_tries_the_next_action() -> None:
    search: Search = Search("root", "root", 0.5, score=onward())

    def tell(name: str, value: float, **more: bool) -> str:
        lease = search.ask()
        assert lease is not None
        search.tell(lease, Child(name, name, value, 0.5, **more), 0.5)
        return str(lease.item)

    assert tell("given up", 0.0, closed=True) == "root"
    assert tell("bad", 0.1) == "root"
    assert tell("worse", 0.0) == "bad"
    assert tell("end", 0.0, closed=True) == "worse"
    assert tell("on", 0.9) == "worse"


def order(score: Score, prior, depth: int, branching: int) -> list[tuple[int, ...]]:
    """In which order a search over flat rewards tries a full tree, whose nth action at a node has the prior `prior(node, n)`."""
    search: Search = Search((), (), 0.0, score=score, open=prior((), 0), max_depth=depth, max_branching=branching)
    tried = []
    while (lease := search.ask()) is not None:
        item = (*lease.item, lease.nth)
        tried.append(item)
        search.tell(lease, Child(item, item, 0.0, lease.prior, open=prior(item, 0)), prior(lease.item, lease.nth + 1))
    return tried


def product(prior, item: tuple[int, ...]) -> float:
    value = 1.0
    for depth, nth in enumerate(item):
        value *= prior(item[:depth], nth)
    return value


@pytest.mark.parametrize("seed", range(20))
def test_best_first_tries_every_action_of_the_tree_in_order_of_the_product_of_priors(seed: int) -> None:
    drawn = {}

    def prior(node: tuple[int, ...], nth: int) -> float:
        return drawn.setdefault((node, nth), Random(str((seed, node))).random() * 0.9 ** (nth + 1))

    tried = order(best_first(), prior, depth=3, branching=4)
    assert len(tried) == 4 + 16 + 64
    assert tried == sorted(tried, key=lambda item: -product(prior, item))


def test_puct_is_best_first_where_rewards_are_flat_and_priors_sharp() -> None:
    def sharp(node: tuple[int, ...], nth: int) -> float:
        return 50.0 ** -(nth * 4 ** (2 - len(node)) + 0.01)  # no two products closer than the 39 visits

    tried = order(puct(), sharp, depth=3, branching=3)
    assert len(tried) == 39
    assert tried == order(best_first(), sharp, depth=3, branching=3)


@pytest.mark.parametrize("seed", range(10))
def test_puct_is_best_first_among_single_edits_where_rewards_are_flat_whatever_the_priors(seed: int) -> None:
    priors = sorted((Random(seed).random() for _ in range(101)), reverse=True)
    tried = order(puct(), lambda node, nth: priors[nth], depth=1, branching=100)
    assert tried == [(nth,) for nth in range(100)]


def test_with_equal_priors_puct_spreads_its_visits_evenly() -> None:
    search: Search = Search(0, 0, 0.0, **options("mcts", max_branching=4))
    for key in range(1, 400):
        lease = search.ask()
        search.tell(lease, Child(key, key, 0.0), 1.0)
    assert max(edge.visits for edge in search.root.edges) - min(edge.visits for edge in search.root.edges) <= 4


@pytest.mark.parametrize(("strategy", "found"), [("mcts", True), ("mcts_mean", True), ("best_first", False)])
def test_reward_finds_the_repair_of_two_unlikely_edits_that_priors_alone_miss(strategy: str, found: bool) -> None:
    """The right first edit is the 40th of 60 and half the way; so is the second."""
    search: Search = Search((), (), 0.0, **options(strategy, max_depth=2))
    for _ in range(200):
        lease = search.ask()
        item = (*lease.item, lease.nth)
        value = {(40,): 0.5, (40, 40): 1.0}.get(item, 0.0)
        search.tell(
            lease, Child(item, item, value, lease.prior, solved=value == 1, open=1 / 60), 1 / (60 + lease.nth) if lease.nth < 60 else None
        )
        if search.solved:
            break
    assert bool(search.solved) is found
