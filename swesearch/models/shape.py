"""Small things that every provider's dialect needs: keys, clean text, strict schemas, arguments, and errors in our words."""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any

from swesearch.base import ModelUnavailable, SwesearchError, UsageError
from swesearch.models.trouble import Provider, checked_key, lost


def clean(text: str) -> str:
    """`text` as UTF-8 can carry it: half a surrogate pair (bytes of a repository, decoded) becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def base64_text(data: bytes) -> str:
    """`data` in base64."""
    return b64encode(data).decode("ascii")


def strict(schema: Mapping[str, Any], owner: str) -> Mapping[str, Any]:
    """`schema`, which strict decoding can enforce. Raises UsageError where an object allows more or requires less than it names."""
    for node in _nodes(schema):
        if node.get("type") == "object":
            named = set(node.get("properties", ()))
            if node.get("additionalProperties") is not False or set(node.get("required", ())) != named:
                raise UsageError(f"the schema of {owner} must require all properties and allow no others: {sorted(named)}")
    return schema


def _nodes(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    if isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _nodes(item)


def arguments(text: str) -> tuple[dict[str, Any], str]:
    """The arguments of a tool call that came as JSON text; where they cannot be read: none, and why."""
    try:
        value = json.loads(text or "{}")
    except ValueError as error:
        return {}, f"the arguments are not JSON: {error}"
    return (value, "") if isinstance(value, dict) else ({}, "the arguments are not a JSON object")


@contextmanager
def speaking(dialect: str) -> Iterator[None]:
    """Raises UsageError where an answer has not the shape of its dialect: the address is not that of such a server."""
    try:
        yield
    except (KeyError, IndexError, TypeError, AttributeError):
        raise UsageError(f"the server does not speak {dialect}: is the base URL right?") from None


@contextmanager
def troubles_of(sdk: Any, refusal: Callable[[Any], SwesearchError], provider: Provider) -> Iterator[None]:
    """The errors of an SDK as ours: `refusal` makes one of a status; without one, the connection was lost.

    Both SDKs come from one generator: their errors have the same names, and the HTTP client below them is the same.
    """
    import httpx2

    try:
        yield
    except sdk.APIStatusError as error:
        raise refusal(error) from None
    except sdk.APIConnectionError as error:
        never_sent = isinstance(error.__cause__, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
        raise lost(str(error.__cause__ or error), provider, sent=not never_sent) from None
    except (httpx2.HTTPError, JSONDecodeError, UnicodeDecodeError) as error:
        raise lost(f"its answer broke off ({type(error).__name__})", provider, sent=True) from None


class TooLong(UsageError):
    """The conversation does not fit the window of the model. An adapter turns it into a reply."""


def no_headers(_: Mapping[str, str]) -> None:
    """Nobody heeds the headers of responses."""


def only_key(given: str | None, variable: str, provider: str, *, own_server: bool) -> str:
    """The key to use: `given`, or what the environment holds. A server of one's own needs none.

    Raises ModelUnavailable where there is none, or no header could carry it.
    """
    key = given or os.environ.get(variable) or ("none" if own_server else "")
    if not key:
        raise ModelUnavailable(f"there is no key for {provider}: set {variable}")
    return checked_key(key, variable)
