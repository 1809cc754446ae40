"""A run as JSON of our own: all that a reader is shown, in a form with a version. docs/export.md describes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from swesearch.base import Event
from swesearch.report.story import story

FORMAT = "swesearch-run"


def story_file(events: Iterable[Event]) -> dict[str, Any]:
    """The story, with the name of the format; its `version` grows where a field changes its meaning or goes."""
    return {"format": FORMAT, **story(events)}
