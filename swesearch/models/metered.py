"""What a reply cost, written into the reply."""

from __future__ import annotations

from dataclasses import replace

from swesearch.dialogue import Model, Reply, Request
from swesearch.models.prices import Price


class Metered:
    """A model whose replies name their dollars, and who gave them where the reply does not say."""

    def __init__(self, model: Model, price: Price, name: str = "") -> None:
        self._model, self._price, self._name = model, price, name

    def complete(self, request: Request) -> Reply:
        """Ask, and price the answer. Raises what the model raises."""
        reply = self._model.complete(request)
        return replace(reply, dollars=self._price.of(reply.usage), model=reply.model or self._name)
