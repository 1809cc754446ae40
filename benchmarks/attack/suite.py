"""The whole suite, place after place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.attack import host as on_host
from benchmarks.attack import life, model
from benchmarks.attack.base import Finding
from benchmarks.attack.boxes import ATTACKS, Arena
from benchmarks.attack.ground import Ground, host
from benchmarks.attack.table import BOXES

PLACES = (*BOXES, "host", "model")


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: the places, attacks whose names hold one of `only`, and whether the slow ones are left out."""

    places: Sequence[str] = PLACES
    only: Sequence[str] = ()
    quick: bool = False

    def wants(self, name: str, slow: bool = False) -> bool:
        """Whether this attack is meant."""
        return not (self.quick and slow) and (not self.only or any(part.lower() in name.lower() for part in self.only))


def run(plan: Plan, folder: Path) -> Iterator[Finding]:
    """Every finding, as it is made. Raises SandboxUnavailable where a sandbox is not there."""
    for place in plan.places:
        (folder / place).mkdir()
        if place == "host":
            yield from on_host.run([attack for attack in on_host.HOST if plan.wants(attack.name, attack.slow)], folder / place)
        elif place == "model":
            yield from _model(plan, folder / place)
        else:
            yield from boxes(plan, place, folder / place)


def boxes(plan: Plan, backend: str, folder: Path) -> Iterator[Finding]:
    """The attacks in the boxes of one backend."""
    attacks = [attack for attack in ATTACKS if plan.wants(attack.name, attack.slow)]
    with host(folder) as about:
        ground = Ground(backend, folder)
        try:
            arena = Arena(ground, about)
            yield from arena.run(attacks)
            if plan.wants("the search, or its boxes, are killed", slow=True):
                yield from life.run(arena, folder / "life")
        finally:
            ground.close()
    if left := life.left_of(backend, ground.run):
        yield Finding(backend, "what the suite leaves behind", "everything is removed in the end", False, True, "", left)


def _model(plan: Plan, folder: Path) -> Iterator[Finding]:
    if not plan.wants("orders in words to a model"):
        return
    isolating = next((place for place in plan.places if place in ("docker", "bubblewrap")), "auto")
    with host(folder) as about:
        (folder / "run").mkdir()
        yield from model.run(isolating, folder / "run", about)
