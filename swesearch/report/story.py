"""The story of a run as one JSON-able value, folded from its events: the report, the live view, `explain` and the exports read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from swesearch.base import Event, JournalError
from swesearch.report.account import account
from swesearch.report.patches import of_edits, shortened

VERSION = 1  # of the form of a story
SUSPECTS = 8  # suspicious lines that are kept
SAID, ANSWERED = 2_000, 6_000  # characters kept of what was said to a model, and of what it answered

Row = dict[str, Any]
Diff = Callable[[str, str], str]  # from one tree to another, as text; empty where it cannot be had
# Why a state was dropped, by the term that blocked it.
BLOCKED = {"parses": "unparsable", "lint": "unclean", "failing": "failing", "nearby": "breaking"}


class Story:
    """Folds events, oldest first. `diff` tells what changed between two trees; without it the edits themselves are shown."""

    def __init__(self, diff: Diff = lambda _a, _b: "") -> None:
        self._diff = diff
        self._handlers: Mapping[str, Callable[[Mapping[str, Any]], None]] = {
            "begun": self._begun, "started": self._started, "phase": self._phase, "warning": self._warning, "baseline": self._baseline,
            "reproduced": self._reproduced, "localised": self._localised, "memory": self._memory, "node": self._node,
            "finalist": self._finalist, "steered": self._steered, "solution": self._solution, "picked": self._picked,
            "stopped": self._stopped,
        }  # fmt: skip
        self.nodes: dict[int, Row] = {}
        self.changed: set[int] = set()  # ids of nodes that are new or have changed; for whoever follows, to clear
        self._waiting: dict[tuple[str, str], list[Row]] = {}  # answers that are for a node which is not there yet
        self._facts: Row = {
            "version": VERSION, "run": "", "repo": "", "issue": "", "checks": [], "strategy": "", "seed": 0, "models": [], "swesearch": "",
            "started": 0.0, "state": "unfinished", "error": "", "running": True, "paused": False, "picked": False, "forked": None,
            "root": "", "phase": "", "warnings": [], "baseline": [], "tests": [], "suspects": [], "orders": [], "finalists": [],
            "solution": None, "messages": [], "cost": {"evaluations": 0, "seconds": 0.0, "tokens": 0, "dollars": 0.0, "answers": 0},
        }  # fmt: skip

    def see(self, event: Event) -> None:
        """Take in an event; kinds that say nothing to a reader are passed over. Raises JournalError for one that no search wrote."""
        if handler := self._handlers.get(event.kind):
            try:
                handler(event.data)
            except (LookupError, TypeError, AttributeError, ValueError) as error:
                raise JournalError(f"the journal holds an event {event.kind!r} that no search wrote ({error})") from error

    @property
    def running(self) -> bool:
        """Whether nothing says that the search has ended: its process may still have been killed."""
        return bool(self._facts["running"])

    def head(self) -> Row:
        """Everything but the nodes."""
        told = {**self._facts, "path": self.path()}
        return {**told, "account": account(told, list(self.nodes.values()))}

    def to_dict(self) -> Row:
        """All of it."""
        return {**self.head(), "nodes": list(self.nodes.values())}

    def path(self) -> list[int]:
        """The ids from the root to what was handed over; to the best node where nothing was."""
        chosen = next((each["node"] for each in self._facts["finalists"] if each["chosen"]), None)
        failed = {each["node"] for each in self._facts["finalists"] if not each["verified"] and not each["letter"]}
        best = [node for node in self.nodes.values() if node["id"] not in failed]
        ranked = sorted(best, key=lambda node: (node["id"] != chosen, not node["solved"], -node["value"], node["id"]))
        found: list[int] = []
        at = ranked[0]["id"] if ranked else None
        while at in self.nodes:
            found.append(at)
            at = self.nodes[at]["parent"]
        return found[::-1]

    def _begun(self, data: Mapping[str, Any]) -> None:
        task, settings = data["task"], data["settings"]
        names = dict.fromkeys(str(name) for key, name in settings.get("model", {}).items() if name and key in MODELS)
        self._facts |= {
            "issue": task["issue"], "started": data["time"], "swesearch": data["version"], "models": list(names),
            "checks": [" ".join(check["command"]) for check in task["checks"]], "repo": task["repo"]["text"],
            "budget": settings.get("budget", {}), "forked": _pick(data.get("forked"), "run", "node"),
        }  # fmt: skip

    def _started(self, data: Mapping[str, Any]) -> None:
        kept = {name: data[name] for name in ("run", "strategy", "seed", "root")}
        self._facts |= {**kept, "state": "unfinished", "running": True, "paused": False, "error": ""}

    def _phase(self, data: Mapping[str, Any]) -> None:
        self._facts["phase"] = data["name"]
        if data["name"] == "minimise":  # a new round: what did not hold before is not looked at again
            self._facts["finalists"] = [each for each in self._facts["finalists"] if not each["verified"]]

    def _warning(self, data: Mapping[str, Any]) -> None:
        if data["text"] not in self._facts["warnings"]:
            self._facts["warnings"].append(data["text"])

    def _baseline(self, data: Mapping[str, Any]) -> None:
        others = [each for each in self._facts["baseline"] if each["check"] != data["check"]]
        self._facts["baseline"] = [*others, dict(data)]

    def _reproduced(self, data: Mapping[str, Any]) -> None:
        self._facts |= {"root": data["root"], "tests": list(data["tests"])}

    def _localised(self, data: Mapping[str, Any]) -> None:
        if data["tree"] == self._facts["root"]:
            lines = data["localisation"]["lines"][:SUSPECTS]
            self._facts["suspects"] = [{name: line[name] for name in ("path", "line", "score")} for line in lines]

    def _memory(self, data: Mapping[str, Any]) -> None:
        if not str(data["key"]).startswith("reply:"):
            return
        said = _message(data["value"])
        cost = self._facts["cost"]
        cost["answers"] += 1
        cost["tokens"] += said["tokens"]
        cost["dollars"] += said["dollars"]
        tree, why = data.get("parent"), data.get("why", "")
        if tree and why:
            self._waiting.setdefault((tree, why), []).append(said)
        elif node := next((node for node in self.nodes.values() if tree and node["tree"] == tree), None):
            node.setdefault("messages", []).append(said)
            self.changed.add(node["id"])
        else:
            self._facts["messages"].append(said)

    def _node(self, data: Mapping[str, Any]) -> None:
        cost, parent = self._facts["cost"], self.nodes.get(data["parent"])
        node = _row(data)
        if parent:
            node |= {"diff": of_edits(data["action"])} | self.changes(node, self._diff)
            if said := self._waiting.pop((parent["tree"], node["why"]), []):
                node["messages"] = said
        if node["terms"]:
            cost["evaluations"] += 1
        spent = data.get("spent", {})
        cost["seconds"] = spent.get("seconds", cost["seconds"] + data["seconds"])  # older journals: its share alone
        cost["tokens"], cost["dollars"] = max(cost["tokens"], spent.get("tokens", 0)), max(cost["dollars"], spent.get("dollars", 0.0))
        self.nodes[data["id"]] = node | {"at": round(cost["seconds"], 3), "paid": round(cost["dollars"], 6)}
        self.changed.add(data["id"])

    def changes(self, node: Row, diff: Diff) -> dict[str, str]:
        """What a node changed in its parent; and in the base, where that is another one. Nothing where `diff` cannot tell."""
        parent = self.nodes.get(node["parent"])
        if parent is None or node["outcome"] == "refused":
            return {}
        found = {"diff": diff(parent["tree"], node["tree"])}
        if parent["parent"] is not None:
            found["base_diff"] = diff(self._root(), node["tree"])
        return {name: shortened(text) for name, text in found.items() if text}

    def _root(self) -> str:
        return str(next((node["tree"] for node in self.nodes.values() if node["parent"] is None), self._facts["root"]))

    def _finalist(self, data: Mapping[str, Any]) -> None:
        found = {"tree": data["node"], "verified": data["verified"], "patch": shortened(data["patch"]), "reasons": list(data["reasons"])}
        number = self._node_of(data["node"], "")
        self._facts["finalists"].append({**found, "why": "", "letter": "", "node": number, "chosen": False})
        if number is not None and not data["verified"]:
            self._facts["finalists"][-1]["why"] = self.nodes[number]["why"]
            self._mark(self.nodes[number], "did not hold when it was tried afresh")

    def _solution(self, data: Mapping[str, Any]) -> None:
        solution = data["solution"]
        for letter, candidate in zip(ascii_uppercase, (solution["best"], *solution["alternatives"]), strict=False):
            if candidate:
                self._name(candidate, letter, chosen=candidate is solution["best"])
        self._facts["finalists"].sort(key=lambda each: (not each["chosen"], not each["verified"]))
        self._facts["picked"] = False
        self._facts["solution"] = {"why": solution["why"], "confidence": data.get("confidence"), "found": solution["best"] is not None}
        self._facts["cost"] |= {name: data.get(name, 0) for name in ("evaluations", "seconds", "tokens", "dollars")}

    def _picked(self, data: Mapping[str, Any]) -> None:
        """Somebody wants another result than the one that ranked first."""
        for each in self._facts["finalists"]:
            each["chosen"] = each["tree"] == data["node"]
        self._facts["picked"] = data["number"] > 0

    def _name(self, candidate: Mapping[str, Any], letter: str, chosen: bool) -> None:
        """Say of a finalist what it does, and whether it is the one; those that were never announced are added."""
        attempt = candidate["attempt"]
        tree, why = attempt["state"]["tree"], (attempt["action"] or {}).get("why", "")
        known = next((each for each in self._facts["finalists"] if each["tree"] == tree), None)
        if known is None:
            known = {"tree": tree, "verified": candidate["verified"], "patch": shortened(candidate["patch"]["text"])}
            self._facts["finalists"].append(known)
        known |= {"why": why, "letter": letter, "chosen": chosen, "node": self._node_of(tree, why), "reasons": list(candidate["reasons"])}

    def _node_of(self, tree: str, why: str) -> int | None:
        """The node of a tree; where it was made smaller afterwards, the one that did the same and passed."""
        same = [node["id"] for node in self.nodes.values() if node["tree"] == tree and node["outcome"] != "refused"]
        return next(iter([*same, *(node["id"] for node in self.nodes.values() if why and node["why"] == why and node["solved"])]), None)

    def _steered(self, data: Mapping[str, Any]) -> None:
        """What somebody asked of the search while it ran, and what came of it."""
        order, node = data["order"], self.nodes.get(data.get("node", -1))
        self._facts["orders"].append({"order": order, "node": data.get("node"), "text": data.get("text", ""), "effect": data["effect"]})
        if order in ("pause", "continue"):
            self._facts["paused"] = order == "pause"
        if node:
            self._mark(node, data["effect"].partition(":")[0] if order == "prune" else f"hint: {data['text']}")

    def _mark(self, node: Row, words: str) -> None:
        node.setdefault("marks", []).append(words)
        self.changed.add(node["id"])

    def _stopped(self, data: Mapping[str, Any]) -> None:
        self._facts |= {"state": data["why"], "error": data.get("error", ""), "running": False, "phase": "done"}


MODELS = ("name", "planner", "executor", "reproducer", "judge", "discriminator", "summariser")


def story(events: Iterable[Event], diff: Diff = lambda _a, _b: "") -> Row:
    """The story that these events tell."""
    told = Story(diff)
    for event in events:
        told.see(event)
    return told.to_dict()


def _pick(data: Mapping[str, Any] | None, *names: str) -> Row | None:
    return {name: data[name] for name in names} if data else None


def _row(data: Mapping[str, Any]) -> Row:
    """What there is to say of a node but its changes. What is empty is left out, but for what every node has."""
    evaluation = data.get("evaluation") or {}
    terms = [_term(term) for term in evaluation.get("terms", data["terms"])]
    facts = {term["name"]: term.get("facts", {}) for term in evaluation.get("terms", ())}
    more = {
        "fixed": list(facts.get("failing", {}).get("passed", ())),
        "broken": [name for key in ("nearby", "regression") for name in facts.get(key, {}).get("broken", ())],
        "judge": facts.get("judge"),
        "closed": bool(data.get("closed")),
        "duplicate": bool(data.get("duplicate")),
        "feedback": "" if terms else evaluation.get("feedback", ""),
    }
    kept = {name: data[name] for name in ("id", "parent", "tree", "why", "prior", "value", "solved")}
    row = {**kept, "seconds": round(data["seconds"], 3), "terms": terms, "outcome": _outcome(data, terms)}
    return row | {name: value for name, value in more.items() if value}


def _term(term: Mapping[str, Any]) -> Row:
    marks = {"known": term.get("known", True), "blocked": term.get("blocked", False)}
    kept = {name: value for name, value in marks.items() if value != (name == "known")}
    words = {"feedback": term["feedback"][:SAID]} if term["feedback"] else {}
    return {"name": term["name"], "score": round(term["score"], 4), **kept, **words}


def _outcome(data: Mapping[str, Any], terms: Sequence[Row]) -> str:
    """What became of a node, in one word."""
    if data["parent"] is None:
        return "root"
    if not terms:
        return "refused"
    if data["solved"]:
        return "passes"
    return BLOCKED.get(terms[-1]["name"], "partial") if terms[-1].get("blocked") else "partial"


def _message(reply: Mapping[str, Any]) -> Row:
    """An answer of a model, as much of it as can be read."""
    asked = reply.get("asked", {})
    parts = reply["message"]["parts"]
    calls = [{"name": part["name"], "arguments": part["arguments"]} for part in parts if part["kind"] == "ToolCall"]
    said = "\n".join(part["text"] for part in parts if part["kind"] == "Text")
    return {
        "role": asked.get("role", ""), "asked": asked.get("text", "")[-SAID:], "said": said[:ANSWERED], "calls": calls,
        "model": reply["model"], "tokens": sum(reply["usage"].values()), "dollars": reply["dollars"],
    }  # fmt: skip
