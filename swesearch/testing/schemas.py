"""Which JSON schemas a provider can promise to keep to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .words import invalid

_UNSUPPORTED = {
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("minLength", "maxLength"),
    "array": ("maxItems", "uniqueItems"),
}


def closed(where: str, schema: object) -> None:
    """Raises Refused where an object in `schema` is open, or a bound is asked for that cannot be kept."""
    for part in _parts(schema):
        kind = part.get("type", "object" if "properties" in part else None)
        if kind == "object" and part.get("additionalProperties") is not False:
            raise invalid(f"{where}: For 'object' type, 'additionalProperties' must be explicitly set to false")
        if kind == "array" and part.get("minItems", 0) not in (0, 1):
            raise invalid(f"{where}: For 'array' type, 'minItems' values other than 0 or 1 are not supported")
        found = [name for name in _UNSUPPORTED.get(str(kind), ()) if name in part]
        if found:
            raise invalid(f"{where}: For '{kind}' type, properties {', '.join(found)} are not supported")


def complete(where: str, schema: object) -> None:
    """Raises Refused where a property of an object in `schema` is not required."""
    for part in _parts(schema):
        missing = part.get("properties", {}).keys() - set(part.get("required", ()))
        if missing:
            raise invalid(
                f"{where}: 'required' is required to be supplied and to include every key in properties. Missing '{min(missing)}'"
            )


def _parts(schema: object) -> Iterator[dict[str, Any]]:
    if not isinstance(schema, dict):
        return
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values(), schema.get("items")]
    for part in [*inner, *schema.get("anyOf", ()), *schema.get("allOf", ())]:
        yield from _parts(part)
