from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from swesearch.engine.search import Search
from swesearch.engine.snapshot import snapshot
from swesearch.engine.strategies import STRATEGIES, options
from swesearch.engine.tree import Child, Node
from tests.engine import books

PRIORS = st.floats(0.001, 1.0)
CHILDREN = st.builds(
    Child,
    item=st.just(None),
    key=st.integers(0, 12),  # few keys: transpositions, duplicates and edits undone abound
    value=st.sampled_from([0.0, 0.25, 0.5, 1.0]),
    prior=PRIORS,
    solved=st.booleans(),
    closed=st.booleans(),
    open=st.none() | PRIORS,
)
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "max_depth": st.integers(0, 4),
        "max_branching": st.integers(1, 4),
        "keep_closed": st.booleans(),
        "widening": st.just((1.0, 0.5)),
    },
)


def play(data: st.DataObject, strategy: str, limits: dict[str, Any], seed: int, moves: str = "aaatttr") -> Search[None]:
    """Ask, tell, release, prune and favour in whatever order hypothesis draws, checking the books after each call."""
    search: Search[None] = Search(None, 0, 0.5, **options(strategy, seed=seed, **limits))
    leases: list[Any] = []
    for what in data.draw(st.lists(st.sampled_from(moves), max_size=60)):
        if what in "pf":
            steer(search, what, data.draw(st.sampled_from(search.nodes)))
        elif what == "a" and len(leases) < 6:
            leases += filter(None, [search.ask()])
        elif what != "a" and leases:
            lease = leases.pop(data.draw(st.integers(0, len(leases) - 1)))
            if what == "r":
                search.release(lease)
            else:
                search.tell(
                    lease, data.draw(st.none() | CHILDREN), data.draw(st.none() | PRIORS), *data.draw(st.lists(CHILDREN, max_size=2))
                )
        books.check(search, leases)
    for lease in leases:
        search.release(lease)
    books.check(search, [])
    return search


def steer(search: Search[None], what: str, node: Node[None]) -> None:
    if what == "f":
        search.favour(node)
    elif node is not search.root:
        search.prune(node)


@given(st.data(), st.sampled_from(sorted(STRATEGIES)), LIMITS, st.integers(0, 9))
def test_the_books_balance_when_branches_are_pruned_and_favoured(
    data: st.DataObject, strategy: str, limits: dict[str, Any], seed: int
) -> None:
    search = play(data, strategy, limits, seed, "aaatttrpf")
    assert all(search.stands(node) for node in search.solved)
    while lease := search.ask():
        assert search.stands(lease.node)
        search.tell(lease, None, None)


@given(st.data(), st.sampled_from(sorted(STRATEGIES)), LIMITS, st.integers(0, 9))
@settings(max_examples=300)
def test_the_books_balance_whatever_the_order_of_ask_tell_and_release(
    data: st.DataObject, strategy: str, limits: dict[str, Any], seed: int
) -> None:
    search = play(data, strategy, limits, seed)
    arguments = options(strategy, seed=seed, **limits)
    for node in search.nodes:
        assert node.depth <= arguments.get("max_depth", node.depth)
        assert node.tried <= arguments.get("max_branching", node.tried)
        assert not (node.solved or node.closed) or not node.edges


@given(st.lists(CHILDREN, min_size=1, max_size=80), st.sampled_from(sorted(STRATEGIES)), LIMITS, st.integers(1, 4))
@settings(max_examples=200)
def test_every_search_over_finitely_many_actions_ends_and_hands_out_each_action_once(
    children: list[Child[None]], strategy: str, limits: dict[str, Any], width: int
) -> None:
    search: Search[None] = Search(None, 0, 0.5, **options(strategy, **limits))
    handed, todo = [], list(children)
    while not search.exhausted:
        leases = [lease for lease in (search.ask() for _ in range(width)) if lease is not None]
        assert leases
        for lease in leases:
            handed.append((lease.node.index, lease.nth))
            search.tell(lease, todo.pop() if todo else None, 0.5)
    assert len(handed) == len(set(handed)) <= len(children) + len(search.nodes) * width
    assert search.ask() is None


@given(st.data(), st.sampled_from(sorted(STRATEGIES)), LIMITS)
@settings(max_examples=50)
def test_the_same_calls_give_the_same_tree(data: st.DataObject, strategy: str, limits: dict[str, Any]) -> None:
    told = data.draw(st.lists(st.tuples(CHILDREN, PRIORS), max_size=40))

    def tree() -> list[dict[str, Any]]:
        search: Search[None] = Search(None, 0, 0.5, **options(strategy, seed=3, **limits))
        for child, prior in told:
            if (lease := search.ask()) is not None:
                search.tell(lease, child, prior)
        return snapshot(search)

    assert tree() == tree()


@given(st.lists(st.tuples(CHILDREN, PRIORS), max_size=60), st.sampled_from(["mcts", "mcts_mean", "best_first", "uct"]))
@settings(max_examples=100)
def test_keeping_dead_ends_as_nodes_does_not_change_the_search(told: list[tuple[Child[None], float]], strategy: str) -> None:
    def course(keep: bool) -> list[tuple[object, int]]:
        search: Search[None] = Search(None, 0, 0.5, **options(strategy, keep_closed=keep, max_branching=5))
        found = []
        for child, prior in told:
            if (lease := search.ask()) is not None:
                found.append((lease.node.key, lease.nth))
                search.tell(lease, child, prior)
        return found

    assert course(True) == course(False)
