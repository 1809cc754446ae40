"""Who answers whom: a model for each role, named in a word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from swesearch.base import UsageError
from swesearch.dialogue import Model, ModelRole, Reply, Request

PROVIDERS = ("anthropic", "openai")
EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Spec:
    """A model as the user names it: claude-opus-5-5, anthropic:NAME or openai:NAME, each with an optional @effort."""

    provider: str
    name: str
    effort: str = ""

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read a name. Raises UsageError where it is none."""
        named, _, effort = text.strip().rpartition("@")
        if not named or effort.isdecimal():  # a date is a part of some names
            named, effort = text.strip(), ""
        provider, colon, name = named.partition(":")
        if not colon and named.startswith("claude-"):
            provider, name = "anthropic", named
        if provider not in PROVIDERS or not name:
            raise UsageError(f"no such model: {text!r}; name it claude-..., anthropic:NAME or openai:NAME")
        if effort and effort not in EFFORTS:
            raise UsageError(f"no such effort: {effort!r} in {text!r}; there are {', '.join(EFFORTS)}")
        return cls(provider, name, effort)


class Router:
    """A model for each role."""

    def __init__(self, models: Mapping[ModelRole, Model]) -> None:
        self._models = models

    def complete(self, request: Request) -> Reply:
        """Ask the model of the role. Raises UsageError where the role has none, and what the model raises."""
        model = self._models.get(request.role)
        if model is None:
            raise UsageError(f"no model was named for the {request.role}")
        return model.complete(request)
