"""The settings of an evaluation's searches: those of the product, with what suits many searches at once."""

from __future__ import annotations

import os
from collections.abc import Sequence

from swesearch.cli.options import parse_budget
from swesearch.settings import Settings, load

CORES = 2  # evaluations at once in one search, where nothing else is said: instances run beside each other already


def settings_of(preset: str, given: Sequence[str], model: str | None, budget: Sequence[str], seed: int) -> Settings:
    """Files, environment, preset, -c and flags, in this order. Raises UsageError."""
    flags: dict[str, object] = {"search.seed": seed, **({"model.name": model} if model else {}), **parse_budget(budget)}
    settings = load(None, os.environ, preset, given, flags)
    return settings if settings.search.workers else settings.updated({"search": {"workers": CORES}}, "an evaluation")
