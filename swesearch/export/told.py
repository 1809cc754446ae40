"""What the journal of a run tells, put in order for whoever writes it down in another form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from swesearch.base import Event, Solution, Task
from swesearch.codec import decode

ROOT_WHY = "the code as it is"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """A run. Nodes and replies of models are as the journal has them."""

    task: Task | None = None
    nodes: tuple[Row, ...] = ()
    path: tuple[Row, ...] = ()  # from the root to what was handed over
    replies: Mapping[int | None, tuple[Row, ...]] = field(default_factory=dict)  # by the node that they were for; None: for none
    solution: Solution | None = None
    state: str = "unfinished"  # why it stopped
    error: str = ""
    began: float = 0.0  # seconds since the epoch
    seconds: float = 0.0  # that it took

    @property
    def calls(self) -> int:
        """Answers of models."""
        return sum(map(len, self.replies.values()))


def told(events: Sequence[Event]) -> Told:
    """What these events tell."""
    if not events:
        return Told()
    begun, nodes = events[0].data, tuple(dict(event.data) for event in events if event.kind == "node")
    ended: Mapping[str, Any] = next((event.data for event in reversed(events) if event.kind in ("started", "stopped")), {})
    last = [event.data["solution"] for event in events if event.kind == "solution" and "solution" in event.data]
    return Told(
        task=decode(begun["task"]),
        nodes=nodes,
        path=_path(nodes, events),
        replies=_replies(nodes, events),
        solution=decode(last[-1]) if last else None,
        state=ended.get("why", "unfinished"),
        error=ended.get("error", ""),
        began=begun["time"],
        seconds=sum(event.data["seconds"] for event in events if event.kind == "stopped") or _until(nodes),
    )


def _path(nodes: Sequence[Row], events: Iterable[Event]) -> tuple[Row, ...]:
    """The nodes from the root to what was handed over; to the best one where nothing was, or it was made smaller afterwards."""
    chosen = [event.data["node"] for event in events if event.kind == "solution"]
    wanted = chosen[-1] if chosen else None
    ranked = sorted(nodes, key=lambda node: (node["tree"] != wanted, -bool(node["solved"]), -node["value"], node["id"]))
    known, found = {node["id"]: node for node in nodes}, []
    node = ranked[0] if ranked else None
    while node is not None:
        found.append(node)
        node = known.get(node["parent"])
    return tuple(reversed(found))


def _replies(nodes: Sequence[Row], events: Iterable[Event]) -> dict[int | None, tuple[Row, ...]]:
    """A reply is for the child of a tree that has a certain name; for the tree itself where it was to think of names."""
    trees = {node["id"]: node["tree"] for node in nodes}
    children = {(trees.get(node["parent"]), node["why"]): node["id"] for node in reversed(nodes)}
    own = {node["tree"]: node["id"] for node in reversed(nodes)}
    found: dict[int | None, tuple[Row, ...]] = {}
    for data in _memories(events):
        parent, why = data.get("parent"), data.get("why", "")
        node = children.get((parent, why)) if why else own.get(parent)
        found[node] = (*found.get(node, ()), data["value"])
    return found


def _memories(events: Iterable[Event]) -> Iterator[Mapping[str, Any]]:
    return (event.data for event in events if event.kind == "memory" and str(event.data["key"]).startswith("reply:"))


def _until(nodes: Sequence[Row]) -> float:
    """How long it took as far as is known, where it was killed."""
    return float(max((node.get("spent", {}).get("seconds", 0.0) for node in nodes), default=0.0))


def why(node: Mapping[str, Any]) -> str:
    """What a node tried."""
    return node["why"] or ROOT_WHY


def observation(node: Mapping[str, Any]) -> str:
    """What came of it."""
    said = [f"{term['name']}: {term['feedback'] or format(term['score'], '.2f')}" for term in node["terms"]]
    return "\n".join([f"value {node['value']:.2f}{', passes' if node['solved'] else ''}", *said])
