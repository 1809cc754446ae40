"""What the Messages API refuses, and in which words."""

from __future__ import annotations

from collections.abc import Mapping

from . import thinking
from .cards import Card
from .words import Json, invalid


def check_shape(body: Json, counting: bool) -> None:
    """Raises Refused where a field is missing, unknown or of the wrong type."""
    for name in ("model", "messages", *(() if counting else ("max_tokens",))):
        if name not in body:
            raise invalid(f"{name}: Field required")


def check(body: Json, headers: Mapping[str, str], card: Card) -> None:  # noqa: ARG001
    """Raises Refused where a well-formed request breaks a rule of the API or of the model."""
    thinking.check(body)
