"""From the names of models to one model: the only place where the wrappers are put around each other.

    Recorded( Router( role: Limited( Metered( Reserved( adapter )))))

- `Recorded` is outermost: an answer we have needs no route, no turn and no money.
- `Limited` is around `Reserved`: a call that waits holds no money back, each try is reserved by itself, and a lost answer
  that was perhaps billed is paid before the next try. The other way round, one reservation would have to cover all tries.
- `Reserved` is next to the adapter, which it may ask to count.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from swesearch.base import Memory, UsageError
from swesearch.dialogue import Model, ModelRole
from swesearch.models.limited import Limited, Limiter, limiter_of
from swesearch.models.metered import Metered
from swesearch.models.prices import Price, price_of, priced
from swesearch.models.recorded import Recorded
from swesearch.models.reserved import Purse, Reserved
from swesearch.models.route import Router, Spec


def connect(
    specs: Mapping[ModelRole, str],
    *,
    base_url: str | None = None,
    price: str = "",
    purse: Purse | None = None,
    memory: Memory | None = None,
    stop: threading.Event | None = None,
    patience: float = 120.0,
    silence: float = 600.0,
    tell: Callable[[str], None] = lambda _: None,
) -> Model:
    """The model that answers each role with the model named for it.

    `price` overrides the table; where several models are named, only for those that the table does not know. `patience`: seconds to wait
    for a provider in trouble; `silence`: seconds that it may say nothing. `tell` hears of long waits.
    Raises UsageError for a name or a price that cannot be used, ModelUnavailable where there is no key: all before any network.
    """
    named = {role: Spec.parse(text) for role, text in specs.items()}
    prices = _prices(set(named.values()), price)
    if base_url and len({spec.provider for spec in named.values()}) > 1:
        raise UsageError("one base URL cannot serve two providers: set ANTHROPIC_BASE_URL and OPENAI_BASE_URL instead")

    models = {}
    for spec, its_price in prices.items():
        limiter = limiter_of(spec.provider, base_url or "")
        adapter = _adapter(spec, base_url, silence, limiter)
        paid = Reserved(adapter, purse, its_price) if purse is not None else adapter
        models[spec] = Limited(Metered(paid, its_price, spec.name), limiter, patience, stop=stop, tell=tell)
    router = Router({role: models[spec] for role, spec in named.items()})
    return Recorded(router, memory) if memory is not None else router


def _prices(specs: set[Spec], override: str) -> dict[Spec, Price]:
    several = len({spec.name for spec in specs}) > 1
    return {spec: price_of(spec.name, "" if several and priced(spec.name) else override) for spec in specs}


def _adapter(spec: Spec, base_url: str | None, silence: float, limiter: Limiter) -> Model:
    if spec.provider == "openai":
        from swesearch.models.openai import OpenAIModel

        return OpenAIModel(spec.name, base_url=base_url, effort=spec.effort, timeout=silence, heed=limiter.heed)
    from swesearch.models.anthropic import AnthropicModel

    return AnthropicModel(spec.name, base_url=base_url, effort=spec.effort, timeout=silence, heed=limiter.heed)
