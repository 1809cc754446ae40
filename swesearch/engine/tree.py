"""The search tree: nodes, the edges between them, and the leases on work under way.

A state met again is one node with several parents. What is known about the *state* lives on the node (value, sum, best, hope), however
it was reached; what this *parent* made of it lives on the edge (prior, visits, leases under way). An edge always leads to a node of greater
depth, so there are no cycles and the depth limit holds on every path. These hold between any two calls of `Search`:

    node.visits == sum of e.visits over edges in, where there are any (the root has none)
    node.visits == [1 at the root] + number of edges in + node.rejected + sum of e.visits over edges out
    node.total  == the sum of the values of the visits counted above
    node.best   == the greatest value of any open or solved node reachable from it, itself included
    node.hope   == the greatest product of priors on a way to an action that can be handed out; 0: nothing left below
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from .arena import DEAD, Arena

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Child(Generic[T]):
    """What came of one action: the new state, how good it is, and the prior of its own first action."""

    item: T
    key: Hashable
    value: float
    prior: float = 1.0
    solved: bool = False  # a goal: kept, never expanded
    closed: bool = False  # a dead end (syntax error, lost test): counted, never expanded
    open: float | None = 1.0  # prior of the first action to try there; None: there is none


class Node(Generic[T]):
    """One state, with what the search knows about it."""

    __slots__ = (
        "arena", "asked", "best", "closed", "depth", "edges", "handed", "hope", "index", "item", "key", "open",
        "parents", "pending", "rejected", "returned", "solved", "told", "total", "value", "visits",
    )  # fmt: skip

    def __init__(self, index: int, child: Child[T], depth: int) -> None:
        self.index, self.depth = index, depth
        self.item, self.key, self.value = child.item, child.key, child.value
        self.solved, self.closed = child.solved, child.closed
        self.open = None if child.solved or child.closed else child.open  # prior of the next untried action
        self.hope = 0.0
        self.visits, self.total, self.best = 0, 0.0, child.value
        self.pending = self.asked = 0  # leases through this node; leases on this node itself
        self.handed, self.told = 0, -1  # how many actions were handed out; the latest of them that was told
        self.rejected = 0  # dead ends and duplicates, kept as a count
        self.returned: tuple[tuple[int, float], ...] = ()  # actions released unscored: (nth, prior)
        self.edges: list[Edge[T]] = []
        self.parents: list[Edge[T]] = []
        self.arena: Arena | None = None  # finds the best of many edges

    @property
    def tried(self) -> int:
        """How many actions were tried here."""
        return len(self.edges) + self.rejected


class Edge(Generic[T]):
    """One parent's view of one child."""

    __slots__ = ("base", "child", "hope", "parent", "pending", "place", "prior", "slope", "visits")

    def __init__(self, parent: Node[T], child: Node[T], prior: float) -> None:
        self.parent, self.child, self.prior = parent, child, prior
        self.place = len(parent.edges)
        self.visits = self.pending = 0
        self.hope = 0.0  # prior * child.hope
        self.base, self.slope = DEAD, 0.0  # score = base + slope * growth(parent)


@dataclass(slots=True, eq=False)  # not frozen: that would double the time it takes to make one
class Lease(Generic[T]):
    """Leave to try the `nth` action of `node` (counted from 0). `trail` is the way the search came down."""

    node: Node[T]
    trail: tuple[Edge[T], ...]
    nth: int
    prior: float
    seen: int = 0  # edges of the node at the time of the ask: what a worker is told does not depend on when it begins
    known: int = 0  # nodes of the tree at that time
    path: tuple[T, ...] = ()  # the states from the root to the one to expand, as they were then

    @property
    def item(self) -> T:
        """The state to expand."""
        return self.node.item

    @property
    def siblings(self) -> tuple[T, ...]:
        """What the node's actions had led to when this lease was asked for. Dead ends are among them with `keep_closed` only."""
        return tuple(edge.child.item for edge in self.node.edges[: self.seen])

    @property
    def indices(self) -> tuple[int, ...]:
        """The way down as node indices, for the record: `Search.take` makes the lease again from it."""
        return (*(edge.parent.index for edge in self.trail), self.node.index)
