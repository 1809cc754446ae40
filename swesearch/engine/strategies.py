"""Named ways to search: the same engine, different rules. A strategy is one line in a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from .backup import blend, maximum, mean
from .scores import at_random, best_first, greedy, puct, uct

Strategy = Callable[[int], dict[str, Any]]  # seed -> keyword arguments of Search

STRATEGIES: Mapping[str, Strategy] = MappingProxyType(
    {
        "mcts": lambda _: {"score": puct(), "backup": maximum},
        "mcts_mean": lambda _: {"score": puct(), "backup": mean},
        "mcts_blend": lambda _: {"score": puct(), "backup": blend(0.5)},
        "uct": lambda _: {"score": uct(), "backup": mean, "widening": (1.0, 0.5)},
        "best_first": lambda _: {"score": best_first()},
        "beam": lambda _: {"score": best_first(), "width": 4, "max_branching": 8},
        "linear": lambda _: {"score": greedy(), "max_branching": 1},
        "best_of_n": lambda _: {"score": best_first(), "max_depth": 1},
        "random": lambda seed: {"score": at_random(seed)},
    }
)


def options(name: str, *, seed: int = 0, **changes: Any) -> dict[str, Any]:
    """The keyword arguments of `Search` for a strategy, with `changes` on top. Raises KeyError for an unknown name."""
    return STRATEGIES[name](seed) | changes
