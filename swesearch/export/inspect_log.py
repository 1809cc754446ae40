"""A run as a log of Inspect (inspect_ai), format 2: one task with one sample, for `inspect view` and `read_eval_log`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from swesearch import __version__
from swesearch.export.told import Told, observation, why

USAGE = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "input_tokens_cache_read",
    "cache_write": "input_tokens_cache_write",
}
STATUS = {"interrupted": "cancelled", "unfinished": "started", "sandbox": "error", "model": "error", "check": "error", "usage": "error"}
NO_MODEL = "none/none"  # nobody was asked: templates repair


def inspect_log(run: str, told: Told) -> dict[str, Any]:
    """The log. The sample's messages are the way to what was handed over; its score is whether that was verified."""
    models = _usage(told)
    began, ended = _time(told.began), _time(told.began + told.seconds)
    status = STATUS.get(told.state, "success")
    metadata = {"swesearch": __version__, "state": told.state, "nodes": len(told.nodes)}
    return {
        "version": 2,
        "status": status,
        "eval": {
            "created": began, "task": "swesearch/repair", "task_id": run, "run_id": run, "model": next(iter(models), NO_MODEL),
            "dataset": {"name": "one repository", "samples": 1, "sample_ids": [run]}, "config": {"epochs": 1},
            "packages": {"swesearch": __version__}, "metadata": metadata,
        },
        "plan": {"name": "swesearch", "steps": []},
        "results": {"total_samples": 1, "completed_samples": int(status == "success"), "scores": [_total(told)]},
        "stats": {"started_at": began, "completed_at": ended, "model_usage": models},
        **({"error": {"message": told.error, "traceback": "", "traceback_ansi": ""}} if status == "error" else {}),
        "samples": [_sample(run, told, models)],
    }  # fmt: skip


def _sample(run: str, told: Told, models: Mapping[str, Any]) -> dict[str, Any]:
    best = told.solution.best if told.solution else None
    patch = best.patch.decode(errors="replace") if best else ""
    reasons = "\n".join(best.reasons) if best else told.solution.why if told.solution else ""
    return {
        "id": run, "epoch": 1, "input": _input(told), "target": "", "messages": _messages(told),
        "output": {"model": next(iter(models), NO_MODEL), "choices": [_choice(patch)], "completion": patch},
        "scores": {"verified": {"value": "C" if best else "I", "answer": patch, "explanation": reasons}},
        "metadata": {"nodes": [{key: node[key] for key in ("id", "parent", "why", "value", "solved", "tree")} for node in told.nodes]},
        "model_usage": dict(models), "total_time": told.seconds,
    }  # fmt: skip


def _total(told: Told) -> dict[str, Any]:
    value = float(bool(told.solution and told.solution.best))
    accuracy = {"name": "accuracy", "value": value, "params": {}}
    return {"name": "verified", "scorer": "verified", "params": {}, "metrics": {"accuracy": accuracy}}


def _choice(patch: str) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": patch, "source": "generate"}, "stop_reason": "stop"}


def _messages(told: Told) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = [{"role": "user", "content": _input(told), "source": "input"}]
    for node in told.path:
        messages.append({"role": "assistant", "content": why(node)})
        messages.append({"role": "user", "content": observation(node)})
    return messages


def _input(told: Told) -> str:
    checks = [f"$ {' '.join(check.command)}" for check in told.task.checks] if told.task else []
    return "\n\n".join(filter(None, [told.task.issue if told.task else "", "\n".join(checks)]))


def _usage(told: Told) -> dict[str, dict[str, Any]]:
    """Tokens and dollars by model."""
    found: dict[str, dict[str, Any]] = {}
    for reply in (reply for replies in told.replies.values() for reply in replies):
        kept = found.setdefault(reply["model"] or NO_MODEL, {"total_tokens": 0, "total_cost": 0.0, **dict.fromkeys(USAGE.values(), 0)})
        for ours, theirs in USAGE.items():
            kept[theirs] += reply["usage"][ours]
            kept["total_tokens"] += reply["usage"][ours]
        kept["total_cost"] += reply["dollars"]
    return found


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
