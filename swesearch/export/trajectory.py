"""The winning path of a search in the formats of SWE-agent (.traj) and mini-swe-agent (.traj.json).

A search is a tree. The path from the code as it was to what was handed over is told step by step; every other state that was tried
is listed in `info`, so that all attempts and the choice among them can be seen.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from swesearch import __version__
from swesearch.base import Action, Candidate, Cost, Create, Delete, Edit, Rename, Replace
from swesearch.codec import decode
from swesearch.export.told import Told, observation, why

STATUS: Mapping[str, str] = {"solved": "Submitted", "budget": "LimitsExceeded", "interrupted": "Interrupted"}  # names that users know


@dataclass(frozen=True, slots=True)
class End:
    """How a run ended, as the formats say it."""

    instance: str
    run: str
    exit_status: str
    patch: str
    cost: Cost = field(default_factory=Cost)
    finalists: tuple[Mapping[str, Any], ...] = ()  # patch, verified, value


def ending(run: str, told: Told) -> End:
    """How the run with this id ended."""
    found = told.solution
    candidates = (*((found.best,) if found and found.best else ()), *(found.alternatives if found else ()))
    patch = _patch(found.best) if found and found.best else ""
    cost = found.cost if found else Cost(seconds=told.seconds)
    return End(run, run, STATUS.get(told.state, told.state.capitalize()), patch, cost, tuple(map(_finalist, candidates)))


def swe_agent(told: Told, end: End) -> dict[str, Any]:
    """A .traj file."""
    steps = [
        {
            "thought": why(node),
            "action": _action(node),
            "observation": observation(node),
            "response": why(node),
            "state": {"tree": node["tree"]},
            "query": [],
            "execution_time": node["seconds"],
        }
        for node in told.path
    ]
    history = [{"role": "user", "content": _issue(told), "agent": "main", "message_type": "observation"}]
    for step in steps:
        history.append(
            {"role": "assistant", "content": f"{step['thought']}\n{step['action']}".strip(), "agent": "main", "message_type": "action"}
        )
        history.append({"role": "user", "content": step["observation"], "agent": "main", "message_type": "observation"})
    stats = {"instance_cost": end.cost.dollars, "tokens": end.cost.tokens, "api_calls": told.calls}
    info = {"exit_status": end.exit_status, "submission": end.patch, "model_stats": stats, "swesearch": _all(told, end)}
    return {"trajectory": steps, "history": history, "info": info, "environment": "swesearch"}


def mini_swe_agent(told: Told, end: End) -> dict[str, Any]:
    """A .traj.json file, format mini-swe-agent-1.1."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": f"swesearch {__version__}: the path of a tree search to what was handed over"},
        {"role": "user", "content": _issue(told)},
    ]
    for node in told.path:
        acts = [{"command": text} for text in _action(node).splitlines()]
        messages.append({"role": "assistant", "content": why(node), "extra": {"actions": acts, "timestamp": told.began}})
        messages.append({"role": "user", "content": observation(node), "extra": {"returncode": int(not node["solved"])}})
    messages.append({"role": "exit", "content": end.patch, "extra": {"exit_status": end.exit_status, "submission": end.patch}})
    info = {
        "model_stats": {"instance_cost": end.cost.dollars, "api_calls": told.calls},
        "config": {"agent": "swesearch", "run": end.run},
        "mini_version": "",
        "exit_status": end.exit_status,
        "submission": end.patch,
        "swesearch": _all(told, end),
    }
    return {"info": info, "messages": messages, "trajectory_format": "mini-swe-agent-1.1", "instance_id": end.instance}


def _all(told: Told, end: End) -> dict[str, Any]:
    """Every state of the tree, and every patch that could have been handed over."""
    keys = ("id", "parent", "why", "value", "solved")
    return {
        "version": __version__,
        "run": end.run,
        "nodes": [{key: node[key] for key in keys} for node in told.nodes],
        "path": [node["id"] for node in told.path],
        "finalists": [dict(each) for each in end.finalists],
    }


def _finalist(candidate: Candidate) -> dict[str, Any]:
    return {"patch": _patch(candidate), "verified": candidate.verified, "value": candidate.attempt.evaluation.value}


def _patch(candidate: Candidate) -> str:
    return candidate.patch.decode(errors="replace")


def _issue(told: Told) -> str:
    return told.task.issue if told.task else ""


def _action(node: Mapping[str, Any]) -> str:
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


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
