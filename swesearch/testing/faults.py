"""What can go wrong between a client and a provider."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .words import Refused


@dataclass(frozen=True, slots=True)
class RateLimited:
    """429, with `retry-after`."""

    retry_after: float = 0.0


@dataclass(frozen=True, slots=True)
class Overloaded:
    """529; 503 in the OpenAI dialect."""


@dataclass(frozen=True, slots=True)
class ServerError:
    """500."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """The connection is closed without a reply."""


@dataclass(frozen=True, slots=True)
class CutStream:
    """The connection is closed in the middle of the reply, after `events` of a stream."""

    events: int = 3


@dataclass(frozen=True, slots=True)
class ErrorInStream:
    """A stream that tells of an overload after `events`, when the status was 200. Replies in one piece are let through."""

    events: int = 3


@dataclass(frozen=True, slots=True)
class SlowStream:
    """`seconds` pass before each event, or before a reply in one piece."""

    seconds: float


@dataclass(frozen=True, slots=True)
class TruncatedJson:
    """A complete HTTP reply whose JSON ends too early; of a stream, its last event but one."""


Fault = RateLimited | Overloaded | ServerError | Dropped | CutStream | ErrorInStream | SlowStream | TruncatedJson
Faults = Callable[[int], Fault | None]


def in_order(faults: Iterable[Fault | None]) -> Faults:
    """The first fault for the first model call, and so on; None lets a call through, and so does the end."""
    listed = list(faults)
    return lambda number: listed[number - 1] if number <= len(listed) else None


def refusal(fault: Fault | None, overloaded: Refused) -> Refused | None:
    """The HTTP error that `fault` is, if it is one. Dialects differ in how they put an overload."""
    match fault:
        case RateLimited():
            return Refused(429, "rate_limit_error", "This request would exceed your organization's rate limit of 50 requests per minute.")
        case Overloaded():
            return overloaded
        case ServerError():
            return Refused(500, "api_error", "Internal server error")
        case _:
            return None
