"""What a template yields."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """Put `after` in place of the bytes from `start` up to `end`. `why` is said as a request: "negate the condition"."""

    start: int
    end: int
    after: str
    weight: float
    why: str
