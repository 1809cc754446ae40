"""A search as plain data: for the golden run, for the record, for viewers."""

from __future__ import annotations

from typing import Any, TypeVar

from .search import Search
from .tree import Edge, Node

T = TypeVar("T")


def snapshot(search: Search[T]) -> list[dict[str, Any]]:
    """Every node in order of creation, JSON-able where its key is; items are left out."""
    return [_node(node) for node in search.nodes]


def _node(node: Node[Any]) -> dict[str, Any]:
    names = ("index", "key", "depth", "value", "solved", "closed", "visits", "total", "best", "hope", "open", "rejected")
    return {name: getattr(node, name) for name in names} | {"parents": [_edge(edge) for edge in node.parents]}


def _edge(edge: Edge[Any]) -> dict[str, Any]:
    return {"parent": edge.parent.index, "prior": edge.prior, "visits": edge.visits}
