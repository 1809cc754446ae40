"""The least of a change that still does the job."""

from __future__ import annotations

from collections.abc import Callable

from swesearch.base import State
from swesearch.discriminator.hunks import Hunk, hunks, rebuild
from swesearch.store import Store


def minimise(store: Store, root: State, result: State, still_good: Callable[[State], bool], most: int = 64) -> State:
    """`result` without every hunk that is not needed: what is left was found good, or is `result` itself.

    Drops halves, then quarters, and so on to single hunks, as delta debugging does (Zeller and Hildebrandt, "Simplifying
    and isolating failure-inducing input", 2002). At most `most` calls of `still_good`; the root itself is never tried.
    """
    every = kept = hunks(store, root, result)
    state, tries, size = result, most, len(kept) // 2
    while size:
        for fewer in _shorter(kept, size):
            if not tries:
                return state
            tries -= 1
            candidate = rebuild(store, root, result, set(every) - set(fewer))
            if still_good(candidate):
                state, kept = candidate, fewer
                break
        else:
            size //= 2
    return state


def _shorter(kept: tuple[Hunk, ...], size: int) -> list[tuple[Hunk, ...]]:
    """`kept` without each run of `size` hunks."""
    return [fewer for start in range(0, len(kept), size) if (fewer := kept[:start] + kept[start + size :])]
