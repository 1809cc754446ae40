"""The cases of the suite: what is broken, what it needs, and how an undisturbed run ends."""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.chaos.look import below, nothing_left, nothing_lost, result, same_result
from benchmarks.chaos.place import Place, modelled, place
from swesearch.testing.faults import Fault


@dataclass(eq=False)
class Stage:
    """What a case works with: a folder, chance, which sandbox, and undisturbed runs to compare with."""

    folder: Path
    seed: int
    rounds: int  # how often a case tries another random moment
    sandbox: str = "local"
    chance: random.Random = field(init=False)
    _made: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    def place(self, **options: Any) -> AbstractContextManager[Place]:
        """A fresh place without a model."""
        return place(self._fresh(), **{"sandbox": self.sandbox, "before": below(os.getpid()), **options})

    def modelled(self, faults: Callable[[int], Fault | None] | Sequence[Fault | None] = ()) -> AbstractContextManager[Place]:
        """A fresh place with a provider."""
        return modelled(self._fresh(), faults, before=below(os.getpid()))

    def _fresh(self) -> Path:
        self._made += 1
        return self.folder / str(self._made)

    @property
    def quiet(self) -> Mapping[str, Any]:
        """What an undisturbed run comes to."""
        return _quiet(False)

    def whole(self, made: Place) -> None:
        """Raises Lost where something that was told is lost, was done twice or left behind, or the result is another."""
        nothing_lost(made)
        nothing_left(made)
        same_result(made, _quiet(made.provider is not None))


@cache
def _quiet(asks: bool) -> Mapping[str, Any]:
    """What an undisturbed run comes to, one that asks a model or one that does not: the same in every sandbox, and every time."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        begun = modelled if asks else place
        with begun(Path(folder) / "quiet", before=below(os.getpid())) as made:
            made.fix().ends(0)
            nothing_left(made)
            return result(made)


@dataclass(frozen=True)
class Case:
    """One way to break a run. `act` says in a few words what happened; raises Lost."""

    name: str
    broken: str
    act: Callable[[Stage], str]
    needs: tuple[str, ...] = ()
    quick: bool = True  # in the reduced form


CASES: dict[str, Case] = {}


def case(name: str, broken: str, *needs: str, quick: bool = True) -> Callable[[Callable[[Stage], str]], Callable[[Stage], str]]:
    """Add a case to the suite."""

    def add(act: Callable[[Stage], str]) -> Callable[[Stage], str]:
        CASES[name] = Case(name, broken, act, needs, quick)
        return act

    return add


def missing(needs: Sequence[str]) -> str:
    """Why a case cannot be run here; empty where it can."""
    return next(filter(None, map(_lack, ("linux", *needs))), "")


def _lack(need: str) -> str:
    if need == "linux":
        return "" if sys.platform.startswith("linux") else "needs Linux"
    if need == "root":
        return "" if os.geteuid() == 0 else "needs root, to mount a small disk"
    if need in ("docker", "bubblewrap"):
        return _problem(need)
    return "" if shutil.which(need) else f"needs {need}"


@cache
def _problem(sandbox: str) -> str:
    from sandbox.choose import survey

    return survey()[sandbox]


@contextmanager
def stage(seed: int, rounds: int) -> Iterator[Stage]:
    """A stage in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
        yield Stage(Path(folder), seed, rounds)
