from __future__ import annotations

import sys

import pytest

from swesearch.engine.backup import blend, mean
from swesearch.engine.scores import best_first, puct
from swesearch.engine.search import Search
from swesearch.engine.snapshot import snapshot
from swesearch.engine.strategies import STRATEGIES, options
from swesearch.engine.tree import Child, Lease
from tests.engine import books, problem


def ask(search: Search) -> Lease:
    lease = search.ask()
    assert lease is not None
    return lease


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_every_strategy_that_branches_below_the_root_solves_the_small_problem(strategy: str) -> None:
    search = problem.search(**options(strategy) | ({"max_branching": 16} if strategy == "beam" else {}))
    while not search.solved and problem.step(search):
        pass
    assert bool(search.solved) is (strategy not in ("linear", "best_of_n"))
    books.check(search, [])


def test_a_state_met_again_is_one_node_with_two_parents() -> None:
    search = Search("root", "root", 0.0, max_branching=2, backup=mean)
    for key in "ab":
        search.tell(ask(search), Child(key, key, 0.1), 0.9)
    first, second = search.take([0, 1], 0), search.take([0, 2], 0)
    met, again = search.tell(first, Child("ab", "ab", 0.5), None), search.tell(second, Child("ab", "ab", 0.5), None)
    assert met == again
    assert len(search.nodes) == 4
    assert {edge.parent.item for edge in met[0].parents} == {"a", "b"}
    books.check(search, [])


def test_what_is_found_below_a_shared_state_is_seen_by_all_its_parents() -> None:
    search = Search("root", "root", 0.0, max_branching=2)
    for key in "ab":
        search.tell(ask(search), Child(key, key, 0.1), 0.9)
    for key in "ab":
        parent = next(node for node in search.nodes if node.key == key)
        search.tell(search.take([0, parent.index], 0), Child("ab", "ab", 0.2), None)
    search.tell(search.take([0, 1, 3], 0), Child("abc", "abc", 0.9), None)
    assert [node.best for node in search.nodes] == [0.9] * 5
    books.check(search, [])


def test_an_edit_undone_leads_nowhere_and_the_search_still_ends() -> None:
    search = Search("on", "on", 0.0)
    asked = 0
    while (lease := search.ask()) is not None:
        asked += 1
        other = "off" if lease.item == "on" else "on"
        search.tell(lease, Child(other, other, 0.0), 1.0 if lease.nth < 2 else None)
    assert search.exhausted
    assert asked == 6  # three actions of "on", three of "off"
    assert len(search.nodes) == 2


def test_a_proposer_that_repeats_itself_is_asked_no_more_than_the_branching_limit() -> None:
    search = Search("root", "root", 0.0, max_branching=5, max_depth=1)
    asked = 0
    while (lease := search.ask()) is not None:
        asked += 1
        search.tell(lease, Child("same", "same", 0.0), 1.0)
    assert (asked, len(search.nodes), search.root.rejected) == (5, 2, 4)


def test_a_dead_end_weighs_in_the_mean_but_never_in_the_maximum() -> None:
    search = Search("root", "root", 0.5)
    search.tell(ask(search), Child("bad", "bad", 0.9, closed=True), 0.5)
    assert (search.root.best, search.root.total, search.root.visits) == (0.5, 1.4, 2)
    assert len(search.nodes) == 1


def test_the_first_solution_is_remembered_and_not_expanded() -> None:
    search = Search("root", "root", 0.0, max_branching=1)
    [node] = search.tell(ask(search), Child("good", "good", 1.0, solved=True), None)
    assert search.solved == [node]
    assert search.exhausted


def test_a_released_action_is_handed_out_again_before_the_others() -> None:
    search = Search("root", "root", 0.0)
    first, second = ask(search), ask(search)
    assert (first.nth, second.nth) == (0, 1)
    search.release(first)
    assert ask(search).nth == 0
    search.release(second)
    assert ask(search).nth == 1


