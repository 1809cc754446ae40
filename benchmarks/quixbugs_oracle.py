"""Does a mended QuixBugs program do what the reference program does? Runs inside a sandbox, needs only the standard library.

python quixbugs_oracle.py NAME     with mended.py and reference.py beside it; exit 0: agrees, 1: differs (says how)
"""

from __future__ import annotations

import copy
import importlib
import math
import random
import signal
import sys
from collections.abc import Callable
from itertools import pairwise
from types import FrameType
from typing import Any

INPUTS = 150
SECONDS = 1.0  # for one input


class Node:
    """A graph or list node as the data set's programs use it."""

    def __init__(self, value: Any = None, successor: Node | None = None) -> None:
        self.value, self.successor = value, successor
        self.successors: list[Node] = []
        self.incoming_nodes: list[Node] = []
        self.outgoing_nodes: list[Node] = []


class Slow(Exception):
    """An input took too long."""


Chance = random.Random


def ints(r: Chance, low: int = -5, high: int = 20, most: int = 9, least: int = 0) -> list[int]:
    """A short list of small numbers."""
    return [r.randint(low, high) for _ in range(r.randint(least, most))]


def word(r: Chance, letters: str = "abcd", most: int = 6) -> str:
    """A short string of few letters."""
    return "".join(r.choice(letters) for _ in range(r.randint(0, most)))


def nested(r: Chance, depth: int = 3) -> list[Any]:
    """Lists in lists."""
    return [nested(r, depth - 1) if depth and r.random() < 0.4 else r.randint(0, 9) for _ in range(r.randint(0, 4))]


def chain(r: Chance, looped: bool) -> Node:
    """A linked list, perhaps with a loop at its end."""
    nodes = [Node(i) for i in range(r.randint(1, 7))]
    for one, other in pairwise(nodes):
        one.successor = other
    if looped and r.random() < 0.5:
        nodes[-1].successor = r.choice(nodes)
    return nodes[0]


def graph(r: Chance, ordered: bool = False) -> list[Node]:
    """A graph; without cycles if `ordered`, and then in a random order."""
    nodes = [Node(i) for i in range(r.randint(2, 7))]
    for one in nodes:
        for other in nodes:
            if one is not other and r.random() < 0.3 and (not ordered or one.value < other.value):
                one.successors.append(other)
                one.outgoing_nodes.append(other)
                other.incoming_nodes.append(one)
    if ordered:
        r.shuffle(nodes)
    return nodes


def two_nodes(r: Chance) -> tuple[Any, ...]:
    """A start and a goal of one graph."""
    nodes = graph(r)
    return r.choice(nodes), r.choice(nodes)


def weighted_walk(r: Chance) -> tuple[Any, ...]:
    """Edge lengths of a graph, a start and a goal."""
    nodes = graph(r)
    lengths = {(one, other): r.randint(1, 9) for one in nodes for other in one.successors}
    return lengths, r.choice(nodes), r.choice(nodes)


def edges(r: Chance, names: list[Any], share: float = 0.5, distinct: bool = False) -> dict[tuple[Any, Any], int]:
    """Weights of some edges; all different if `distinct`, so that there is one best tree."""
    pairs = [(a, b) for a in names for b in names if (a < b if distinct else a != b) and r.random() < share]
    weights = r.sample(range(1, 100), len(pairs)) if distinct else [r.randint(1, 15) for _ in pairs]
    return dict(zip(pairs, weights, strict=True))


def nearly_sorted(r: Chance) -> tuple[list[int], int]:
    """A list in which no element is further than k from its place."""
    k = r.randint(0, 4)
    items = sorted(ints(r, most=10, least=k))
    for start in range(0, len(items) - k, k + 1):
        block = items[start : start + k + 1]
        r.shuffle(block)
        items[start : start + k + 1] = block
    return items, k


def not_last(r: Chance) -> list[int]:
    """A permutation that has a next one."""
    items = r.sample(range(9), r.randint(2, 6))
    return items if items != sorted(items, reverse=True) else sorted(items)


def infix(r: Chance) -> list[Any]:
    """An infix expression as tokens."""
    tokens: list[Any] = [r.randint(1, 20)]
    for _ in range(r.randint(0, 5)):
        tokens += [r.choice("+-*/"), r.randint(1, 20)]
    return tokens


def postfix(r: Chance) -> list[Any]:
    """A postfix expression as tokens."""
    tokens: list[Any] = [float(r.randint(1, 9))]
    for _ in range(r.randint(0, 5)):
        tokens += [*(postfix(r) if r.random() < 0.3 else [float(r.randint(1, 9))]), r.choice("+-*/")]
    return tokens


def picked(r: Chance, most: int = 8) -> tuple[list[int], int]:
    """A list that is not empty and an index of it."""
    items = ints(r, most=most, least=1)
    return items, r.randrange(len(items))


def sought(r: Chance) -> tuple[list[int], int]:
    """A sorted list and a number."""
    return sorted(ints(r)), r.randint(-6, 21)


def text(r: Chance) -> str:
    """Words, none longer than five letters."""
    return " ".join(word(r, most=4) + "e" for _ in range(r.randint(0, 12)))


def two_words(r: Chance) -> tuple[str, str]:
    """Two short strings."""
    return word(r), word(r)


