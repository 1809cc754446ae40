"""What a planner believes, and what an executor is to make of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One belief about the cause of the bug, with the way to act on it."""

    cause: str  # what is wrong, in a sentence or two
    files: tuple[str, ...]  # paths that would have to change
    approach: str  # what to change
    falsifier: str  # what would be seen if it were wrong
    prior: float  # the planner's own chance that it is right, in (0, 1]

    @property
    def why(self) -> str:
        """The hypothesis in one line."""
        return " ".join(f"{self.cause} {self.approach}".split())[:200]
