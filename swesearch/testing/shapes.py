"""Checks of JSON by its shape, built from small ones. Each takes where a value stands and the value, and raises Refused."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping

from .words import invalid

Check = Callable[[str, object], None]


def _of(kinds: type | tuple[type, ...], name: str) -> Check:
    def check(where: str, value: object) -> None:
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise invalid(f"{where}: Input should be a valid {name}")

    return check


string = _of(str, "string")
integer = _of(int, "integer")
number = _of((int, float), "number")
boolean = _of(bool, "boolean")
mapping = _of(dict, "dictionary")
array = _of(list, "list")


def anything(where: str, value: object) -> None:
    """Whatever it is."""


def encoded(where: str, value: object) -> None:
    """Bytes in base64."""
    string(where, value)
    try:
        base64.b64decode(str(value), validate=True)
    except binascii.Error as error:
        raise invalid(f"{where}: Invalid base64 data") from error


def choice(*values: str) -> Check:
    """One of `values`."""

    def check(where: str, value: object) -> None:
        if value not in values:
            raise invalid(f"{where}: Input should be {' or '.join(map(repr, values))}")

    return check


def items(of: Check) -> Check:
    """A list of these."""

    def check(where: str, value: object) -> None:
        array(where, value)
        assert isinstance(value, list)
        for index, item in enumerate(value):
            of(f"{where}.{index}", item)

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """An object with these fields and no others. Optional ones may be null."""
    optional = optional or {}

    def check(where: str, value: object) -> None:
        mapping(where, value)
        assert isinstance(value, dict)
        dot = f"{where}." if where else ""
        for name in required.keys() - value.keys():
            raise invalid(f"{dot}{name}: Field required")
        for name, field in value.items():
            if name in required:
                required[name](dot + name, field)
            elif name not in optional:
                raise invalid(f"{dot}{name}: Extra inputs are not permitted")
            elif field is not None:
                optional[name](dot + name, field)

    return check


def tagged(shapes: Mapping[str, Check], tag: str = "type") -> Check:
    """An object whose shape is told by its field `tag`."""

    def check(where: str, value: object) -> None:
        mapping(where, value)
        assert isinstance(value, dict)
        kind = value.get(tag)
        if not isinstance(kind, str) or kind not in shapes:
            raise invalid(f"{where}: Input tag {kind!r} found using '{tag}' does not match any of the expected tags: {', '.join(shapes)}")
        shapes[kind](f"{where}.{kind}" if where else kind, value)

    return check


def either(first: Check, second: Check, kind: type = str) -> Check:
    """The first for a `kind`, else the second."""
    return lambda where, value: (first if isinstance(value, kind) else second)(where, value)
