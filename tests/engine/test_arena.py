from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from swesearch.engine.arena import DEAD, Arena
from swesearch.engine.search import Search
from swesearch.engine.snapshot import snapshot
from swesearch.engine.strategies import options
from swesearch.engine.tree import Child

# Few different numbers, so that ties and parallel lines are common.
BASES = st.sampled_from([DEAD, 0.0, 0.25, 0.5, 1.0]) | st.floats(-2, 2)
SLOPES = st.sampled_from([0.0, 0.1, 0.5]) | st.floats(0, 3)
LINES = st.tuples(BASES, SLOPES, st.floats(0, 1))


@given(st.lists(LINES, min_size=1, max_size=40), st.lists(st.tuples(st.integers(0, 39), LINES, st.floats(0, 50)), max_size=40))
@settings(max_examples=300)
def test_the_arena_finds_what_looking_at_every_line_finds(lines: list[tuple[float, float, float]], changes: list) -> None:
    arena = Arena(lines)
    for place, line, x in changes:
        place %= len(lines)
        lines[place] = line
        arena.set(place, *line)
        scores = [base + slope * x for base, slope, _ in lines]
        assert arena.best(x) == scores.index(max(scores))
        assert arena.hope == max(hope for *_, hope in lines)


class LooksAtAll(Search[int]):
    crowd = 1_000_000


class AlwaysPlays(Search[int]):
    crowd = 1


WIDE = st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1), st.floats(0.01, 1)), min_size=1, max_size=100)


@given(WIDE, st.sampled_from(["mcts", "mcts_mean", "best_first", "uct"]), st.integers(1, 5))
@settings(max_examples=50)
def test_an_arena_leads_the_search_as_looking_at_every_child_does(told: list, strategy: str, parallel: int) -> None:
    def tree(kind: type[Search[int]]) -> list:
        search = kind(0, 0, 0.0, **options(strategy, max_depth=2))
        leases = [search.ask() for _ in range(parallel)]
        for key, (value, prior, following) in enumerate(told, 1):
            search.tell(leases.pop(0), Child(key, key, value, prior), following)
            leases.append(search.ask())
        return snapshot(search)

    assert tree(AlwaysPlays) == tree(LooksAtAll)
