"""The winning path of a search in the formats of SWE-agent (.traj) and mini-swe-agent (.traj.json), made from the run's journal.

A search is a tree. The path from the code as it was to what was handed over is told step by step; every other state that was tried
is listed in `info`, so that all attempts and the choice among them can be seen. The journal itself stays where it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.swebench.base import Outcome
from benchmarks.swebench.preds import put
from swesearch import __version__
from swesearch.base import Action, Create, Delete, Edit, Event, Rename, Replace, Task
from swesearch.codec import decode
from swesearch.journal import Journal
from swesearch.runs import JOURNAL

ROOT_WHY = "the code as it is"


@dataclass(frozen=True, slots=True)
class Story:
    """What a journal tells of a search."""

    issue: str
    nodes: tuple[dict[str, Any], ...]
    path: tuple[dict[str, Any], ...]  # from the root on
    calls: int  # answers of models
    began: float


def write(home: Path, outcome: Outcome) -> None:
    """Write both files into `home`, the folder of the instance. Raises JournalError where the journal cannot be read."""
    story = _story(home / "runs" / outcome.run / JOURNAL, outcome)
    name = outcome.instance
    put(home / f"{name}.traj", json.dumps(_swe_agent(story, outcome), indent=1) + "\n")
    put(home / f"{name}.traj.json", json.dumps(_mini(story, outcome), indent=1) + "\n")


def _story(path: Path, outcome: Outcome) -> Story:
    if not outcome.run or not path.is_file():
        return Story("", (), (), 0, 0.0)
    journal = Journal.read(path)
    try:
        events = [event for _, event in journal.events()]
    finally:
        journal.close()
    begun = events[0].data
    task: Task = decode(begun["task"])
    nodes = tuple(dict(event.data) for event in events if event.kind == "node")
    calls = sum(event.kind == "memory" and str(event.data["key"]).startswith("reply:") for event in events)
    return Story(task.issue, nodes, _path(nodes, events), calls, begun["time"])


def _path(nodes: Sequence[dict[str, Any]], events: Sequence[Event]) -> tuple[dict[str, Any], ...]:
    """The nodes from the root to what was handed over; to the best one where nothing was, or it was made smaller afterwards."""
    chosen = next((event.data["node"] for event in reversed(events) if event.kind == "solution"), None)
    ranked = sorted(nodes, key=lambda node: (node["tree"] != chosen, -bool(node["solved"]), -node["value"], node["id"]))
    known, found = {node["id"]: node for node in nodes}, []
    node = ranked[0] if ranked else None
    while node is not None:
        found.append(node)
        node = known.get(node["parent"])
    return tuple(reversed(found))


def _swe_agent(story: Story, outcome: Outcome) -> dict[str, Any]:
    steps = [
        {
            "thought": node["why"] or ROOT_WHY,
            "action": _action(node),
            "observation": _observation(node),
            "response": node["why"] or ROOT_WHY,
            "state": {"tree": node["tree"]},
            "query": [],
            "execution_time": node["seconds"],
        }
        for node in story.path
    ]
    history = [{"role": "user", "content": story.issue, "agent": "main", "message_type": "observation"}]
    for step in steps:
        history.append(
            {"role": "assistant", "content": f"{step['thought']}\n{step['action']}".strip(), "agent": "main", "message_type": "action"}
        )
        history.append({"role": "user", "content": step["observation"], "agent": "main", "message_type": "observation"})
    stats = {"instance_cost": outcome.cost.dollars, "tokens": outcome.cost.tokens, "api_calls": story.calls}
    info = {"exit_status": outcome.exit_status, "submission": outcome.patch, "model_stats": stats, "swesearch": _all(story, outcome)}
    return {"trajectory": steps, "history": history, "info": info, "environment": "swesearch"}


def _mini(story: Story, outcome: Outcome) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": f"swesearch {__version__}: the path of a tree search to what was handed over"},
        {"role": "user", "content": story.issue},
    ]
    for node in story.path:
        acts = [{"command": text} for text in _action(node).splitlines()]
        messages.append({"role": "assistant", "content": node["why"] or ROOT_WHY, "extra": {"actions": acts, "timestamp": story.began}})
        messages.append({"role": "user", "content": _observation(node), "extra": {"returncode": int(not node["solved"])}})
    messages.append({"role": "exit", "content": outcome.patch, "extra": {"exit_status": outcome.exit_status, "submission": outcome.patch}})
    info = {
        "model_stats": {"instance_cost": outcome.cost.dollars, "api_calls": story.calls},
        "config": {"agent": "swesearch", "run": outcome.run},
        "mini_version": "",
        "exit_status": outcome.exit_status,
        "submission": outcome.patch,
        "swesearch": _all(story, outcome),
    }
    return {"info": info, "messages": messages, "trajectory_format": "mini-swe-agent-1.1", "instance_id": outcome.instance}


def _all(story: Story, outcome: Outcome) -> dict[str, Any]:
    """Every state of the tree, and every patch that could have been handed over."""
    keys = ("id", "parent", "why", "value", "solved")
    return {
        "version": __version__,
        "run": outcome.run,
        "nodes": [{key: node[key] for key in keys} for node in story.nodes],
        "path": [node["id"] for node in story.path],
        "finalists": [{"patch": each.patch, "verified": each.verified, "value": each.value} for each in outcome.finalists],
    }


def _action(node: dict[str, Any]) -> str:
    """The edits, one a line."""
    action: Action | None = decode(node["action"])
    return "\n".join(json.dumps(_edit(edit)) for edit in action.edits) if action else ""


def _edit(edit: Edit) -> dict[str, str]:
    match edit:
        case Replace(path, before, after):
            return {"replace": path, "before": _text(before), "after": _text(after)}
        case Create(path, content):
            return {"create": path, "content": _text(content)}
        case Delete(path):
            return {"delete": path}
        case Rename(path, to):
            return {"rename": path, "to": to}


def _observation(node: dict[str, Any]) -> str:
    said = [f"{term['name']}: {term['feedback'] or format(term['score'], '.2f')}" for term in node["terms"]]
    return "\n".join([f"value {node['value']:.2f}{', passes' if node['solved'] else ''}", *said])


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
