"""What a strategy is made of: one set of the engine's rules, or several in turn, each for its share of the budget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swesearch.engine.scores import onward, puct
from swesearch.engine.strategies import options
from swesearch.settings import SearchSettings

TEMPLATES, AGENTS = 200.0, 0.5  # exploration that suits priors of a thousand small edits, and of a few hypotheses (benchmarks/agents.py)
PROGRESSIVE = (("best_of_n", 0.3), ("mcts", 0.8), ("linear", 1.0))  # cheap attempts, refinement, polish: 30, 50 and 20 % of the budget
FEW = 4  # attempts for which the budget lasts, below which none is spent before the tree


@dataclass(frozen=True, slots=True)
class Phase:
    """Rules that hold until a share of the budget is used."""

    name: str  # of the engine's strategy
    until: float  # share of the budget, counted from the beginning of the run
    rules: Mapping[str, Any]  # keyword arguments of the engine's Search


def phases(strategy: str, settings: SearchSettings, agents: bool, below: int = 0) -> tuple[Phase, ...]:
    """The phases of a strategy that is not `auto`, one after another on the same tree. `below`: the depth at which a fork begins."""
    steps = {"progressive": PROGRESSIVE, "synthesis": (("best_of_n", 1.0),)}.get(strategy, ((strategy, 1.0),))
    return tuple(Phase(name, until, _rules(name, settings, agents, below)) for name, until in steps)


def _rules(name: str, settings: SearchSettings, agents: bool, below: int) -> Mapping[str, Any]:
    rules = {"max_depth": settings.depth} | options(name, seed=settings.seed)
    if name == "mcts":
        rules["score"] = puct(settings.exploration or (AGENTS if agents else TEMPLATES))
    if name == "linear" and agents:  # a model gives hypotheses up: that must not be the end of the path
        rules |= {"score": onward(), "max_branching": None}
    return rules | {"max_depth": rules["max_depth"] + below}


def chosen(strategy: str, attempts: float | None) -> str:
    """The strategy that `auto` stands for; any other is itself. `attempts`: for how many of a model's the budget lasts, None without one.

    The rule, from benchmarks/agents.py: a tree, for it mends more bugs of two edits than independent attempts or a single path do, at any
    budget, and hardly fewer of one. Independent attempts are a little ahead on bugs of one edit, so that `progressive` begins with some
    where the budget is for FEW or more. A single path and a synthesis gained nowhere.
    """
    if strategy != "auto" or attempts is None:
        return strategy if strategy != "auto" else "mcts"
    return "mcts" if attempts < FEW else "progressive"
