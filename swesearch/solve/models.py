"""The model of a run: which names are meant for which role, what its calls may cost, and where its answers are kept."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from math import inf
from typing import get_args

from swesearch.base import UsageError
from swesearch.dialogue import Model, ModelRole, Usage
from swesearch.engine.budget import Budget
from swesearch.models.connect import connect
from swesearch.models.prices import price_of
from swesearch.models.recorded import Recorded
from swesearch.models.route import Spec
from swesearch.settings import ModelSettings
from swesearch.solve.record import Record

FRESH, READ, SAID = 30_000, 150_000, 8_000  # tokens of a usual attempt: new, read from the cache, answered. Stated
ROLES: tuple[ModelRole, ...] = get_args(ModelRole)


def named(settings: ModelSettings) -> Mapping[ModelRole, str]:
    """The model of each role; nothing where no model is named at all. Raises UsageError where only some have one."""
    found = {role: name for role in ROLES if (name := getattr(settings, role) or settings.name)}
    if missing := [role for role in ROLES if found and role not in found]:
        raise UsageError(f"no model is named for the {', the '.join(missing)}: name one for all with --model, or each in model.ROLE")
    return found


def attempts(settings: ModelSettings, budget: Budget) -> float:
    """For about how many attempts of an executor the budget lasts."""
    price = price_of(Spec.parse(named(settings)["executor"]).name, settings.price)
    dollars, tokens = budget.left()["dollars"], budget.left()["tokens"]
    each = price.of(Usage(input=FRESH, output=SAID, cache_read=READ))
    by_money = dollars / each if dollars is not None and each else inf
    return min(by_money, tokens / (FRESH + SAID + READ) if tokens is not None else inf)


def model_of(settings: ModelSettings, budget: Budget, record: Record, stop: threading.Event) -> Model | None:
    """What answers all roles: the record alone where that was asked for; None where no model is named.

    Raises UsageError, ModelUnavailable where there is no key.
    """
    specs = named(settings)
    if not specs:
        return None
    if settings.answers == "record":
        return Recorded(None, record)
    return connect(
        specs,
        base_url=settings.base_url or None,
        price=settings.price,
        purse=budget,
        memory=record,
        stop=stop,
        patience=settings.patience,
        silence=settings.silence,
        tell=lambda words: record.show("warning", text=words),
    )
