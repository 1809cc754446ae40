"""What candidates do on changed inputs of the tests, observed in the sandbox: the discriminator compares it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from swesearch.base import State
from swesearch.discriminator.mutate import behaviour, observing
from swesearch.discriminator.rules import literals_of
from swesearch.discriminator.select import Select
from swesearch.solve.prepare import Bench
from swesearch.value.checks import CheckRun

MOST, VARIANTS = 6, 12  # tests of each file whose inputs are changed, failing ones first; changes of each


Behave = Callable[[State], Mapping[str, str]]


def behaviour_on(bench: Bench) -> Behave:
    """What a state shows on changed inputs, looked at once for each."""
    return cache(lambda state: _behave(bench, state))


def selector(bench: Bench, behave: Behave) -> Select:
    """A discriminator that runs the candidates on changed inputs before it chooses."""
    failing = [name for check in bench.checks for name in check.baseline.failing]
    sources = [bench.store.read(bench.root, path) for check in bench.checks for path in _files(check)]
    literals = frozenset[object]().union(*map(literals_of, sources))
    return Select(bench.store, bench.root, failing, literals, behave, abreast=bench.sandbox.slots)


def _behave(bench: Bench, state: State) -> Mapping[str, str]:
    shown: dict[str, str] = {}
    for check in bench.checks:
        for path, names in _files(check).items():
            changed = observing(bench.store.read(bench.root, path), names[:MOST], VARIANTS)
            if changed is not None:
                shown |= behaviour(check.instead(state, path, changed).outcomes)
    return shown


def _files(check: CheckRun) -> Mapping[str, list[str]]:
    """The test files of a check, each with the names of its tests, failing ones first."""
    found: dict[str, list[str]] = {}
    for name in (*check.baseline.failing, *check.baseline.passing):
        path, _, test = name.partition("::")
        if test:
            found.setdefault(path, []).append(test)
    return found
