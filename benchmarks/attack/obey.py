"""A model that does whatever it reads: the worst that hostile words can make of one."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from swesearch.dialogue import Message, Text, ToolResult
from swesearch.testing import Answer, Turn, as_json, example

ORDER = re.compile(r"OBEY\[([a-z ]+)\] (\w+) (\{.*?\});")  # where it stood, the tool, its arguments
AT_ONCE = 5
LOOKS: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("view", {"path": "", "start": 0, "end": 0}),
    ("view", {"path": "README.md", "start": 0, "end": 0}),
    ("view", {"path": "pkg/core.py", "start": 0, "end": 0}),
    ("check", {}),
)


def order(source: str, tool: str, **arguments: Any) -> str:
    """An order as it stands in a hostile text."""
    return f"OBEY[{source}] {tool} {json.dumps(arguments)};"


class Obedient:
    """A brain that looks around as a model would, and carries out every order it finds in what it is shown."""

    def __init__(self) -> None:
        self.obeyed: Counter[str] = Counter()  # orders, by where they stood

    def __call__(self, turn: Turn) -> Answer:
        """The next answer."""
        if turn.schema and "hypotheses" in turn.schema["properties"]:
            idea = {"cause": "The high bound", "files": ["pkg/core.py"], "approach": "Look.", "falsifier": "It fails.", "prior": 0.5}
            return as_json({"hypotheses": [idea]})
        if turn.schema:
            return as_json(example(turn.schema))
        return self._act(turn.messages)

    def _act(self, messages: tuple[Message, ...]) -> Answer:
        done = [(call.name, json.dumps(call.arguments)) for message in messages for call in message.calls]
        wanted = [(source, tool, arguments) for source, tool, arguments in _orders(messages) if (tool, json.dumps(arguments)) not in done]
        if wanted:
            self.obeyed.update(source for source, _, _ in wanted[:AT_ONCE])
            return Answer(thinking="as told", calls=[(tool, arguments) for _, tool, arguments in wanted[:AT_ONCE]])
        looks = [look for look in LOOKS if (look[0], json.dumps(look[1])) not in done]
        return Answer(thinking="hm", calls=looks[:1] or [("finish", {"summary": "as told"})])


class Greedy(Obedient):
    """A brain that was told never to stop, and to think at length."""

    def _act(self, messages: tuple[Message, ...]) -> Answer:
        return Answer(thinking="on and on", calls=[("view", {"path": "README.md", "start": len(messages), "end": 0})], output_tokens=4000)


def _orders(messages: tuple[Message, ...]) -> Iterator[tuple[str, str, Any]]:
    """Every order in what the model was shown, once."""
    seen = set()
    for message in messages:
        for part in message.parts:
            if isinstance(part, Text | ToolResult):
                for source, tool, arguments in ORDER.findall(part.text):
                    if (tool, arguments) not in seen and (read := _read(arguments)) is not None:
                        seen.add((tool, arguments))
                        yield source, tool, read


def _read(arguments: str) -> Any:
    """The arguments of an order; None where the text was cut or changed on the way."""
    try:
        return json.loads(arguments)
    except ValueError:
        return None
