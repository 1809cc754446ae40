"""A small deterministic problem: spell a word by edits of one letter, each action with a prior, many ways to each word."""

from __future__ import annotations

from collections.abc import Callable

from swesearch.engine.loop import Outcome
from swesearch.engine.search import Search
from swesearch.engine.tree import Child, Lease

GOAL = "tree"
LETTERS = "etrx"


def actions(word: str) -> list[tuple[float, str]]:
    """What can be done to `word`, in order of falling prior: put any letter in any place."""
    found = [(1.0 / (2 + 4 * place + LETTERS.index(letter)), word[:place] + letter + word[place + 1 :])
             for place in range(len(word)) for letter in LETTERS]  # fmt: skip
    return sorted(found, reverse=True)


def value(word: str) -> float:
    """The share of letters in their right place."""
    return sum(a == b for a, b in zip(word, GOAL, strict=True)) / len(GOAL)


def expand(lease: Lease[str]) -> Outcome[str]:
    """The nth edit of the leased word. Words with an x are dead ends."""
    todo = actions(lease.item)
    if lease.nth >= len(todo):
        return Outcome(None, None)
    prior, word = todo[lease.nth]
    following = todo[lease.nth + 1][0] if lease.nth + 1 < len(todo) else None
    child = Child(word, word, value(word), prior, solved=word == GOAL, closed="x" in word, open=actions(word)[0][0])
    return Outcome(child, following)


def search(start: str = "ette", **options: object) -> Search[str]:
    """A search that starts from a word."""
    return Search(start, start, value(start), open=actions(start)[0][0], **options)  # type: ignore[arg-type]


def step(over: Search[str], doing: Callable[[Lease[str]], Outcome[str]] = expand) -> Lease[str] | None:
    """One ask and its tell."""
    lease = over.ask()
    if lease is not None:
        outcome = doing(lease)
        over.tell(lease, outcome.child, outcome.open, *outcome.more)
    return lease
