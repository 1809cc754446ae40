"""What a model is reminded of, and when: events, not a schedule."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from swesearch.agents.workspace import Workspace
from swesearch.base import State
from swesearch.dialogue import ToolCall, ToolResult

REMINDED, ENOUGH = 3, 5  # times that the same call may bring the same result
FAILING = 2  # edits in a row that do not fit
UNCHECKED = 6  # steps with edits that no check has seen
MARKS = (50, 75, 90)  # per cent of the steps
EDITING = frozenset({"replace", "insert", "create"})
REPEATED = "You have made the same call with the same result several times. Do something else, or give_up."
MISFIT = "Edits fail. View the lines again and copy them exactly, without line numbers, or take in fewer lines."
NOT_CHECKED = "You have edited the code, and not run the check since."
BEFORE_FINISH = f"{NOT_CHECKED} Run it, or call finish again if it cannot tell anything."


class Watcher:
    """Sees every call and its result, and knows what to say."""

    def __init__(self, max_steps: int) -> None:
        self._max_steps = max_steps
        self._seen: Counter[tuple[object, ...]] = Counter()
        self._failed = 0  # edits in a row
        self._since = 0  # step at which an unchecked edit was noticed
        self._asked = False
        self._due: list[str] = []

    def saw(self, call: ToolCall, result: ToolResult, state: State) -> bool:
        """Take note of a call. Whether it is the same for so many times that it has to end."""
        key = (call.name, json.dumps(dict(call.arguments), sort_keys=True), call.malformed, result.text, state)
        self._seen[key] += 1
        if self._seen[key] == REMINDED:
            self._due.append(REPEATED)
        if call.name in EDITING:
            self._failed = self._failed + 1 if result.error else 0
            if self._failed == FAILING:
                self._due.append(MISFIT)
                self._failed = 0
        return self._seen[key] >= ENOUGH

    def reminders(self, step: int, workspace: Workspace) -> Iterator[str]:
        """What is to be said after a step."""
        yield from self._due
        self._due.clear()
        for mark in MARKS:
            if step == -(-self._max_steps * mark // 100) and step < self._max_steps:
                yield f"{step} of {self._max_steps} steps are used ({mark} %)."
        if not unchecked(workspace):
            self._since = step
        elif step - self._since >= UNCHECKED:
            self._since = step
            yield NOT_CHECKED

    def before_finish(self, workspace: Workspace) -> str:
        """What speaks against finishing: said once, "" after that."""
        if self._asked or not unchecked(workspace):
            return ""
        self._asked = True
        return BEFORE_FINISH


def unchecked(workspace: Workspace) -> bool:
    """Whether there are edits that no check has seen."""
    return bool(workspace.edits) and workspace.checked != workspace.state
