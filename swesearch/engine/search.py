"""The search: `ask` decides which state gets one more child, `tell` says what came of it. Only one thread may call."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from math import inf
from sys import float_info
from typing import Generic, TypeVar

from .arena import DEAD, Arena
from .backup import Backup, maximum
from .scores import Score, puct
from .tree import Child, Edge, Lease, Node

T = TypeVar("T")


class Search(Generic[T]):
    """A tree search whose actions come lazily, in order of falling prior.

    A node's arms are its children and one slot: the next untried action, known only by its prior and presumed to be worth what
    its state is worth. Thousands of untried actions cost nothing. Each action is handed out once, so asks that hand out work are
    no more than there are actions: nothing can loop. Work under way counts as a visit worth nothing (virtual loss), so that
    parallel asks spread.

    widening        (k, alpha): children before a new action, while a node has had k * visits**alpha actions or more
    max_depth       no node is deeper; the root is at 0
    max_branching   no node gets more actions
    width           beam search: of each depth only so many, the best by value, are expanded, once the depth above is done
    keep_closed     dead ends stay in the tree as nodes instead of as a count; the search is the same
    """

    crowd = 64  # a node with more edges keeps an arena

    def __init__(
        self,
        item: T,
        key: Hashable,
        value: float,
        *,
        open: float | None = 1.0,
        score: Score | None = None,
        backup: Backup = maximum,
        widening: tuple[float, float] | None = None,
        max_depth: int | None = None,
        max_branching: int | None = None,
        width: int | None = None,
        keep_closed: bool = False,
    ) -> None:
        self.nodes: list[Node[T]] = []  # in order of creation
        self.solved: list[Node[T]] = []
        self._set(score, backup, widening, max_depth, max_branching)
        self._width, self._keep_closed = width, keep_closed
        self._by_key: dict[Hashable, Node[T]] = {}
        self._held: list[tuple[Node[T], float]] = []  # the next depth of a beam search, waiting
        self.leased = 0  # leases ever handed out
        self._leases: dict[int, Lease[T]] = {}
        self._unmarked: Lease[T] | None = None  # the latest lease: told before the next ask, its trail need not be marked
        self.root = self._grow(Child(item, key, value, open=open), 0)
        self.root.visits, self.root.total, self.root.hope = 1, value, self._slot(self.root)

    def follow(
        self,
        *,
        score: Score | None = None,
        backup: Backup = maximum,
        widening: tuple[float, float] | None = None,
        max_depth: int | None = None,
        max_branching: int | None = None,
    ) -> None:
        """Go on by other rules. Raises ValueError while leases are out, and for a beam, whose width cannot change."""
        if self._leases or self._width is not None:
            raise ValueError("rules change between leases only, and never those of a beam")
        self._unmarked = None
        self._set(score, backup, widening, max_depth, max_branching)
        self._refresh(self.nodes)

    def _set(
        self,
        score: Score | None,
        backup: Backup,
        widening: tuple[float, float] | None,
        max_depth: int | None,
        max_branching: int | None,
    ) -> None:
        rule = score or puct()
        self._line, self._growth, self._backup, self._widening = rule.line, rule.growth, backup, widening
        self._depth = inf if max_depth is None else max_depth
        self._branching = inf if max_branching is None else max_branching

    @property
    def in_flight(self) -> int:
        """How many leases are out."""
        return len(self._leases)

    @property
    def exhausted(self) -> bool:
        """Whether nothing is left to hand out, nor will be: no lease is out either."""
        return not self.root.hope and not self._leases and not self._held

    def ask(self) -> Lease[T] | None:
        """Lease the next action to try. None: nothing can be handed out now (see `exhausted`)."""
        self._get_ready()
        if not self.root.hope:
            return None
        node, trail = self.root, []
        while (edge := self._choose(node)) is not None:
            trail.append(edge)
            node = edge.child
        return self._lease(node, tuple(trail), *(node.returned[0] if node.returned else (node.handed, node.open or 0.0)))

    def take(self, indices: Sequence[int], nth: int) -> Lease[T]:
        """The lease of a recorded ask again (`Lease.indices`, `Lease.nth`), whatever `ask` would choose. Raises ValueError.

        Earlier actions of the node that are skipped by this will be handed out next.
        """
        self._get_ready()
        trail = []
        for above, below in pairwise(indices):
            edges = [edge for edge in self.nodes[below].parents if edge.parent.index == above]
            if not edges:
                raise ValueError(f"no edge from node {above} to node {below}")
            trail += edges
        node = self.nodes[indices[-1]]
        if nth >= node.handed and node.open:
            node.returned += tuple((skipped, node.open) for skipped in range(node.handed, nth + 1))
        prior = dict(node.returned).get(nth)
        if prior is None:
            raise ValueError(f"action {nth} of node {node.index} cannot be handed out")
        return self._lease(node, tuple(trail), nth, prior)

    def tell(self, lease: Lease[T], child: Child[T] | None, open: float | None, *more: Child[T]) -> list[Node[T]]:
        """Say what came of a lease; returns the nodes it led to (none for a dead end or a duplicate).

        `child` is None where the proposer had nothing more. `open` is the prior of the next untried action there, None for none.
        Of several children those that fit max_branching are taken. Raises ValueError for a lease that is not out.
        """
        marked, node = self._end(lease), lease.node
        if lease.nth > node.told:
            node.open = None if child is None else open
        node.told = max(node.told, lease.nth)
        children = [] if child is None else [child, *more]
        arrived = [self._arrive(node, each) for each in children if node.tried + node.asked < self._branching]
        self._climb(lease, -marked, len(arrived), sum([value for _, value in arrived]))
        return [new for new, _ in arrived if new is not None]

    def release(self, lease: Lease[T]) -> None:
        """Give a lease back unscored; its action will be handed out again. Raises ValueError for a lease that is not out."""
        marked = self._end(lease)
        lease.node.returned = tuple(sorted((*lease.node.returned, (lease.nth, lease.prior))))
        self._climb(lease, -marked)

    def prune(self, node: Node[T]) -> None:
        """Try nothing more at a node or on any way through it; its solutions do not count. Raises ValueError for the root."""
        if node is self.root:
            raise ValueError("the root cannot be pruned")
        node.closed, node.hope = True, 0.0
        self.solved = [each for each in self.solved if self.stands(each)]
        for above in sorted(self._above(node), key=lambda each: -each.depth):
            above.best = max([above.value, *(edge.child.best for edge in above.edges if not edge.child.closed)])
        self._refresh([node, *self._above(node)])

    def favour(self, node: Node[T]) -> bool:
        """Take a node's next action, and the best way there, for certain. False where nothing may be tried there."""
        was, node.open = node.open, 1.0
        if node.closed or node.solved or not self._slot(node):
            node.open = was
            return False
        node.told = node.handed - 1  # what is under way there has no say in it
        way = node
        while way.parents:
            edge = max(way.parents, key=lambda each: each.prior)
            edge.prior, way = 1.0, edge.parent
        self._refresh([node, *self._above(node)])
        return True

    def stands(self, node: Node[T]) -> bool:
        """Whether a way leads to a node that was not pruned."""
        todo, seen = [node], set[int]()
        while todo:
            each = todo.pop()
            if each is self.root:
                return True
            if not each.closed and each.index not in seen:
                seen.add(each.index)
                todo += [edge.parent for edge in each.parents]
        return False

    def _above(self, node: Node[T]) -> list[Node[T]]:
        """Every node on a way to this one."""
        found: dict[int, Node[T]] = {}
        todo = [node]
        while todo:
            todo = [edge.parent for each in todo for edge in each.parents if edge.parent.index not in found]
            found |= {each.index: each for each in todo}
        return list(found.values())

    def _refresh(self, nodes: Sequence[Node[T]]) -> None:
        """Bring all arms of these nodes up to date, whatever has changed in them."""
        for node in sorted(nodes, key=lambda each: -each.depth):
            node.hope = self._hope(node)
            for edge in node.parents:
                self._aim(edge)

    # Going down

    def _choose(self, node: Node[T]) -> Edge[T] | None:
        """The edge to follow, the first with the greatest score among those with something left below; None for the node's next action.

        A step goes through here once for each level of the tree, so no more is called than must be.
        """
        visits = node.visits + node.pending
        growth = self._growth(visits)
        best, most = None, DEAD
        if node.arena is None:
            for edge in node.edges:
                score = edge.base + edge.slope * growth
                if score > most:
                    best, most = edge, score
        elif node.arena.hope:
            best = node.edges[node.arena.best(growth)]
            most = best.base + best.slope * growth
        if best is None or not (prior := self._slot(node)):
            return best
        if self._widening and node.tried + node.asked >= self._widening[0] * visits ** self._widening[1]:
            return best
        base, slope = self._line(node.value, prior, node.asked)
        return None if base + slope * growth >= most else best

    def _slot(self, node: Node[T]) -> float:
        """The prior of the node's next action; 0 where none can be handed out."""
        if node.depth >= self._depth or len(node.edges) + node.rejected + node.asked >= self._branching:
            return 0.0
        return node.returned[0][1] if node.returned else node.open or 0.0

    def _lease(self, node: Node[T], trail: tuple[Edge[T], ...], nth: int, prior: float) -> Lease[T]:
        path = (*[edge.parent.item for edge in trail], node.item)
        lease = Lease(node, trail, nth, prior, len(node.edges), len(self.nodes), path)
        self.leased += 1
        self._leases[id(lease)] = lease
        node.handed = max(node.handed, nth + 1)
        if node.returned:
            node.returned = tuple(each for each in node.returned if each[0] != nth)
        node.asked += 1
        self._unmarked = lease
        return lease

    def _get_ready(self) -> None:
        """Mark the trail of the latest lease as under way; go on to the next depth of a beam search once this one is done."""
        if self._unmarked is not None:
            self._climb(self._unmarked, 1)
            self._unmarked = None
        if not self.root.hope and self._held and not self._leases:
            self._next_depth()

    def _end(self, lease: Lease[T]) -> bool:
        """Take a lease back. Returns whether its trail is marked."""
        if self._leases.pop(id(lease), None) is not lease:
            raise ValueError("this lease is not out")
        lease.node.asked -= 1
        if lease is not self._unmarked:
            return True
        self._unmarked = None
        return False

    # Coming back

    def _arrive(self, node: Node[T], child: Child[T]) -> tuple[Node[T] | None, float]:
        """Put a child where it belongs: a new node, an edge to a known one, or a mere count. Returns the node and the value."""
        known = None if child.closed else self._by_key.get(child.key)
        if child.closed and not self._keep_closed:
            node.rejected += 1
            return None, child.value
        if known and (known.depth <= node.depth or any(edge.parent is node for edge in known.parents)):
            node.rejected += 1
            return None, known.value
        below = known or self._grow(child, node.depth + 1)
        self._join(node, below, child.prior)
        if below.solved and below not in self.solved and self.stands(below):
            self.solved.append(below)
        return below, below.value

    def _grow(self, child: Child[T], depth: int) -> Node[T]:
        node = Node(len(self.nodes), child, depth)
        self.nodes.append(node)
        if not child.closed:
            self._by_key[child.key] = node
        if self._width is not None and 0 < depth < self._depth and node.open:
            self._held.append((node, node.open))
            node.open = None
        return node

    def _join(self, node: Node[T], below: Node[T], prior: float) -> None:
        edge = Edge(node, below, prior)
        edge.visits = 1
        node.edges.append(edge)
        below.parents.append(edge)
        below.visits += 1
        below.total += below.value
        if node.arena is not None and edge.place >= node.arena.full:
            node.arena = None
        if node.arena is None and len(node.edges) > self.crowd:
            node.arena = Arena((each.base, each.slope, each.hope) for each in node.edges)
        below.hope = self._hope(below)
        if others := [each.parent for each in below.parents if self._aim(each) and each is not edge]:
            self._spread(others)

    def _climb(self, lease: Lease[T], under_way: int, visits: int = 0, total: float = 0.0) -> None:
        """Add to the statistics of the whole trail, deepest first, and bring up to date whatever sees a change on it.

        Work under way counts as visits only: Liu et al., "Watch the unobserved" (2020).
        """
        node, changed, aside = lease.node, True, []
        for edge in reversed(lease.trail):
            node.visits += visits
            node.total += total
            edge.visits += visits
            if under_way:
                node.pending += under_way
                edge.pending += under_way
            if changed:
                node.hope = self._hope(node)
            if len(node.parents) > 1:
                aside += [other.parent for other in node.parents if other is not edge and self._aim(other)]
            changed = self._aim(edge)
            node = edge.parent
        node.pending += under_way
        node.visits += visits
        node.total += total
        node.hope = self._hope(node)
        if aside:
            self._spread(aside)

    def _spread(self, nodes: Iterable[Node[T]]) -> None:
        """Look at `nodes` again, and at whatever sees a change in them: deepest first, so each once."""
        queue = [(-node.depth, node.index) for node in nodes]
        heapify(queue)
        queued = {index for _, index in queue}
        while queue:
            node = self.nodes[heappop(queue)[1]]
            node.hope = self._hope(node)
            parents = [edge.parent for edge in node.parents if self._aim(edge)]
            for parent in parents:
                if parent.index not in queued:
                    queued.add(parent.index)
                    heappush(queue, (-parent.depth, parent.index))

    def _hope(self, node: Node[T]) -> float:
        """The best of the node's own next action and of what is below its edges; 0 for what is closed, or was pruned."""
        if node.closed:
            return 0.0
        if node.arena is not None:
            return max(self._slot(node), node.arena.hope)
        hope = self._slot(node)
        for edge in node.edges:
            if edge.hope > hope:
                hope = edge.hope
        return hope

    def _aim(self, edge: Edge[T]) -> bool:
        """Bring an edge up to date with its child. Returns whether its parent must be looked at again."""
        child, parent, pending, before = edge.child, edge.parent, edge.pending, edge.hope
        if child.hope:
            hope = edge.hope = edge.prior * child.hope or float_info.min
            value = self._backup(child.best, child.total, child.visits + pending)
            edge.base, edge.slope = self._line(value, hope, edge.visits + pending)
        else:
            hope = edge.hope = 0.0
            edge.base, edge.slope = DEAD, 0.0
        if parent.arena is not None:
            parent.arena.set(edge.place, edge.base, edge.slope, hope)
        if child.best > parent.best and not child.closed:
            parent.best = child.best
            return True
        return hope != before

    def _next_depth(self) -> None:
        """Open the best nodes of the next depth; the others stay as they are."""
        self._held.sort(key=lambda held: (-held[0].value, held[0].index))
        chosen, self._held = self._held[: self._width], []
        for node, prior in chosen:
            node.open = prior
        self._spread(node for node, _ in chosen)
