"""Our frozen data as JSON and back: what the journal stores and --json prints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from sandbox.base import Environment, Kind
from swesearch import base
from swesearch.code.localise import Localisation, Suspicion

KIND = "$"  # the key that names the class of an encoded value
CLASSES: Mapping[str, type] = {
    cls.__name__: cls
    for cls in (
        base.State,
        base.Replace,
        base.Create,
        base.Delete,
        base.Rename,
        base.Action,
        base.Measurement,
        base.Evaluation,
        base.Attempt,
        base.Check,
        base.Task,
        base.Candidate,
        base.Cost,
        base.Solution,
        Environment,
        Kind,
        Localisation,
        Suspicion,
    )
}


def encode(value: Any) -> Any:
    """`value` as plain JSON types. Bytes become text with surrogate escapes; raises TypeError for foreign classes."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, bytes):
        return {KIND: "bytes", "text": value.decode("utf-8", "surrogateescape")}
    if isinstance(value, Path):
        return {KIND: "path", "text": str(value)}
    if is_dataclass(value) and type(value).__name__ in CLASSES:
        return {KIND: type(value).__name__, **{f.name: encode(getattr(value, f.name)) for f in fields(value)}}
    if isinstance(value, Mapping):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(item) for item in (sorted(value) if isinstance(value, set | frozenset) else value)]
    raise TypeError(f"{type(value).__name__} has no JSON form")


def decode(value: Any) -> Any:
    """The value that `encode` was given; lists come back as tuples. Raises KeyError for a class it does not know."""
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    if KIND not in value:
        return {key: decode(item) for key, item in value.items()}
    if value[KIND] in ("bytes", "path"):
        text = value["text"]
        return text.encode("utf-8", "surrogateescape") if value[KIND] == "bytes" else Path(text)
    return CLASSES[value[KIND]](**{key: decode(item) for key, item in value.items() if key != KIND})
