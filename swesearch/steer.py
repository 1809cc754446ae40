"""How somebody outside talks to a search: orders in a file of the run's folder, which the search's process reads as it goes.

The mailbox is a file of JSON lines, only ever appended to. An order's number is its line: the journal keeps the number of each order
that was carried out, and where in the search that was, so that each counts once, and again at the same place when a run is resumed.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from swesearch.base import UsageError
from swesearch.journal import is_written
from swesearch.runs import JOURNAL, Run

MAILBOX = "orders.jsonl"
Kind = Literal["pause", "continue", "stop", "add", "prune", "hint"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LONGEST = 2_000  # characters of a hint
UNITS = ("evaluations", "seconds", "tokens", "dollars")
FINAL = ("solved", "passes", "usage", "check", "unreproduced")  # endings after which going on would find nothing else
WAIT = 3.0  # seconds to wait until a running search has taken an order up


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants of a search. Raises UsageError where it makes no sense."""

    kind: Kind
    node: int | None = None  # of prune and hint: its number in the journal
    text: str = ""  # of hint
    more: Mapping[str, float] = field(default_factory=dict)  # of add: how much of which unit
    number: int = 0  # its line in the mailbox, from 1 up; 0 before it is sent
    time: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UsageError(f"there is no order {self.kind!r}: {', '.join(KINDS)}")
        if (self.kind in ("prune", "hint")) != (self.node is not None):
            raise UsageError(f"{self.kind}: {'name a node' if self.node is None else 'it is for the whole run, not for a node'}")
        if (self.kind == "hint") != bool(self.text.strip()):
            raise UsageError("the hint is empty" if self.kind == "hint" else f"{self.kind} takes no text")
        if len(self.text) > LONGEST:
            raise UsageError(f"the hint has {len(self.text)} characters: at most {LONGEST} are taken, say what matters")
        if (self.kind == "add") != bool(self.more) or not all(unit in UNITS and 0 < amount < 1e15 for unit, amount in self.more.items()):
            raise UsageError("add: say how much more, above zero, of evaluations, seconds, tokens or dollars")

    def to_dict(self) -> dict[str, Any]:
        """The order as plain data; what does not belong to its kind is left out."""
        found = {
            "number": self.number,
            "order": self.kind,
            "node": self.node,
            "text": self.text,
            "more": dict(self.more),
            "time": self.time,
        }
        return {name: value for name, value in found.items() if value not in (None, "", {})}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], number: int = 0) -> Order:
        """The order that `to_dict` gave. Raises UsageError, KeyError or TypeError for what is none."""
        known = {name: data[name] for name in ("node", "text", "more", "time") if name in data}
        return cls(data["order"], number=number or data["number"], **known)


class Mailbox:
    """The orders of one run. Any process may send; the one that searches reads. `old`: what was there when it was opened."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MAILBOX
        self._read = 0  # bytes
        self._lines = 0
        self.old = self.new()

    def send(self, order: Order) -> int:
        """Append an order, for good, and return its number. Raises UsageError where it cannot be written."""
        line = json.dumps(order.to_dict() | {"time": time.time()}).encode()
        try:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            with os.fdopen(handle, "r+b") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                before = file.read()
                torn = b"\n" if before and not before.endswith(b"\n") else b""  # a sender died: its line is closed, and says nothing
                file.write(torn + line + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UsageError(f"{self._path} cannot be written: {error.strerror}") from error
        return (before + torn).count(b"\n") + 1

    def new(self) -> list[Order]:
        """Orders that came since the last look, in the order in which they were sent. What is no order is passed over."""
        try:
            if self._path.stat().st_size <= self._read:
                return []
            with self._path.open("rb") as file:
                file.seek(self._read)
                lines = file.read().split(b"\n")[:-1]  # the last one is being written
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            self._read += len(line) + 1
            self._lines += 1
            with suppress(ValueError, KeyError, TypeError, UsageError):
                found.append(Order.from_dict(json.loads(line), self._lines))
        return found


def running(run: Run) -> bool:
    """Whether a process is searching."""
    return is_written(run.folder / JOURNAL)


def steer(run: Run, order: Order, wait: float = WAIT) -> str:
    """Ask something of a run, and return what came of it in words; waits so many seconds for a running search to take it up.

    Raises UsageError where the order makes no sense for this run as it is.
    """
    goes_on = running(run)
    _check(run, order, goes_on)
    number = Mailbox(run.folder).send(order)
    if not goes_on:
        return f"kept: it counts when the run goes on, `swesearch resume {run.id}`"
    until = time.monotonic() + wait
    while time.monotonic() < until:
        if effect := next((each["effect"] for each in orders(run) if each["number"] == number), ""):
            return str(effect)
        time.sleep(0.05)
    return "sent: the search takes it up once it is at it (it is not, while it prepares or verifies)"


def orders(run: Run) -> list[Mapping[str, Any]]:
    """What was asked of a run and carried out, oldest first: number, order, what belongs to it, and its effect in words."""
    return [event.data for event in run.events("steered")]


def _check(run: Run, order: Order, goes_on: bool) -> None:
    ended = "" if goes_on else _ended(run)
    if ended in FINAL:
        raise UsageError(f"run {run.id} is finished: `swesearch fork {run.id} NODE` starts a new one from a node of it")
    if not goes_on and order.kind not in ("prune", "hint"):
        more = " --budget ..." if order.kind == "add" else ""
        raise UsageError(f"run {run.id} is not going on now: `swesearch resume {run.id}{more}` makes it")
    if order.node is not None:
        _check_node(run, order.kind, order.node)


def _ended(run: Run) -> str:
    """Why the last session of a run ended; empty where it was killed."""
    last = [event for event in run.events() if event.kind in ("started", "stopped")][-1:]
    return str(last[0].data.get("why", "")) if last else ""


def _check_node(run: Run, kind: str, number: int) -> None:
    node = node_of(run, number)
    if node["parent"] is None and kind == "prune":
        raise UsageError(f"n{number} is the code as it was: to end the search, `swesearch stop {run.id}`")
    if kind == "hint" and node["solved"]:
        raise UsageError(f"n{number} passes already: nothing is tried from there; `swesearch fork {run.id} {number}` does")
    if node.get("closed"):
        raise UsageError(f"n{number} is a dead end: nothing is tried from there; `swesearch fork {run.id} {number}` does")
    if node.get("duplicate"):
        raise UsageError(f"n{number} led to code that was known before: name the node that has it, `swesearch show {run.id}`")


def node_of(run: Run, number: int) -> Mapping[str, Any]:
    """The journal's data of a node. Raises UsageError where the run has no node of this number."""
    nodes = {event.data["id"]: event.data for event in run.events("node")}
    if number not in nodes:
        has = f"its nodes are n0 to n{max(nodes)}" if nodes else "it has none yet"
        raise UsageError(f"run {run.id} has no node n{number}: {has}")
    return nodes[number]
