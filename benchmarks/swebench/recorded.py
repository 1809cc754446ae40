"""Recorded patches, replayed: a proposer that asks no model. Whether a patch was right is left behind where the file is read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.swebench.base import BenchError
from benchmarks.swebench.recorded_diff import changes, edits_of
from swesearch.base import Action, Attempt, Edit, EditError, State, UsageError
from swesearch.store import Store
from swesearch.value.protect import protected

WHY = "recorded patch of "


@dataclass(frozen=True, slots=True)
class Recorded:
    """A patch that somebody made. There is no field for whether it is right."""

    source: str
    patch: str


def load_patches(path: Path) -> dict[str, tuple[Recorded, ...]]:
    """The patches of a JSONL file by instance. Raises BenchError naming the line."""
    return {name: tuple(Recorded(row["source"], row["patch"] or "") for row in rows) for name, rows in _rows(path)}


def load_truth(path: Path) -> dict[str, dict[str, bool | None]]:
    """What the same file says of each patch, by its source: right, wrong, or not known. For measuring, after everything is chosen."""
    return {name: {row["source"]: row.get("resolved") for row in rows} for name, rows in _rows(path)}


def _rows(path: Path) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BenchError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            yield str(row["instance_id"]), [{"source": str(each["source"]), **each} for each in row["patches"]]
        except (ValueError, KeyError, TypeError) as error:
            raise BenchError(f'{path}, line {number}: no {{"instance_id", "patches": [{{"source", "patch"}}]}}: {error!r}') from error


@dataclass(frozen=True, slots=True)
class Replayed:
    """A recorded patch that is still to be fitted to the code."""

    recorded: Recorded
    prior: float
    store: Store
    state: State

    @property
    def why(self) -> str:
        """Where it comes from."""
        return f"{WHY}{self.recorded.source}"

    def carry_out(self) -> Action:
        """The patch as edits. What it does to tests and to how they run is left out. Raises EditError where it does not fit."""
        known = self.store.files(self.state)
        edits: list[Edit] = []
        for change in changes(self.recorded.patch):
            if not any(protected(path, known) for path in change.paths):
                edits += edits_of(change, self._read)
        if not edits:
            raise EditError("the patch changes nothing that may be changed")
        return Action(tuple(edits), self.why, self.prior)

    def _read(self, path: str) -> bytes | None:
        try:
            return self.store.read(self.state, path)
        except UsageError:
            return None


class RecordedProposer:
    """Proposes each recorded patch once, on the code as it is; all are equally likely."""

    rounds = 1

    def __init__(self, patches: Sequence[Recorded], store: Store) -> None:
        self._patches, self._store = tuple(patches), store

    def propose(
        self,
        path: Sequence[Attempt],
        siblings: Sequence[Attempt] = (),  # noqa: ARG002 - the seam's shape
        others: Sequence[Attempt] = (),  # noqa: ARG002
    ) -> Iterator[Replayed]:
        """Yield the patches in the order of the record."""
        if len(path) == 1:
            yield from (Replayed(each, 1 / len(self._patches), self._store, path[-1].state) for each in self._patches)
