"""The fields of the Messages API, as far as this server takes them."""

from __future__ import annotations

from .cards import EFFORTS
from .shapes import Check, anything, array, boolean, choice, either, encoded, integer, items, mapping, number, record, string, tagged
from .words import Json

_CACHE = record({"type": choice("ephemeral")}, {"ttl": choice("5m", "1h")})
_CACHED: dict[str, Check] = {"cache_control": _CACHE}
_TYPE: dict[str, Check] = {"type": string}
_MEDIA = choice("image/png", "image/jpeg", "image/gif", "image/webp")
_SOURCE = tagged(
    {
        "base64": record(_TYPE | {"media_type": _MEDIA, "data": encoded}),
        "url": record(_TYPE | {"url": string}),
        "file": record(_TYPE | {"file_id": string}),
    }
)
_TEXT = record(_TYPE | {"text": string}, _CACHED | {"citations": array})
_IMAGE = record(_TYPE | {"source": _SOURCE}, _CACHED | {"transformations": anything})
_RESULT = either(string, items(tagged({"text": _TEXT, "image": _IMAGE})))
_BLOCK = tagged(
    {
        "text": _TEXT,
        "image": _IMAGE,
        "thinking": record(_TYPE | {"thinking": string, "signature": string}),
        "tool_use": record(_TYPE | {"id": string, "name": string, "input": mapping}, _CACHED | {"caller": mapping, "toolset_name": string}),
        "tool_result": record(_TYPE | {"tool_use_id": string}, _CACHED | {"content": _RESULT, "is_error": boolean, "toolset_name": string}),
    }
)
_MESSAGE = record({"role": choice("user", "assistant", "system"), "content": either(string, items(_BLOCK))})
_CUSTOM = record(
    {"name": string, "input_schema": mapping},
    _CACHED
    | {"type": choice("custom"), "description": string, "strict": boolean, "defer_loading": boolean}
    | {"input_examples": items(mapping), "eager_input_streaming": boolean, "allowed_callers": items(string)},
)
_BUILT_IN = record(_TYPE | {"name": string}, _CACHED | {"max_characters": integer})
_TOOLS = {"bash_20250124": _BUILT_IN, "text_editor_20250728": _BUILT_IN, "custom": _CUSTOM}
_THINKING = tagged(
    {
        "adaptive": record(_TYPE, {"display": choice("summarized", "omitted")}),
        "enabled": record(_TYPE | {"budget_tokens": integer}, {"display": choice("summarized", "omitted")}),
        "disabled": record(_TYPE),
        "between_tools": record(_TYPE),
    }
)
_SERIAL: dict[str, Check] = {"disable_parallel_tool_use": boolean}
_CHOICE = tagged(
    {
        "auto": record(_TYPE, _SERIAL),
        "any": record(_TYPE, _SERIAL),
        "tool": record(_TYPE | {"name": string}, _SERIAL),
        "none": record(_TYPE),
    }
)
_FORMAT = record({"type": choice("json_schema"), "schema": mapping})


def _tool(where: str, value: object) -> None:
    plain = isinstance(value, dict) and value.get("type") is None
    (_CUSTOM if plain else tagged(_TOOLS))(where, value)


_COUNTED: dict[str, Check] = {
    "system": either(string, items(tagged({"text": _TEXT}))),
    "tools": items(_tool),
    "tool_choice": _CHOICE,
    "thinking": _THINKING,
    "output_config": record({}, {"effort": choice(*EFFORTS), "format": _FORMAT}),
    "cache_control": _CACHE,
    "speed": choice("standard", "fast"),
    "user_profile_id": string,
    "workspace_id": string,
}
_ASKED: dict[str, Check] = _COUNTED | {
    "stream": boolean,
    "stop_sequences": items(string),
    "metadata": record({}, {"user_id": string}),
    "service_tier": choice("auto", "standard_only"),
    "inference_geo": string,
    "container": anything,
    "diagnostics": record({}, {"previous_message_id": string}),
    "temperature": number,
    "top_p": number,
    "top_k": integer,
}
_NEEDED: dict[str, Check] = {"model": string, "messages": items(_MESSAGE)}
_COUNT = record(_NEEDED, _COUNTED)
_CREATE = record(_NEEDED | {"max_tokens": integer}, _ASKED)


def check_shape(body: Json, counting: bool) -> None:
    """Raises Refused where a field is missing, unknown or of the wrong type."""
    (_COUNT if counting else _CREATE)("", body)
