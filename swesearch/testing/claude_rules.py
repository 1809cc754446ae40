"""What the Messages API refuses in a well-formed request, and in which words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from . import thinking
from .cards import Card
from .schemas import closed
from .words import Json, blocks_of, invalid

BREAKPOINTS = 4
SAMPLING = ("temperature", "top_p", "top_k")
NO_SAMPLING_SINCE = "2026-10-21"  # API version
HOME = {"tool_use": "assistant", "thinking": "assistant", "tool_result": "user", "image": "user"}


def check(body: Json, headers: Mapping[str, str], card: Card) -> None:
    """Raises Refused where a well-formed request breaks a rule of the API or of the model."""
    _version_and_sampling(body, headers, card)
    _length(body, card)
    _kind_of_thinking(body, card)
    _tools(body, card)
    _promises(body)
    _words(body)
    _roles(body, card)
    _pairs(body)
    _marks(body)
    thinking.check(body, card)


def _version_and_sampling(body: Json, headers: Mapping[str, str], card: Card) -> None:
    version = headers.get("anthropic-version", "")
    if not version:
        raise invalid("anthropic-version: header is required")
    for name in SAMPLING:
        if name in body and version >= NO_SAMPLING_SINCE:
            raise invalid(f"{name}: Extra inputs are not permitted")
        if name in body and not card.sampling:
            raise invalid(f"`{name}` is deprecated for this model.")


def _length(body: Json, card: Card) -> None:
    most = body.get("max_tokens", 0)
    if most < 0:
        raise invalid("max_tokens: Input should be greater than or equal to 0")
    if most > card.output:
        raise invalid(f"max_tokens: {most} > {card.output}, which is the maximum allowed number of output tokens for {card.id}")


def _kind_of_thinking(body: Json, card: Card) -> None:
    asked = body.get("thinking")
    if not asked:
        return
    kind = asked["type"]
    if not card.thinking()[kind]:
        hint = ' Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
        raise invalid(f'"thinking.type.{kind}" is not supported for this model.{hint}')
    if kind == "enabled" and not 1024 <= asked["budget_tokens"] < body.get("max_tokens", asked["budget_tokens"] + 1):
        raise invalid("thinking.enabled.budget_tokens: Input should be at least 1024 and less than `max_tokens`")


def _tools(body: Json, card: Card) -> None:
    names = [tool["name"] for tool in body.get("tools") or []]
    for index, name in enumerate(names):
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,128}", name):
            raise invalid(f"tools.{index}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if name in names[:index]:
            raise invalid("tools: Tool names must be unique.")
    choice = body.get("tool_choice")
    if choice and not names:
        raise invalid("tool_choice: may only be specified while providing `tools`")
    if choice and choice["type"] in ("any", "tool") and card.current:
        raise invalid(f"tool_choice: type '{choice['type']}' is not supported for this model; use 'auto' or 'none'")
    if choice and choice["type"] == "tool" and choice["name"] not in names:
        raise invalid(f"Tool '{choice['name']}' not found in provided tools")


def _promises(body: Json) -> None:
    """Schemas that the reply is sure to fit."""
    for index, tool in enumerate(body.get("tools") or []):
        if tool.get("strict"):
            closed(f"tools.{index}.custom", tool["input_schema"])
    wanted = (body.get("output_config") or {}).get("format")
    if wanted:
        closed("output_config.format.schema", wanted["schema"])


def _words(body: Json) -> None:
    """No text is empty."""
    system = body.get("system")
    for block in system if isinstance(system, list) else []:
        _filled("system", block)
    for index, message in enumerate(body["messages"]):
        if not message["content"]:
            raise invalid(f"messages.{index}: {message['role']} messages must have non-empty content")
        for _, block in _blocks(index, message):
            _filled("messages", block)


def _filled(where: str, block: Json) -> None:
    if block["type"] == "text" and not block["text"]:
        raise invalid(f"{where}: text content blocks must be non-empty")
    if block["type"] == "text" and not block["text"].strip():
        raise invalid(f"{where}: text content blocks must contain non-whitespace text")


def _roles(body: Json, card: Card) -> None:
    messages = [message for message in body["messages"] if message["role"] != "system"]
    if not messages:
        raise invalid("messages: at least one message is required")
    if messages[0]["role"] != "user":
        raise invalid('messages: first message must use the "user" role')
    if messages[-1]["role"] == "assistant" and card.current:
        raise invalid("This model does not support assistant message prefill. The conversation must end with a user message.")
    for index, message in enumerate(body["messages"]):
        for where, block in _blocks(index, message):
            home = HOME.get(block["type"], message["role"])
            if home != message["role"]:
                raise invalid(f"{where}: `{block['type']}` blocks can only be in `{home}` messages")
        if _blocks(index, message)[-1][1]["type"] == "thinking":
            raise invalid(f"messages.{index}: The final block in an assistant message cannot be `thinking`.")


@dataclass(frozen=True, slots=True)
class _Side:
    """Messages of one role that follow each other: the API reads them as one."""

    role: str
    first: int
    blocks: list[tuple[str, Json]]

    def ids(self, kind: str, field: str) -> list[tuple[str, str]]:
        return [(where, block[field]) for where, block in self.blocks if block["type"] == kind]

    def opening(self) -> set[str]:
        """Calls that are answered before anything else is said."""
        results = itertools.takewhile(lambda found: found[1]["type"] == "tool_result", self.blocks)
        return {block["tool_use_id"] for _, block in results}


def _pairs(body: Json) -> None:
    """Every call has its result right behind it, every result its call right before."""
    nobody = _Side("user", len(body["messages"]), [])
    sides, known = list(_sides(body)), set[str]()
    for before, side, after in zip([nobody, *sides], sides, [*sides[1:], nobody], strict=False):
        _asked(side, after, known)
        _given(before, side)


def _asked(side: _Side, after: _Side, known: set[str]) -> None:
    for where, id in side.ids("tool_use", "id"):
        if id in known:
            raise invalid(f"{where}: `tool_use` ids must be unique")
        known.add(id)
    missing = [id for _, id in side.ids("tool_use", "id") if id not in after.opening()]
    if missing:
        raise invalid(
            f"messages.{side.first}: `tool_use` ids were found without `tool_result` blocks immediately after: {', '.join(missing)}. "
            "Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        )


def _given(before: _Side, side: _Side) -> None:
    asked, given = {id for _, id in before.ids("tool_use", "id")}, set[str]()
    for where, id in side.ids("tool_result", "tool_use_id"):
        if id not in asked:
            raise invalid(
                f"{where}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. "
                "Each `tool_result` block must have a corresponding `tool_use` block in the previous message."
            )
        if id in given:
            raise invalid(f"{where}: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {id}")
        given.add(id)


def _sides(body: Json) -> Iterator[_Side]:
    numbered = [(index, message) for index, message in enumerate(body["messages"]) if message["role"] != "system"]
    for role, group in itertools.groupby(numbered, key=lambda found: found[1]["role"]):
        messages = list(group)
        yield _Side(role, messages[0][0], [found for index, message in messages for found in _blocks(index, message)])


def _blocks(index: int, message: Json) -> list[tuple[str, Json]]:
    return [(f"messages.{index}.content.{number}", block) for number, block in enumerate(blocks_of(message["content"]))]


def _marks(body: Json) -> None:
    """Cache breakpoints."""
    ttls = list(_ttls([body.get("tools"), body.get("system"), [message["content"] for message in body["messages"]], body]))
    if len(ttls) > BREAKPOINTS:
        raise invalid(f"A maximum of {BREAKPOINTS} blocks with cache_control may be provided. Found {len(ttls)}.")
    if ("5m", "1h") in itertools.pairwise(ttls):
        raise invalid("cache_control: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")


def _ttls(value: object, depth: int = 0) -> Iterator[str]:
    """Breakpoints in order. Of the whole request only its own mark counts: its parts came before."""
    if isinstance(value, list):
        for part in value:
            yield from _ttls(part, depth + 1)
    elif isinstance(value, dict):
        if "messages" not in value and isinstance(value.get("content"), list):
            yield from _ttls(value["content"], depth + 1)
        if value.get("cache_control"):
            yield str(value["cache_control"].get("ttl", "5m"))
