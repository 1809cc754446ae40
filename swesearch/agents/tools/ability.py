"""A tool with what it does, and the check of its arguments. Servers that know no strict tools may pass on anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from swesearch.dialogue import Tool

TYPES: Mapping[str, type] = {"string": str, "integer": int, "boolean": bool}


@dataclass(frozen=True, slots=True)
class Ability:
    """A tool, and the function behind it: it raises EditError, in words for the model, where it cannot be done."""

    tool: Tool
    do: Callable[..., str]  # (workspace, **arguments), with arguments that were found to be right
    edits: bool = False  # it changes the workspace: done again when a run is resumed, where others are recalled


def define(name: str, description: str, /, **properties: tuple[str, str]) -> Tool:
    """A tool whose arguments are all required: `path=("string", "what it is")`."""
    fields = {key: {"type": kind, "description": words} for key, (kind, words) in properties.items()}
    return Tool(name, description, {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False})


def problem(tool: Tool, arguments: Mapping[str, Any]) -> str:
    """What is wrong with the arguments of a call, "" where nothing is."""
    fields = tool.schema["properties"]
    if missing := [name for name in fields if name not in arguments]:
        return f"{tool.name} needs {', '.join(missing)}"
    if foreign := [str(name) for name in arguments if name not in fields]:
        return f"{tool.name} takes {', '.join(fields) or 'no arguments'}, not {', '.join(foreign)}"
    wrong = [f"{name} must be of type {f['type']}" for name, f in fields.items() if not _is(arguments[name], f["type"])]
    return "; ".join(wrong)


def _is(value: object, kind: str) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
