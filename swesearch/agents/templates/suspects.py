"""From suspicious lines to suspicious units: lines of one statement count together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from swesearch.agents.templates.source import File, Unit
from swesearch.code.localise import Suspicion

MOST = 400  # lines; the rest of the distribution is too thin to matter
FILES = 40
SUFFIXES = (".py", ".pyw", ".pyi")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A unit and the prior that the fix is there."""

    file: File
    unit: Unit
    score: float


def suspects(lines: Sequence[Suspicion], read: Callable[[str], bytes]) -> list[Suspect]:
    """The units of the most suspicious lines, scores summing to one. Files that are not Python are left out."""
    files: dict[str, File] = {}
    scores: dict[Unit, float] = {}
    for line in lines[:MOST]:
        if line.path not in files and line.path.endswith(SUFFIXES) and len(files) < FILES:
            files[line.path] = File(line.path, read(line.path))
        unit = files[line.path].unit(line.line) if line.path in files else None
        if unit is not None:
            scores[unit] = scores.get(unit, 0.0) + line.score
    total = sum(scores.values())
    return [Suspect(unit.file, unit, score / total) for unit, score in scores.items() if score > 0]
