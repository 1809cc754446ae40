"""The names by which plain git knows the states of a run: n0, n1, ... for its nodes, A, B, ... for what it hands over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from swesearch.base import Event, UsageError
from swesearch.codec import decode
from swesearch.runs import Run
from swesearch.store import Store
from swesearch.store.named import Named, look, name_states


def git(run: Run, arguments: Sequence[str], *, capture: bool = False) -> tuple[int, bytes]:
    """Run one of git's reading commands among the states of a run: its exit code, and with `capture` what it printed.

    Raises UsageError for a command that does not only read, and for a run that has no state yet.
    """
    events = list(run.events())
    named = [*_nodes(events), *_results(events)]
    if not named:
        raise UsageError(f"run {run.id} has no state yet")
    store = Store.open(run.task.repo, run.store)
    try:
        name_states(store, named, float(events[0].data["time"]))
        return look(store, arguments, capture=capture)
    finally:
        store.close()


def _nodes(events: Sequence[Event]) -> Iterator[Named]:
    for data in (event.data for event in events if event.kind == "node"):
        parent = f"n{data['parent']}" if data["parent"] is not None else None
        what = "passes" if data["solved"] else f"value {data['value']:.2f}"
        yield Named(f"n{data['id']}", data["tree"], parent, f"n{data['id']}: {data['why'] or 'the code as it is'}\n\n{what}")


def _results(events: Sequence[Event]) -> Iterator[Named]:
    """What the run hands over, each as one change of the code as it was. Letters end with Z, and so do those who read on."""
    last = next((event.data["solution"] for event in reversed(events) if event.kind == "solution"), None)
    found = decode(last) if last else None
    candidates = (found.best, *found.alternatives) if found else ()
    for letter, each in zip(ascii_uppercase, candidates, strict=False):
        if each is not None:
            why = each.attempt.action.why if each.attempt.action else "a patch"
            yield Named(letter, each.attempt.state.tree, "n0", f"{letter}: {why}")
