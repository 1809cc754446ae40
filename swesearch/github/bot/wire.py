"""A report as JSON, and back from a sender that is not trusted: nothing is believed but its shape, and that is checked to the last byte."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, asdict, fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal, cast, get_args, get_origin, get_type_hints

from swesearch.base import UsageError
from swesearch.github.bot.base import FORMAT, Most, Report, Text

LARGEST = 512 << 10  # bytes of a report
HIGHEST = 10**9


def to_json(report: Report) -> bytes:
    """The report as one line of JSON."""
    return json.dumps(asdict(report), separators=(",", ":")).encode() + b"\n"


def from_json(data: bytes) -> Report:
    """The report in `data`. Raises UsageError naming what is not as it must be."""
    if len(data) > LARGEST:
        raise UsageError(f"the report has {len(data)} bytes: no more than {LARGEST} are taken")
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the report is no JSON: {str(error)[:100]}") from error
    report = cast(Report, _object(Report, raw, "report"))
    if report.format != FORMAT:
        raise UsageError(f"the report has the format {report.format}, this version reads {FORMAT}")
    return report


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _object(kind: type, raw: Any, where: str) -> object:
    """A dataclass from a mapping with its keys and no others."""
    if not isinstance(raw, dict):
        raise _bad(where, "must be an object")
    hints = _hints(kind)
    if strange := sorted(raw.keys() - hints.keys()):
        raise _bad(where, f"has the unknown key {strange[0][:40]!r}")
    if missing := [each.name for each in fields(kind) if each.default is MISSING and each.name not in raw]:
        raise _bad(where, f"has no {missing[0]}")
    return kind(**{name: _value(hints[name], value, f"{where}.{name}") for name, value in raw.items()})


def _value(hint: Any, raw: Any, where: str) -> Any:
    kind = get_origin(hint)
    if kind is Literal:
        if raw not in get_args(hint):
            raise _bad(where, f"must be one of {', '.join(get_args(hint))}")
        return raw
    if kind is Annotated:
        of, rule = get_args(hint)
        return _text(rule, raw, where) if of is str else _items(get_args(of)[0], rule, raw, where)
    return _object(cast(type, hint), raw, where) if is_dataclass(hint) else _number(hint, raw, where)


def _items(hint: Any, rule: Most, raw: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(raw, list) or len(raw) > rule.items:
        raise _bad(where, f"must be a list of at most {rule.items}")
    return tuple(_value(hint, item, f"{where}[{number}]") for number, item in enumerate(raw))


def _text(rule: Text, raw: Any, where: str) -> str:
    if not isinstance(raw, str) or len(raw) > rule.most:
        raise _bad(where, f"must be a text of at most {rule.most} characters")
    if not re.fullmatch(rule.like, raw) or any(0xD800 <= ord(character) < 0xE000 for character in raw):
        raise _bad(where, "is not of the right form")
    return raw


def _number(hint: type, raw: Any, where: str) -> Any:
    good = isinstance(raw, int) if hint is int else isinstance(raw, int | float)
    if not good or isinstance(raw, bool) or not 0 <= raw <= HIGHEST:  # NaN is in no range
        raise _bad(where, f"must be a number from 0 to {HIGHEST}")
    return hint(raw)


def _bad(where: str, what: str) -> UsageError:
    return UsageError(f"the report is not valid: {where} {what}")
