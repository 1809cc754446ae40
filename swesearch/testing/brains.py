"""Ready brains. A brain is any function from a `Turn` to an `Answer`; it is called from many threads at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .words import Answer, Brain, Turn


class Replies:
    """Answers in order, one per request. Raises AssertionError, which the server hands on, where they have run out."""

    def __init__(self, answers: Iterable[Answer | str]):
        self._answers = iter([Answer(answer) if isinstance(answer, str) else answer for answer in answers])
        self._lock = threading.Lock()

    def __call__(self, turn: Turn) -> Answer:
        """The next answer."""
        with self._lock:
            answer = next(self._answers, None)
        if answer is None:
            raise AssertionError(f"no reply is left for request {turn.number}: {turn.text[:200]!r}")
        return answer


def says(text: str) -> Brain:
    """A brain that says the same each time; JSON that fits where a schema asks for JSON."""
    return lambda turn: Answer(text) if turn.schema is None else as_json(example(turn.schema, text))


def as_json(value: object) -> Answer:
    """An answer whose text is `value` as JSON."""
    return Answer(json.dumps(value))


def example(schema: Mapping[str, Any], text: str = "text") -> Any:
    """The plainest value that fits `schema`; its free strings are `text`."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example(schema["anyOf"][0], text)
    kind = schema.get("type", "object")
    return _PLAINEST[kind[0] if isinstance(kind, list) else kind](schema, text)


_PLAINEST: dict[str, Callable[[Mapping[str, Any], str], Any]] = {
    "object": lambda schema, text: {name: example(part, text) for name, part in schema.get("properties", {}).items()},
    "array": lambda schema, text: [example(schema.get("items", {}), text)] if schema.get("minItems") else [],
    "string": lambda _, text: text,
    "integer": lambda *_: 0,
    "number": lambda *_: 0.0,
    "boolean": lambda *_: False,
    "null": lambda *_: None,
}
