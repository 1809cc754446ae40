"""Clocks that jump: the wall clock must not matter, whichever way it goes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.chaos.case import FAKETIME, Stage, case
from benchmarks.chaos.place import must


@case("clock-forward", "the wall clock jumps ten years ahead in the middle of a search", "faketime")
def forward(stage: Stage) -> str:
    """No limit of time is reached, no box is taken for abandoned."""
    return _jumped(stage, "+3650d")


@case("clock-back", "the wall clock jumps ten years back in the middle of a search", "faketime")
def back(stage: Stage) -> str:
    """The same."""
    return _jumped(stage, "-3650d")


def _jumped(stage: Stage, by: str) -> str:
    with stage.place() as made:
        when = made.folder / "when"
        when.write_text("+0d")
        made.environ |= {
            "LD_PRELOAD": str(FAKETIME[0]), "FAKETIME_TIMESTAMP_FILE": str(when), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        }  # fmt: skip
        running = made.fix()
        running.until_nodes(3)
        _set(when, by)
        running.ends(0)
        seconds = float(running.events[-1]["seconds"])
        must(0 < seconds < 600, f"it says that it took {seconds} s")
        stage.whole(made)
        return f"the run does not notice: the same result, {seconds:.0f} s on its own clock"


def _set(file: Path, by: str) -> None:
    draft = file.with_suffix(".new")
    draft.write_text(by)
    draft.replace(file)
