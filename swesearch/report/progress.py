"""How far a run is, folded from its events; and the one line that tells of an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from swesearch.base import Event
from swesearch.report.text import line

STOPPED = {
    "solved": "found a fix",
    "budget": "the budget is used up",
    "exhausted": "nothing is left to try",
    "interrupted": "interrupted",
    "sandbox": "the sandbox failed",
    "model": "the model's provider failed",
    "abandoned": "given up: nothing improved",
    "abstained": "found something, but not certain enough",
    "unreproduced": "no test could be written for the issue",
    "usage": "it could not be carried out as it was put",
    "check": "the check cannot run here",
    "passes": "the check already passes",
    "damaged": "its journal is damaged",
}


@dataclass(slots=True)
class Progress:
    """What the live view shows. `most_*` is the budget, 0 for none."""

    most_evaluations: int = 0
    most_seconds: float = 0.0
    phase: str = "prepare"
    detail: str = ""
    evaluations: int = 0
    seconds: float = 0.0
    best: float = 0.0
    nodes: int = 0
    depth: int = 0
    rate: float = 0.0
    tokens: int = 0
    dollars: float = 0.0
    most_dollars: float = 0.0
    trying: str = ""

    def see(self, event: Event) -> None:
        """Take in an event."""
        data = event.data
        if event.kind == "phase":
            self.phase, self.detail, self.trying = data["name"], data.get("detail", ""), ""
        elif event.kind == "node":
            self.trying = data.get("why", "")
        elif event.kind == "progress":
            self.evaluations, self.seconds, self.best = data["evaluations"], data["seconds"], data["best"]
            self.nodes, self.depth, self.rate = data["nodes"], data["depth"], data["candidates_per_second"]
            self.tokens, self.dollars = data.get("tokens", 0), data.get("dollars", 0.0)
        elif event.kind == "steered":
            self._steered(data)

    def _steered(self, data: Mapping[str, Any]) -> None:
        """A pause and its end, and what was added where there is a limit."""
        self.phase = {"pause": "paused", "continue": "search"}.get(data["order"], self.phase)
        more = data.get("more", {})
        self.most_evaluations += int(more.get("evaluations", 0)) if self.most_evaluations else 0
        self.most_seconds += more.get("seconds", 0.0) if self.most_seconds else 0.0
        self.most_dollars += more.get("dollars", 0.0) if self.most_dollars else 0.0

    def summary(self) -> str:
        """Where the run stands, on one line."""
        parts = [
            line(self.phase, 20),
            f"{_of(self.evaluations, self.most_evaluations)} evaluations",
            f"{_of(self.seconds, self.most_seconds)} s",
            f"best {self.best:.2f}",
            f"{self.nodes} nodes, depth {self.depth}",
            f"{self.rate:.1f}/s",
        ]
        if self.tokens:
            parts[-1:] = [f"${self.dollars:.3f}{f'/{self.most_dollars:g}' if self.most_dollars else ''}", f"{self.tokens:,} tokens"]
        return " | ".join(parts)


def told(event: Event, verbose: bool = False) -> str:
    """What there is to say of an event on one line; empty where it is not worth one."""
    return line(_told(event.kind, event.data, verbose), 400)


def _told(kind: str, data: Mapping[str, Any], verbose: bool) -> str:
    if kind == "started":
        return f"{'resuming' if data.get('resumed') else 'run'} {data['run']}: {data['repo']}, {data['strategy']}, seed {data['seed']}"
    if kind == "sandbox":
        return f"sandbox: {data['name']}, {_many(data['slots'], 'box', 'boxes')}. {data['why']}"
    if kind == "phase" and data["name"] != "done":
        return f"{data['name']}: {data['detail']}" if data.get("detail") else data["name"]
    if kind == "node" and (verbose or data.get("solved")):
        return f"{'passes' if data.get('solved') else format(data['value'], '.2f')}: {data.get('why') or 'the code as it is'}"
    if kind == "finalist":
        return f"candidate {data['rank']}, {'verified' if data['verified'] else 'not verified'}: {'; '.join(data['reasons'])}"
    if kind == "warning":
        return f"warning: {data['text']}"
    return _told_aside(kind, data)


def _told_aside(kind: str, data: Mapping[str, Any]) -> str:
    """What is no step of the search itself."""
    if kind == "steered":
        return f"{data['order']}{f' n{node}' if (node := data.get('node')) is not None else ''}: {data['effect']}"
    if kind == "alert":
        spent, since = data["spent"], data["since_gain"]
        used = f"{data['share']:.0%} of the budget is used (${spent['dollars']:.3f}, {spent['seconds']:.0f} s)"
        idle = f"; the last {since['attempts']} attempts (${since['dollars']:.3f}) gained nothing" if since["attempts"] else ""
        return f"{used}, best {data['best']:.2f}{idle}"
    if kind == "briefed" and data["removed"]:
        return "hidden text was removed: " + "; ".join(f"{layer}: {_counts(counts)}" for layer, counts in data["removed"].items())
    if kind == "stopped" and not data.get("error"):  # an error has a line of its own
        return f"stopped: {STOPPED.get(data['why'], data['why'])}"
    return ""


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {what}" for what, number in counts.items() if number)


def _of(used: float, most: float) -> str:
    return f"{used:.0f}/{most:.0f}" if most else f"{used:.0f}"


def _many(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"
