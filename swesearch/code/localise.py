"""Where is the bug? Suspicious lines, and what the failing tests know about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.base import Kind


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How likely it is that the fix changes this line: a 1-based line of a repository file."""

    path: str
    line: int
    score: float


@dataclass(frozen=True, slots=True)
class Localisation:
    """What the failing tests say about the place of the bug and about the words of its fix."""

    lines: tuple[Suspicion, ...] = ()  # falling score; the scores sum to 1
    types: Mapping[str, Mapping[str, tuple[Kind, ...]]] = field(default_factory=dict)  # "path:line" -> expression -> kinds
    literals: tuple[str, ...] = ()  # Python source of literals the failing assertions compare with, expected values first
    errors: tuple[tuple[str, str], ...] = ()  # (exception class, message) of each failing test
    names: tuple[str, ...] = ()  # identifiers the messages mention: a missing attribute, name or keyword
