"""The orders of somebody outside, carried out in a search that goes on: each once, and at the same place again after a resume.

A place is how many leases were handed out and how many of them were out. What is done before the next lease is asked for decides
which lease that is, so the same orders at the same places give the same tree.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from swesearch.base import Attempt
from swesearch.engine.budget import Budget
from swesearch.engine.search import Search
from swesearch.engine.tree import Node
from swesearch.solve.record import Record
from swesearch.steer import Mailbox, Order

Place = tuple[int, int]
LATE = ("pause", "continue", "stop")  # they were for the session that was going on when they were sent
AGAIN = ("pause", "continue", "prune", "hint")  # what makes a tree; added budget is in the settings of a run that is resumed


@dataclass(eq=False)
class Helm:
    """Steers one search. `renew(index, nth)`: let the proposer think anew about a node, from its action `nth` on."""

    mailbox: Mailbox
    record: Record
    budget: Budget
    stop: threading.Event
    tree: Search[Attempt]
    renew: Callable[[int, int], None]
    _again: list[tuple[Place, Order]] = field(init=False)  # what earlier sessions did, and where
    _due: list[Order] = field(default_factory=list)  # of them: their place was reached, but their node is not there yet
    _waiting: list[Order] = field(default_factory=list)  # new ones
    _paused: bool = False

    def __post_init__(self) -> None:
        steered = [event.data for event in self.record.past if event.kind == "steered"]
        self._again = _replayed([data for data in steered if data["at"] and data["order"] in AGAIN])
        done = {data["number"] for data in steered}
        for order in self.mailbox.old:
            if order.number in done:
                continue
            if order.kind in LATE:
                self._keep(order, None, "it came too late: the search had ended by itself")
            else:
                self._waiting.append(order)

    def hold(self) -> bool:
        """Carry out what there is to do now. Returns whether nothing new is to be begun."""
        while self._again and self._reached(self._again[0][0]):
            self._due.append(self._again.pop(0)[1])
        for order in [order for order in self._due if self._there(order)]:
            self._due.remove(order)
            self._do(order)
        self._waiting += self.mailbox.new()
        for order in [order for order in self._waiting if self._there(order)]:
            self._waiting.remove(order)
            self._carry_out(order)
        return self._paused

    def _reached(self, place: Place) -> bool:
        leased, out = place
        return self.tree.leased > leased or (self.tree.leased == leased and self.tree.in_flight <= out)

    def _there(self, order: Order) -> bool:
        """Whether the order's node is in the tree: where a run is resumed the tree grows anew."""
        return order.node is None or self.record.index(order.node) is not None

    def _carry_out(self, order: Order) -> None:
        """Do a new order and keep it, money first: whenever the process dies, it counts once."""
        place = self.tree.leased, self.tree.in_flight
        if order.kind == "add":
            self._keep(order, place, self._added(order))
            self._do(order)
        else:
            self._keep(order, place, self._do(order))

    def _keep(self, order: Order, at: Place | None, effect: str) -> None:
        self.record.append("steered", **order.to_dict(), at=at, effect=effect)

    def _do(self, order: Order) -> str:
        """Returns what came of it, in words."""
        match order.kind:
            case "pause":
                self._paused = True
                self.budget.hold()
                return "paused: what is under way is finished, nothing new is begun, the clock stands still"
            case "continue":
                self._paused = False
                self.budget.go_on()
                return "it goes on"
            case "stop":
                self.stop.set()
                return "stopping: what is under way is finished first"
            case "add":
                self.budget.add(**order.more)
                return ""
            case "prune":
                return self._prune(self._node(order))
            case "hint":
                return self._hint(self._node(order), order.text)

    def _node(self, order: Order) -> Node[Attempt]:
        index = self.record.index(order.node if order.node is not None else 0)
        assert index is not None, "only orders whose node is there are done"
        return self.tree.nodes[index]

    def _prune(self, node: Node[Attempt]) -> str:
        if node is self.tree.root:
            return "nothing was done: the code as it was cannot be pruned"
        self.tree.prune(node)
        return "pruned: nothing more is tried there, and nothing of it is handed over"

    def _hint(self, node: Node[Attempt], text: str) -> str:
        if not self.tree.favour(node):
            return "nothing comes of it: the search goes no deeper than this node, or has given it up; a fork of it would go on"
        node.item = replace(node.item, hints=(*node.item.hints, text))
        self.renew(node.index, node.handed)
        return "heard: the next attempt here is made with it"

    def _added(self, order: Order) -> str:
        limits = self.budget.left()
        amounts = {unit: f"${amount:g}" if unit == "dollars" else f"{amount:g} {unit}" for unit, amount in order.more.items()}
        return ", ".join(f"{said} more" if limits[unit] is not None else f"{unit} have no limit" for unit, said in amounts.items())


def _replayed(steered: Sequence[Mapping[str, Any]]) -> list[tuple[Place, Order]]:
    """Orders with their places. A pause in which a session ended is over as soon as nothing is under way."""
    found: list[tuple[Place, Order]] = []
    paused: Place | None = None
    for data in steered:
        place, order = (data["at"][0], data["at"][1]), Order.from_dict(data)
        if paused and order.kind == "pause":
            found.append(((paused[0], 0), Order("continue")))
        paused = {"pause": place, "continue": None}.get(order.kind, paused)
        found.append((place, order))
    return [*found, *([((paused[0], 0), Order("continue"))] if paused else [])]
