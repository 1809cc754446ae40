"""The map of a repository: its most telling files, with the classes and functions in them, in as few words as asked for.

Files are ranked by personalised PageRank (Page et al. 1999; for maps of code: aider, 2023) on the graph of who uses the names of whom.
It is computed as Katz centrality (Katz 1953) of the graph whose outgoing weights add up to 1 per file, which is PageRank without the
jump from files that use nothing, and needs no numpy.

Only the files that are shown are parsed. Definitions and uses in all others are found by their words: a word in a string or a comment
that passes for a use does little harm in a ranking, and it takes sympy a third of the time that parsing all of it would.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from threading import Lock

from swesearch.code.parse import language_of
from swesearch.code.symbols import Definition, definitions

WORD = re.compile(rb"[A-Za-z_]\w{3,}")
DEFINED = re.compile(rb"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+([A-Za-z_]\w{3,})", re.MULTILINE)
COMMON = 5  # files that define a name, from which on it says nothing
DAMPING = 0.7  # of PageRank: a map is about what is near
NEAR = 0.9  # of the personalisation that goes to the seeds, the rest to all files alike
TOLERANCE = 1e-2  # of all ranks together
SHOWN = 14  # definitions of one file
LONGEST = 1 << 20  # bytes of a file: longer ones are data


@dataclass(frozen=True, slots=True)
class Facts:
    """The names that a file defines, and all that stand in it; short ones and those that are not ASCII tell too little."""

    defines: frozenset[str]
    words: frozenset[str]


class RepositoryMap:
    """Maps of the states of one repository. Facts are kept by blob id, texts by tree id. Safe to share between threads."""

    def __init__(self) -> None:
        self._facts: dict[str, Facts] = {}
        self._texts: dict[tuple[object, ...], str] = {}
        self._lock = Lock()

    def text(
        self,
        tree: str,
        blobs: Mapping[str, str],
        read: Callable[[str], bytes],
        most: int,
        paths: Mapping[str, float] | None = None,
        names: Collection[str] = (),
    ) -> str:
        """The map of `tree` in at most `most` characters; `blobs` are its files with their ids, `read` gives a file's bytes.

        `paths` (with weights) and `names` are what the map is to be about.
        """
        key = (tree, most, tuple(sorted((paths or {}).items())), tuple(sorted(names)))
        with self._lock:
            if key not in self._texts:
                facts = {path: self._known(blob, path, read) for path, blob in blobs.items() if language_of(path) == "python"}
                self._texts[key] = "".join(_lines(facts, read, most, paths or {}, names)).rstrip("\n")
            return self._texts[key]

    def _known(self, blob: str, path: str, read: Callable[[str], bytes]) -> Facts:
        if blob not in self._facts:
            self._facts[blob] = facts_of(read(path))
        return self._facts[blob]


def facts_of(source: bytes) -> Facts:
    """What a file's words say."""
    defined, words = (set(names.findall(source)) if len(source) <= LONGEST else () for names in (DEFINED, WORD))
    return Facts(_interned(defined), _interned(words))


def _interned(names: Iterable[bytes]) -> frozenset[str]:
    """Names as text, each kept in memory once however many files hold it."""
    return frozenset(intern(name.decode("ascii")) for name in names)


def rank(
    facts: Mapping[str, Facts], paths: Mapping[str, float], names: Collection[str]
) -> tuple[dict[str, float], dict[tuple[str, str], float]]:
    """How telling each file is, and each name that a file defines: (path, name)."""
    import networkx as nx  # a quarter of a second, for those who want a map

    homes = _homes(facts)
    uses = {path: {name for name in known.words & homes.keys() if path not in homes[name]} for path, known in facts.items()}
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(facts)
    for path, used in uses.items():
        weights: dict[str, float] = defaultdict(float)
        for name in used:
            for home in homes[name]:
                weights[home] += 1 / len(homes[name])
        total = sum(weights.values())
        graph.add_weighted_edges_from((path, home, weight / total) for home, weight in weights.items())
    seeds = _personalised(facts, homes, paths, names)
    ranks = (
        nx.katz_centrality(graph, DAMPING, seeds, tol=TOLERANCE / max(1, len(facts)), normalized=False, weight="weight") if facts else {}
    )
    return ranks, _of_names(homes, uses, ranks, names)


def _homes(facts: Mapping[str, Facts]) -> dict[str, list[str]]:
    """The files that define each name, without names that many files define."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path, known in facts.items():
        for name in known.defines:
            homes[name].append(path)
    return {name: found for name, found in homes.items() if len(found) <= COMMON and not name.startswith("__")}


def _personalised(
    facts: Mapping[str, Facts], homes: Mapping[str, list[str]], paths: Mapping[str, float], names: Collection[str]
) -> dict[str, float]:
    wanted = {path: weight for path, weight in paths.items() if path in facts}
    for name in set(names) & homes.keys():
        for home in homes[name]:
            wanted[home] = wanted.get(home, 0.0) + 1 / len(homes[name])
    total = sum(wanted.values())
    even = (1 - NEAR if total else 1.0) / max(1, len(facts))
    return {path: even + (NEAR * wanted.get(path, 0.0) / total if total else 0.0) for path in facts}


def _of_names(
    homes: Mapping[str, list[str]], uses: Mapping[str, set[str]], ranks: Mapping[str, float], names: Collection[str]
) -> dict[tuple[str, str], float]:
    weights: dict[tuple[str, str], float] = defaultdict(float)
    for path, used in uses.items():
        for name in used:
            for home in homes[name]:
                weights[home, name] += ranks[path] / len(homes[name])
    for name in set(names) & homes.keys():
        for home in homes[name]:
            weights[home, name] += 1.0
    return weights


def _lines(
    facts: Mapping[str, Facts], read: Callable[[str], bytes], most: int, paths: Mapping[str, float], names: Collection[str]
) -> Iterator[str]:
    ranks, weights = rank(facts, paths, names)
    for path in sorted(ranks, key=lambda path: (-ranks[path], path)):
        entry = _entry(path, read(path), {name: weights.get((path, name), 0.0) for name in facts[path].defines})
        if len(entry) > most:
            return
        most -= len(entry)
        yield entry


def _entry(path: str, source: bytes, weights: Mapping[str, float]) -> str:
    """A file with its most telling definitions, each below those it is nested in."""
    found = definitions(source) if len(source) <= LONGEST else ()
    telling = sorted(found, key=lambda d: (-weights.get(d.name, 0.0), d.depth, d.line))[:SHOWN]
    shown = {above for one in telling for above in _around(found, one)}
    lines = [f"{'  ' * (d.depth + 1)}{d.line}: {d.signature}\n" for d in found if d in shown]
    left = len(found) - len(lines)
    return f"{path}\n" + "".join(lines) + (f"  ({left} more)\n" if left else "")


def _around(found: tuple[Definition, ...], one: Definition) -> Iterator[Definition]:
    """A definition and those it is nested in."""
    depth = one.depth + 1
    for other in reversed(found[: found.index(one) + 1]):
        if other.depth < depth:
            depth = other.depth
            yield other
