"""Runs as the files of other tools: graphs, trajectories, traces, evaluation logs. Formats are described in docs/export.md."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from swesearch.base import Event
from swesearch.export.graph import graphml
from swesearch.export.inspect_log import inspect_log
from swesearch.export.otlp import otlp
from swesearch.export.told import told
from swesearch.export.trajectory import ending, mini_swe_agent, swe_agent
from swesearch.report.story import story

JSON = "swesearch-run"  # the name of our own format
FORMATS: Mapping[str, Callable[[str, list[Event]], object]] = {
    "json": lambda _, events: {"format": JSON, **story(events)},
    "graphml": lambda _, events: graphml(told(events)),
    "traj": lambda run, events: swe_agent(told(events), ending(run, told(events))),
    "mini": lambda run, events: mini_swe_agent(told(events), ending(run, told(events))),
    "otel": lambda run, events: otlp(run, told(events)),
    "inspect": lambda run, events: inspect_log(run, told(events)),
}


def export(run: str, events: Iterable[Event], form: str) -> str:
    """The file of a run with this id in one of FORMATS. Raises KeyError for any other."""
    return written(FORMATS[form](run, list(events)))


def written(made: object) -> str:
    """What a format is made of, as text."""
    text = made if isinstance(made, str) else json.dumps(made, indent=1, ensure_ascii=False) + "\n"
    return text.encode("utf-8", "replace").decode()  # bytes that are no text reach us as half characters: readers stumble over them