def test_a_released_action_is_handed_out_again_even_after_a_later_one_said_there_are_no_more() -> None:
    search = Search("root", "root", 0.0)
    first, second = ask(search), ask(search)
    search.tell(second, None, None)
    search.release(first)
    assert not search.exhausted
    again = ask(search)
    assert again.nth == 0
    search.tell(again, Child("late", "late", 0.0, open=None), 0.5)
    assert search.exhausted


def test_a_lease_is_told_only_once() -> None:
    search = Search("root", "root", 0.0)
    lease = ask(search)
    search.tell(lease, None, None)
    with pytest.raises(ValueError, match="not out"):
        search.tell(lease, None, None)
    with pytest.raises(ValueError, match="not out"):
        search.release(lease)


def test_parallel_asks_respect_the_branching_limit() -> None:
    search = Search("root", "root", 0.0, max_branching=3)
    assert [search.ask() is not None for _ in range(5)] == [True, True, True, False, False]
    assert not search.exhausted


def test_several_children_of_one_lease_are_taken_as_far_as_the_branching_limit() -> None:
    search = Search("root", "root", 0.0, max_branching=3)
    other, lease = ask(search), ask(search)
    told = search.tell(lease, Child("a", "a", 0.0), None, Child("b", "b", 0.0), Child("c", "c", 0.0))
    assert [node.item for node in told] == ["a", "b"]
    search.release(other)


def test_work_under_way_spreads_parallel_asks() -> None:
    search = Search("root", "root", 0.0, score=puct(2.0), max_branching=2)
    for key in "ab":
        search.tell(ask(search), Child(key, key, 0.5), 1.0)
    assert {ask(search).item, ask(search).item} == {"a", "b"}


def test_virtual_loss_lowers_the_mean_until_it_is_told() -> None:
    search = Search("root", "root", 0.0, backup=blend(0.0), max_branching=2)
    search.tell(ask(search), Child("a", "a", 1.0), 1.0)
    lease, other = search.take([0, 1], 0), search.take([0, 1], 1)
    assert search.root.edges[0].base == 0.5
    search.release(lease)
    search.release(other)
    assert search.root.edges[0].base == 1.0


def test_widening_visits_children_before_new_actions() -> None:
    narrow = Search("root", "root", 0.0, widening=(1.0, 0.5))
    for key in range(100):
        narrow.tell(ask(narrow), Child(key, key, 0.0), 1.0)
    assert narrow.root.tried == 10


def test_widening_never_leaves_the_only_action_unasked() -> None:
    search = Search("root", "root", 0.0, widening=(0.0, 0.0))
    assert ask(search).item == "root"


def test_beam_expands_only_the_best_of_each_depth_once_the_depth_above_is_done() -> None:
    search = Search((), (), 0.0, score=best_first(), width=2, max_branching=3, max_depth=3)
    while (lease := search.ask()) is not None:
        item = (*lease.item, lease.nth)
        search.tell(lease, Child(item, item, lease.nth / 4), 1.0)
    depths = [node.depth for node in search.nodes]
    assert depths == sorted(depths)
    expanded = [[node.item[-1] for node in search.nodes if node.depth == depth and node.edges] for depth in (1, 2)]
    assert expanded == [[1, 2], [2, 2]]


def test_a_chain_a_thousand_deep_needs_no_recursion() -> None:
    search = Search(0, 0, 0.0, max_branching=1)
    assert sys.getrecursionlimit() < 1201
    for _ in range(1200):
        _deepen(search)
    assert search.nodes[-1].depth == 1200
    assert search.root.visits == 1201


def _deepen(search: Search) -> None:
    lease = ask(search)
    search.tell(lease, Child(lease.item + 1, lease.item + 1, 0.0), None)


def test_tiny_priors_never_make_an_action_unreachable() -> None:
    search = Search(0, 0, 0.0, open=1e-9, max_branching=1, max_depth=100)
    while (lease := search.ask()) is not None:
        search.tell(lease, Child(lease.item + 1, lease.item + 1, 0.0, prior=1e-9, open=1e-9), None)
    assert len(search.nodes) == 101


