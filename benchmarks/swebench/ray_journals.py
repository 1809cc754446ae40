"""What an instance leaves on a disk, copied between machines: journals event by event, and the records of gradings."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from swesearch.base import Event
from swesearch.journal import Journal
from swesearch.runs import JOURNAL

LONGEST = 2 << 20  # bytes of a log


class Row(NamedTuple):
    """An event of a run, with its number in the journal."""

    run: str
    number: int
    kind: str
    data: dict[str, Any]


def journals(home: Path, after: dict[str, int] | None = None) -> Iterator[Row]:
    """All events of all runs of an instance; of each run those behind number `after[run]`."""
    for path in sorted(home.glob(f"runs/*/{JOURNAL}")):
        run = path.parent.name
        journal = Journal.read(path)
        try:
            yield from (Row(run, number, event.kind, dict(event.data)) for number, event in journal.events((after or {}).get(run, 0)))
        finally:
            journal.close()


@dataclass(slots=True)
class Sent:
    """What of the journals below `home` was sent already."""

    home: Path
    numbers: dict[str, int] = field(default_factory=dict)

    def new(self) -> Iterator[Row]:
        """What is new since the last call."""
        for row in journals(self.home, self.numbers):
            self.numbers[row.run] = row.number
            yield row


def keep(home: Path, rows: Iterable[Row]) -> None:
    """Append to the copies below `home` what they do not hold yet. A copy that went another way is replaced from where it did."""
    for run, found in _by_run(rows).items():
        path = home / "runs" / run / JOURNAL
        if found[0].number == 1 and path.exists() and not _begins_with(path, found):
            shutil.rmtree(path.parent)
        _append(path, found)


def restore(home: Path, rows: Iterable[Row]) -> None:
    """Make the runs below `home` go on from `rows`. A journal that begins with them is newer, and stays."""
    for run, found in _by_run(rows).items():
        path = home / "runs" / run / JOURNAL
        if path.exists() and not _begins_with(path, found, whole=True):
            shutil.rmtree(path.parent)
        if not path.exists():
            _append(path, found)


def gradings(home: Path) -> dict[str, bytes]:
    """Verdicts and logs of the instance's gradings, by path beside its folder; of a long log the end."""
    found = sorted((home.parent / "grades" / home.name).glob("*"))
    return {str(path.relative_to(home.parent)): path.read_bytes()[-LONGEST:] for path in found if path.is_file()}


def keep_files(folder: Path, files: dict[str, bytes]) -> None:
    """Write what `gradings` gave."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _append(path: Path, rows: list[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal.open(path) if path.exists() else Journal.create(path)
    try:
        held = max((number for number, _ in journal.events(rows[0].number - 1)), default=rows[0].number - 1)
        for row in rows:
            if row.number > held:
                journal.append(Event(row.kind, row.data))
    finally:
        journal.close()


def _begins_with(path: Path, rows: list[Row], *, whole: bool = False) -> bool:
    """Whether a journal and `rows` begin alike, as far as the shorter goes; with `whole`, as far as `rows` go."""
    journal = Journal.read(path)
    try:
        held = [(event.kind, event.data) for _, event in islice(journal.events(), len(rows))]
    finally:
        journal.close()
    wanted = [(row.kind, row.data) for row in rows]
    return held == (wanted if whole else wanted[: len(held)])


def _by_run(rows: Iterable[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.run].append(row)
    return found
