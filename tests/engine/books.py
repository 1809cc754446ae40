"""What must hold between any two calls of a search, worked out anew from nothing but the edges."""

from __future__ import annotations

from math import isclose
from typing import Any

from swesearch.engine.search import Search
from swesearch.engine.tree import Edge, Node


def check(search: Search[Any], leases: list[Any]) -> None:
    """Raise AssertionError where the books of `search` do not balance, `leases` being out."""
    search._get_ready()
    edges = [edge for node in search.nodes for edge in node.edges]
    assert search.in_flight == len(leases)
    for edge in edges:
        assert edge.child.depth > edge.parent.depth
        assert edge.pending == sum(lease.trail.count(edge) for lease in leases)
    for node in search.nodes:
        _check_node(search, node, leases)
    best, hope = _from_below(search)
    for node in search.nodes:
        if not node.closed:
            assert node.best == best[node.index]
        assert isclose(node.hope, hope[node.index], rel_tol=1e-9, abs_tol=0), (node.index, node.hope, hope[node.index])


def _check_node(search: Search[Any], node: Node[Any], leases: list[Any]) -> None:
    root = node is search.root
    assert root or node.visits == sum(edge.visits for edge in node.parents)
    assert node.visits == root + len(node.parents) + node.rejected + sum(edge.visits for edge in node.edges)
    assert node.asked == sum(lease.node is node for lease in leases)
    assert node.pending == sum(lease.node is node or any(edge.parent is node for edge in lease.trail) for lease in leases)
    assert len({edge.child.index for edge in node.edges}) == len(node.edges)
    for place, edge in enumerate(node.edges):
        assert (edge.parent, edge.place) == (node, place)
        assert edge in edge.child.parents


def _from_below(search: Search[Any]) -> tuple[dict[int, float], dict[int, float]]:
    best: dict[int, float] = {}
    hope: dict[int, float] = {}
    for node in sorted(search.nodes, key=lambda node: -node.depth):
        open_edges: list[Edge[Any]] = [edge for edge in node.edges if not edge.child.closed]
        best[node.index] = max([node.value, *(best[edge.child.index] for edge in open_edges)])
        hope[node.index] = 0.0 if node.closed else max([search._slot(node), *(edge.prior * hope[edge.child.index] for edge in node.edges)])
    return best, hope
