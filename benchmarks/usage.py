"""What a search used: shared by the benchmarks of whole searches."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Mapping
from typing import Any


def cpu_seconds() -> float:
    """CPU seconds of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def tests_run(nodes: Iterable[Mapping[str, Any]]) -> int:
    """How often tests ran for the nodes of a journal."""
    return sum(term["name"] in {"failing", "nearby"} for node in nodes for term in node["terms"])
