"""Is a stated chance to be right as often right as it says? From rows that `benchmarks.agents --out` kept.

    python -m benchmarks.calibration FILE ...

The coefficients are also fitted to these rows. Those are judged on bugs they were not fitted to: each bug's rows are left out in turn.
A Brier score is the mean of (chance - outcome)^2 (Brier, 1950): 0 is perfect, that of always saying the base rate is the one to beat.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from swesearch.discriminator.confidence import STATED, Evidence, confidence, fit

BINS = 5


@dataclass(frozen=True, slots=True)
class Winner:
    """A patch that was handed over: for which bug, what spoke for it, whether it is right."""

    bug: str
    evidence: Evidence
    right: bool


Said = Sequence[tuple[float, bool]]  # a chance and what came of it


def read(lines: Iterable[str]) -> list[Winner]:
    """The winners among rows of results. Rows of searches that handed nothing over have none."""
    rows = map(json.loads, lines)
    return [Winner(row["bug"], Evidence(**row["evidence"]), row["solved"]) for row in rows if row.get("evidence")]


def stated(winners: Sequence[Winner]) -> Said:
    """What the coefficients of the product say."""
    return [(confidence(each.evidence), each.right) for each in winners]


def fitted(winners: Sequence[Winner]) -> Said:
    """What coefficients say that were fitted to all other bugs."""
    bugs: dict[str, list[Winner]] = defaultdict(list)
    for each in winners:
        bugs[each.bug].append(each)
    found: list[tuple[float, bool]] = []
    for bug, own in bugs.items():
        coefficients = fit((each.evidence, each.right) for each in winners if each.bug != bug)
        found += [(confidence(each.evidence, coefficients), each.right) for each in own]
    return found


def base_rate(winners: Sequence[Winner]) -> Said:
    """The share of right ones, for each."""
    return [(mean(each.right for each in winners), each.right) for each in winners]


def brier(said: Said) -> float:
    """The mean squared error of the chances."""
    return mean((chance - right) ** 2 for chance, right in said)


def bins(said: Said) -> dict[int, tuple[int, float, float]]:
    """By which fifth the chance is in: how many, their mean chance, the share that is right."""
    found: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for chance, right in said:
        found[min(int(chance * BINS), BINS - 1)].append((chance, right))
    return {place: (len(own), mean(said for said, _ in own), mean(right for _, right in own)) for place, own in sorted(found.items())}


def table(ways: Mapping[str, Said]) -> str:
    """A line for each way of saying a chance, and each of its bins."""
    lines = ["| chance | Brier | said, on average -> right (winners) |", "|---|---:|---|"]
    for name, said in ways.items():
        shown = ", ".join(f"{chance:.2f} -> {right:.2f} ({count})" for count, chance, right in bins(said).values())
        lines.append(f"| {name} | {brier(said):.3f} | {shown} |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table, and the coefficients that fit all rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    winners = [each for file in parser.parse_args(arguments).files for each in read(file.read_text("utf-8").splitlines())]
    if not winners:
        print("error: no row has a winner with its evidence: make them with python -m benchmarks.agents --out FILE", file=sys.stderr)
        return 2
    ways = {"stated": stated(winners), "fitted to the other bugs": fitted(winners), "the base rate": base_rate(winners)}
    print(table(ways))
    found = fit((each.evidence, each.right) for each in winners)
    print("fitted to all: " + ", ".join(f"{name} {value:.2f} (stated {STATED[name]:.2f})" for name, value in found.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
