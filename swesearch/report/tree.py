"""The tree of a run and the list of runs, in the terminal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from swesearch.base import Event
from swesearch.report.text import line

Node = Mapping[str, Any]
DEEPEST = 20  # levels that are indented
MARKS = {
    "solved": "solved", "refuted": "did not hold", "closed": "closed", "duplicate": "duplicate", "prune": "pruned", "hint": "with a hint",
}  # fmt: skip


def show_tree(out: Console, events: Iterable[Event], most: int = 40) -> None:
    """Print the `most` best nodes with what leads to them, best first; the path to the best one is marked with `*`."""
    nodes = _nodes(events)
    if not nodes:
        out.print("no state was evaluated")
        return
    ranked = sorted(nodes.values(), key=lambda node: (bool(node.get("refuted")), not node["solved"], -node["value"], node["id"]))
    best = set(_path(nodes, ranked[0]))
    shown = set(best)
    for node in ranked:
        if len(shown) < most:
            shown.update(_path(nodes, node))
    for node, depth in _rows(nodes.values(), [node["id"] for node in ranked if node["id"] in shown]):
        mark = "*" if node["id"] in best else " "
        what = f"{'  ' * min(depth, DEEPEST)}{line(node['why'] or 'the code as it is', 100)}{_state(node)}"
        out.print(Text(f"{mark} {node['value']:.2f}  n{node['id']:<4} {what}", _style(node)))
    if left := len(nodes) - len(shown):
        out.print(f"and {left} more (--limit shows more)")


def _nodes(events: Iterable[Event]) -> dict[int, Node]:
    """The nodes by id, with what became of them later."""
    nodes: dict[int, Node] = {}
    for event in events:
        if event.kind == "node":
            nodes[event.data["id"]] = event.data
        elif event.kind == "steered" and event.data.get("node") in nodes:
            nodes[event.data["node"]] = {**nodes[event.data["node"]], event.data["order"]: True}
        elif event.kind == "finalist" and not event.data["verified"]:
            nodes |= {number: {**node, "refuted": True} for number, node in nodes.items() if node["tree"] == event.data["node"]}
    return nodes


def _path(nodes: Mapping[int, Node], node: Node | None) -> Iterable[int]:
    """The ids from a node up to the root."""
    while node is not None:
        yield node["id"]
        node = nodes.get(node["parent"])


def _rows(nodes: Iterable[Node], order: Sequence[int]) -> Iterable[tuple[Node, int]]:
    """The nodes in `order`, each below its parent, with their depths."""
    children: dict[int | None, list[Node]] = defaultdict(list)
    known = {node["id"]: node for node in nodes}
    for number in reversed(order):
        children[known[number]["parent"] if known[number]["parent"] in known else None].append(known[number])
    waiting = [(node, 0) for node in children[None]]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting.extend((child, depth + 1) for child in children[node["id"]])


def _state(node: Node) -> str:
    marks = [said for name, said in MARKS.items() if node.get(name)]
    why = node.get("evaluation", {}).get("feedback", "") if node.get("closed") else ""
    return (f"  [{', '.join(marks)}]" if marks else "") + (f" {line(why, 200)}" if why else "")


def _style(node: Node) -> str:
    return "dim" if node.get("closed") or node.get("refuted") else "green" if node["solved"] else ""
