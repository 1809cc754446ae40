"""Two evaluations, paired instance by instance."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.swebench.base import BenchError
from benchmarks.swebench.outputs import Results
from benchmarks.swebench.stats import mcnemar, wilson


@dataclass(frozen=True, slots=True)
class Comparison:
    """What both resolve, what only one does, and the chance of so uneven a split if both were equally good (McNemar, exact)."""

    first: str
    second: str
    both: tuple[str, ...]
    neither: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    left_out: tuple[str, ...]  # no verdict in one of them
    p: float

    @property
    def paired(self) -> int:
        """How many instances both have a verdict on."""
        return len(self.both) + len(self.neither) + len(self.only_first) + len(self.only_second)

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self) | {"paired": self.paired}

    def rows(self) -> Iterator[str]:
        """As lines of text."""
        for name, own in (("A", self.only_first), ("B", self.only_second)):
            resolved = len(self.both) + len(own)
            low, high = wilson(resolved, self.paired)
            folder = self.first if name == "A" else self.second
            yield f"{name}  {folder}: {resolved} of {self.paired} resolved, {resolved / self.paired:.1%} ({low:.1%} to {high:.1%})"
        yield f"both {len(self.both)}, neither {len(self.neither)}, left out for want of a verdict {len(self.left_out)}"
        yield from _listed("only A", self.only_first)
        yield from _listed("only B", self.only_second)
        yield f"McNemar's exact test: p = {self.p:.3g}{'' if self.p < 0.05 else ', so chance alone may explain the difference'}"


def compare(first: Path, second: Path) -> Comparison:
    """Pair two results folders. Raises BenchError where there is nothing to pair."""
    a, b = _verdicts(first), _verdicts(second)
    paired = sorted(a.keys() & b.keys())
    known = [name for name in paired if a[name] is not None and b[name] is not None]
    if not known:
        raise BenchError(f"{first} and {second} have no graded instance in common")
    split = {(x, y): tuple(name for name in known if (a[name], b[name]) == (x, y)) for x in (True, False) for y in (True, False)}
    left_out = tuple(sorted((a.keys() | b.keys()) - set(known)))
    p = mcnemar(len(split[True, False]), len(split[False, True]))
    return Comparison(str(first), str(second), split[True, True], split[False, False], split[True, False], split[False, True], left_out, p)


def _verdicts(folder: Path) -> dict[str, bool | None]:
    """Whether each instance is resolved; None where nobody knows."""
    return {result.instance: result.grade.status == "resolved" if result.grade else None for result in Results.read(folder)}


def _listed(title: str, names: tuple[str, ...]) -> Iterator[str]:
    yield f"{title}: {len(names)}"
    yield from (f"  {name}" for name in names)
