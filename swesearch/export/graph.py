"""The tree of a run as GraphML: for Gephi, yEd, Cytoscape, igraph, networkx."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from swesearch.export.told import Told, why

NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, section 2.2


def graphml(told: Told) -> str:
    """Nodes n0, n1, ... with value and what was tried; an edge from each state to what was made of it, with its prior."""
    import networkx as nx  # a quarter of a second

    best = {node["id"] for node in told.path}
    graph: nx.DiGraph[str] = nx.DiGraph()
    for node in told.nodes:
        known: dict[str, Any] = {
            "label": _xml(why(node)), "tree": node["tree"], "value": float(node["value"]), "solved": bool(node["solved"]),
            "closed": bool(node.get("closed")), "seconds": float(node["seconds"]), "best_path": node["id"] in best,
        }  # fmt: skip
        graph.add_node(f"n{node['id']}", **known)
        if node["parent"] is not None:
            graph.add_edge(f"n{node['parent']}", f"n{node['id']}", prior=float(node["prior"] or 0.0))
    out = BytesIO()
    nx.write_graphml_xml(graph, out)
    return out.getvalue().decode()


def _xml(text: str) -> str:
    """`text` without the characters that XML cannot hold."""
    return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
