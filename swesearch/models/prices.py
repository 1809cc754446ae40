"""What tokens cost: a dated table, which the user overrides. A model without a price is refused."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

from swesearch.base import UsageError
from swesearch.dialogue import Usage
from swesearch.models.trouble import near

TABLE = Path(__file__).with_name("prices.toml")
DATED = re.compile(r"-20\d{6}$")  # a snapshot of a model costs what the model costs
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens. `above`: a longer prompt has other prices, for the whole request."""

    input: float
    output: float
    cache_read: float
    cache_write: float
    above: tuple[int, Price] | None = None

    def of(self, usage: Usage) -> float:
        """What a call cost."""
        rate = self._for(usage.total - usage.output)
        return (
            usage.input * rate.input
            + usage.output * rate.output
            + usage.cache_read * rate.cache_read
            + usage.cache_write * rate.cache_write
        ) / MILLION

    def worst(self, input_tokens: int, output_tokens: int) -> float:
        """The most that a call of this size can cost: every token of its input at the dearest kind."""
        rate = self._for(input_tokens)
        return (input_tokens * max(rate.input, rate.cache_read, rate.cache_write) + output_tokens * rate.output) / MILLION

    def _for(self, prompt: int) -> Price:
        return self.above[1] if self.above and prompt > self.above[0] else self


FREE = Price(0.0, 0.0, 0.0, 0.0)


def price_of(model: str, override: str = "") -> Price:
    """The price of `model`. `override`: "free", "IN/OUT" or "IN/OUT/READ/WRITE", "" for the table.

    Raises UsageError for a model without a price, and for an override that cannot be read.
    """
    if override:
        return FREE if override == "free" else _read(override)
    found = _table().get(DATED.sub("", model))
    if found is None:
        raise UsageError(
            f"no price is known for {model}{near(model, _table())}: give --price IN/OUT ($ per million tokens) or --price free"
        )
    return found


def known_models(prefix: str = "") -> tuple[str, ...]:
    """The models that the table prices."""
    return tuple(name for name in _table() if name.startswith(prefix))


def priced(model: str) -> bool:
    """Whether the table knows `model`."""
    return DATED.sub("", model) in _table()


def _read(override: str) -> Price:
    try:
        numbers = [float(number) for number in override.split("/")]
    except ValueError:
        numbers = []
    if len(numbers) not in (2, 4) or not all(isfinite(number) and number >= 0 for number in numbers):
        raise UsageError(f"--price {override}: give IN/OUT or IN/OUT/READ/WRITE in $ per million tokens, or free")
    given, made, read, written = (*numbers, numbers[0], numbers[0])[:4]  # a cache that is not priced saves nothing
    return Price(given, made, read, written)


@cache
def _table() -> Mapping[str, Price]:
    return {name: _price(row) for name, row in tomllib.loads(TABLE.read_text("utf-8"))["models"].items()}


def _price(row: Mapping[str, Any]) -> Price:
    above = row.get("above")
    return Price(row["input"], row["output"], row["cache_read"], row["cache_write"], (above["tokens"], _price(above)) if above else None)