ARGUMENTS: dict[str, Callable[[Chance], tuple[Any, ...]]] = {
    "bitcount": lambda r: (r.randint(0, 2000),),
    "breadth_first_search": two_nodes,
    "bucketsort": lambda r: (ints(r, 0, 8), 9),
    "depth_first_search": two_nodes,
    "detect_cycle": lambda r: (chain(r, looped=True),),
    "find_first_in_sorted": sought,
    "find_in_sorted": sought,
    "flatten": lambda r: (nested(r),),
    "gcd": lambda r: (r.randint(0, 200), r.randint(0, 200)),
    "get_factors": lambda r: (r.randint(1, 300),),
    "hanoi": lambda r: (r.randint(0, 6), *r.choice([(), (1, 3), (2, 1)])),
    "is_valid_parenthesization": lambda r: (word(r, "()", 10),),
    "kheapsort": nearly_sorted,
    "knapsack": lambda r: (r.randint(0, 30), [[r.randint(1, 12), r.randint(1, 30)] for _ in range(r.randint(0, 6))]),
    "kth": picked,
    "lcs_length": two_words,
    "levenshtein": two_words,
    "lis": lambda r: (r.sample(range(40), r.randint(0, 10)),),
    "longest_common_subsequence": two_words,
    "max_sublist_sum": lambda r: (ints(r, -10, 10),),
    "mergesort": lambda r: (ints(r),),
    "minimum_spanning_tree": lambda r: (edges(r, list(range(r.randint(2, 6))), 0.6, distinct=True),),
    "next_palindrome": lambda r: ([r.randint(1, 9), *(r.choice([0, 5, 9, 9, r.randint(0, 9)]) for _ in range(r.randint(0, 4)))],),
    "next_permutation": lambda r: (not_last(r),),
    "pascal": lambda r: (r.randint(1, 10),),
    "possible_change": lambda r: (sorted(r.sample([1, 2, 5, 10, 25], r.randint(0, 4))), r.randint(0, 40)),
    "powerset": lambda r: (r.sample("abcdef", r.randint(0, 5)),),
    "quicksort": lambda r: (ints(r),),
    "reverse_linked_list": lambda r: (chain(r, looped=False),),
    "rpn_eval": lambda r: (postfix(r),),
    "shortest_path_length": weighted_walk,
    "shortest_path_lengths": lambda r: (4, edges(r, [0, 1, 2, 3])),
    "shortest_paths": lambda r: ("A", {("A", "B"): 3, **edges(r, list("ABCDE"))}),
    "shunting_yard": lambda r: (infix(r),),
    "sieve": lambda r: (r.randint(1, 80),),
    "sqrt": lambda r: (r.randint(1, 60), r.choice([0.5, 0.1, 0.01])),
    "subsequences": lambda r: (r.randint(0, 4), r.randint(4, 9), r.randint(0, 4)),
    "to_base": lambda r: (r.randint(1, 500), r.randint(2, 16)),
    "topological_ordering": lambda r: (graph(r, ordered=True),),
    "wrap": lambda r: (text(r), r.randint(6, 20)),
}
CLOSE = {"sqrt"}  # the last argument is the tolerance


def seen(value: Any) -> Any:
    """A result as something that can be compared."""
    if isinstance(value, Node):
        return [v for v, _ in zip(walked(value), range(20), strict=False)]
    if isinstance(value, (list, tuple)):
        return [seen(v) for v in value]
    if isinstance(value, dict):
        return sorted(((repr(seen(k)), seen(v)) for k, v in value.items()), key=repr)
    if isinstance(value, (set, frozenset)):
        return sorted((seen(v) for v in value), key=repr)
    return [seen(v) for v in value] if hasattr(value, "__next__") else value


def walked(node: Node | None) -> Any:
    """The values along a linked list; for a graph node its own."""
    while node is not None:
        yield node.value
        node = node.successor


def outcome(function: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
    """Whether a program gave a result, and which; or what it raised."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        return True, seen(function(*copy.deepcopy(arguments)))
    except Exception as error:  # noqa: BLE001 - whatever the program under test raises is its outcome
        return False, type(error).__name__
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def equal(name: str, arguments: tuple[Any, ...], one: Any, other: Any) -> bool:
    """Whether two results are the same, within the tolerance where there is one."""
    if name in CLOSE:
        return isinstance(other, (int, float)) and math.isclose(one, other, rel_tol=0, abs_tol=arguments[-1])
    return bool(one == other)


def difference(name: str, mended: Callable[..., Any], reference: Callable[..., Any]) -> str:
    """The first input on which two programs differ, "" where they agree. Inputs the reference does not take do not count."""
    chance = random.Random(f"swesearch {name}")
    for _ in range(INPUTS):
        arguments = ARGUMENTS[name](chance)
        good, expected = outcome(reference, arguments)
        if not good:
            continue
        done, got = outcome(mended, arguments)
        if not done or not equal(name, arguments, expected, got):
            return f"{name}{seen(arguments)!r}: {got!r} instead of {expected!r}"[:500]
    return ""


def _slow(_: int, __: FrameType | None) -> None:
    raise Slow


def main(name: str) -> int:
    """Compare the programs beside this file."""
    signal.signal(signal.SIGALRM, _slow)
    sys.setrecursionlimit(3000)
    mended, reference = (getattr(importlib.import_module(module), name) for module in ("mended", "reference"))
    found = difference(name, mended, reference)
    print(found or "agrees")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
