"""Break real runs in every way we know, and print what was lost: scripts/chaos, or python -m benchmarks.chaos

Exit code 0: nothing was lost. What cannot be tried on this machine is named, with the reason.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.chaos import clock, deaths, disks, people, providers  # noqa: F401 (each adds its cases)
from benchmarks.chaos.case import CASES, Case, missing, stage
from benchmarks.chaos.look import subreaper

NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `lost`: "" where the case could not be tried."""

    broken: str
    happened: str
    lost: str
    seconds: float = 0.0


def tried(one: Case, seed: int, rounds: int) -> Row:
    """What comes of a case."""
    if why := missing(one.needs):
        return Row(one.broken, f"not tried: {why}", "")
    began = time.monotonic()
    try:
        with subreaper(), stage(seed, rounds) as on:
            return Row(one.broken, one.act(on), NOTHING, time.monotonic() - began)
    except AssertionError as error:  # Lost, most of all
        return Row(one.broken, "", str(error), time.monotonic() - began)


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = ["| broken | what happened | lost |", "|---|---|---|"]
    return "\n".join([*lines, *(f"| {_cell(row.broken)} | {_cell(row.happened)} | {_cell(row.lost)} |" for row in rows)])


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def summary(rows: Sequence[Row]) -> int:
    """Print one line, and return the exit code: 1 where something was lost."""
    lost = sum(row.lost not in (NOTHING, "") for row in rows)
    print(f"{sum(bool(row.lost) for row in rows)} of {len(rows)} cases tried, {lost} lost something", file=sys.stderr)
    return int(lost > 0)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the reduced form: one random moment of each, no second Docker engine")
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=CASES, help=f"of {', '.join(CASES)}")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--rounds", type=int, default=10, help="random moments of a case that has several")
    parser.add_argument("--markdown", action="store_true", help="print the table only, in Markdown")
    given = parser.parse_args(arguments)
    chosen = [CASES[name] for name in given.only or CASES if given.only or CASES[name].quick or not given.quick]
    rows = []
    for one in chosen:
        row = tried(one, given.seed, 1 if given.quick else given.rounds)
        rows.append(row)
        if not given.markdown:
            print(f"{one.name:18} {row.seconds:5.1f} s  {row.happened or 'LOST: ' + row.lost}", flush=True)
    if given.markdown:
        print(table(rows))
    return summary(rows)


if __name__ == "__main__":
    sys.exit(main())
