"""What came of an instance as the files of SWE-agent (.traj) and mini-swe-agent (.traj.json), made from the run's journal."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from benchmarks.swebench.base import Outcome
from benchmarks.swebench.preds import put
from swesearch.export.told import Told, told
from swesearch.export.trajectory import End, mini_swe_agent, swe_agent
from swesearch.journal import Journal
from swesearch.runs import JOURNAL


def write(home: Path, outcome: Outcome) -> None:
    """Write both files into `home`, the folder of the instance. Raises JournalError where the journal cannot be read."""
    found, name = _told(home / "runs" / outcome.run / JOURNAL, outcome), outcome.instance
    finalists = tuple({key: asdict(each)[key] for key in ("patch", "verified", "value")} for each in outcome.finalists)
    end = End(name, outcome.run, outcome.exit_status, outcome.patch, outcome.cost, finalists)
    put(home / f"{name}.traj", json.dumps(swe_agent(found, end), indent=1) + "\n")
    put(home / f"{name}.traj.json", json.dumps(mini_swe_agent(found, end), indent=1) + "\n")


def _told(path: Path, outcome: Outcome) -> Told:
    if not outcome.run or not path.is_file():
        return Told()
    journal = Journal.read(path)
    try:
        return told([event for _, event in journal.events()])
    finally:
        journal.close()
