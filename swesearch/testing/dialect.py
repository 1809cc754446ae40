"""What a dialect must know: `claude` and `chat` are modules of this shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from .cache import Block, Prefill
from .cards import Card
from .faults import Fault
from .words import Answer, Json, Refused, Turn


class Dialect(Protocol):
    """How requests are read and checked, and how answers and errors are put."""

    LOOKBACK: int | None  # how far before a breakpoint a kept prefix may end; None: all is cached, without breakpoints
    OVERLOADED: Refused

    def check_shape(self, body: Json, counting: bool) -> None:
        """Raises Refused where a field is missing, unknown or of the wrong type."""
        ...

    def check(self, body: Json, headers: Mapping[str, str], card: Card) -> None:
        """Raises Refused where a well-formed request breaks a rule of the API or of the model."""
        ...

    def turn(self, body: Json, number: int) -> Turn:
        """The request in neutral words."""
        ...

    def blocks(self, body: Json) -> list[Block]:
        """The prompt, in the order in which it is cached."""
        ...

    def reply(self, body: Json, answer: Answer, prefill: Prefill, number: int, card: Card) -> Json:
        """The reply in one piece."""
        ...

    def events(self, body: Json, message: Json, answer: Answer) -> Iterator[bytes]:
        """The reply as a stream."""
        ...

    def headers(self, request_id: str, fault: Fault | None) -> dict[str, str]:
        """What each response carries."""
        ...

    def error(self, refused: Refused, request_id: str) -> Json:
        """The body of an HTTP error."""
        ...

    def failed(self, refused: Refused, request_id: str) -> bytes:
        """An error in the middle of a stream."""
        ...

    def info(self, card: Card) -> Json:
        """What is known of a model."""
        ...

    def unknown(self, model: str) -> Refused:
        """No such model."""
        ...

    def too_long(self, tokens: int, window: int) -> Refused:
        """The prompt does not fit."""
        ...