@pytest.mark.parametrize("strategy", sorted(STRATEGIES.keys() - {"random", "best_of_n"}))
def test_a_recorded_run_told_again_gives_the_same_tree_and_goes_on_alike(strategy: str) -> None:
    rules = options(strategy) | ({"max_branching": 16} if strategy in ("beam", "linear") else {})
    search, record = problem.search(**rules), []
    for _ in range(60):
        lease = ask(search)
        outcome = problem.expand(lease)
        search.tell(lease, outcome.child, outcome.open)
        record.append((lease.indices, lease.nth, outcome))
    again = problem.search(**rules)
    for indices, nth, outcome in record:
        again.tell(again.take(indices, nth), outcome.child, outcome.open)
    assert snapshot(again) == snapshot(search)
    assert [problem.step(again).indices for _ in range(20)] == [problem.step(search).indices for _ in range(20)]


def test_actions_taken_out_of_turn_leave_the_skipped_ones_to_be_handed_out() -> None:
    search = Search("root", "root", 0.0)
    search.tell(search.take([0], 2), Child("c", "c", 0.0, open=None), None)
    search.tell(search.take([0], 0), Child("a", "a", 0.0, open=None), None)
    assert ask(search).nth == 1
    assert search.ask() is None


def test_a_lease_that_cannot_be_taken_again_says_why() -> None:
    search = Search("root", "root", 0.0)
    search.tell(ask(search), Child("a", "a", 0.0), None)
    with pytest.raises(ValueError, match="cannot be handed out"):
        search.take([0], 0)
    with pytest.raises(ValueError, match="no edge"):
        search.take([1, 0], 0)


def test_a_search_goes_on_by_other_rules_as_if_it_had_followed_them_from_there() -> None:
    search = problem.search(**options("best_of_n"))
    for _ in range(6):
        problem.step(search)
    assert max(node.depth for node in search.nodes) == 1
    search.follow(**options("mcts", max_depth=4))
    books.check(search, [])
    while not search.solved and problem.step(search):
        pass
    assert search.solved
    books.check(search, [])


def test_rules_do_not_change_under_a_lease() -> None:
    search = problem.search(**options("mcts"))
    ask(search)
    with pytest.raises(ValueError, match="between leases"):
        search.follow()


def test_a_pruned_branch_is_left_alone_and_its_solutions_do_not_count() -> None:
    search: Search[str] = Search("root", "root", 0.0)
    [wrong] = search.tell(search.ask(), Child("a", "a", 0.9), 1.0)
    [right] = search.tell(search.take([0], 1), Child("b", "b", 0.1), 1.0)
    [found] = search.tell(search.take([0, wrong.index], 0), Child("c", "c", 1.0, solved=True), None)
    assert (search.solved, search.root.best) == ([found], 1.0)

    search.prune(wrong)

    assert (search.solved, search.root.best) == ([], 0.1)
    asked = {search.ask().node for _ in range(6)}
    assert wrong not in asked
    assert right in asked


def test_what_is_under_way_in_a_branch_that_is_pruned_is_told_and_does_not_count() -> None:
    search: Search[str] = Search("root", "root", 0.0)
    [wrong] = search.tell(search.ask(), Child("a", "a", 0.9), None)
    lease = search.ask()
    assert lease.node is wrong
    search.prune(wrong)

    search.tell(lease, Child("c", "c", 1.0, solved=True), 1.0)

    assert search.solved == []
    assert search.exhausted


def test_the_root_cannot_be_pruned() -> None:
    search: Search[str] = Search("root", "root", 0.0)
    with pytest.raises(ValueError, match="root"):
        search.prune(search.root)


def test_a_favoured_node_is_expanded_next_even_where_its_actions_had_run_out() -> None:
    search: Search[str] = Search("root", "root", 0.5, score=best_first())
    [poor] = search.tell(search.ask(), Child("a", "a", 0.1, prior=0.01, open=None), 0.9)
    assert search.ask().node is search.root

    assert search.favour(poor)

    assert search.ask().node is poor


def test_where_nothing_may_be_tried_nothing_is_favoured() -> None:
    search: Search[str] = Search("root", "root", 0.5, max_depth=1)
    [leaf] = search.tell(search.ask(), Child("a", "a", 0.1), None)

    assert not search.favour(leaf)
    assert search.exhausted
