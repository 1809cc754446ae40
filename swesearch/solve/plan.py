"""What a run would do, and the most it can cost: for --dry-run. Nothing is asked of anybody."""

from __future__ import annotations

from collections.abc import Iterator

from swesearch.base import Task, UsageError
from swesearch.engine.budget import Budget
from swesearch.models.prices import price_of
from swesearch.models.route import Spec
from swesearch.settings import Settings
from swesearch.solve.models import attempts, named


def plan(task: Task, settings: Settings) -> Iterator[str]:
    """The plan, line by line. Raises UsageError for a model that has no price."""
    limits, search = settings.budget, settings.search
    models = named(settings.model)
    yield f"repair     {task.repo}"
    yield from (f"check      {' '.join(check.command)}" for check in task.checks)
    if not task.checks:
        if not task.issue.strip():
            raise UsageError("there is neither a check nor an issue: nothing says what is broken")
        yield f"check      none: up to {settings.agents.variants} tests are written from the issue, and must fail on the code as it is"
    yield f"search     {search.strategy}, at most {search.depth} changes deep, seed {search.seed}"
    yield f"stops      {_limits(limits.evaluations, limits.seconds, limits.tokens)}"
    if not models:
        yield "models     none: templates propose the edits"
        yield "cost       $0"
        return
    for role, name in models.items():
        price = price_of(Spec.parse(name).name, settings.model.price)
        yield f"model      {role}: {name}, ${price.input:g} in, ${price.output:g} out per million tokens"
    most = attempts(settings.model, Budget(tokens=limits.tokens or None, dollars=limits.dollars or None))
    yield f"attempts   about {most:.0f}, at {settings.agents.steps} turns of an executor or less" if most < 1e9 else "attempts   no limit"
    yield (
        f"cost       at most ${limits.dollars:g}: each call is paid for beforehand"
        if limits.dollars
        else "cost       NO LIMIT (budget.dollars is 0)"
    )


def _limits(evaluations: int, seconds: float, tokens: int) -> str:
    said = [
        f"after {evaluations} evaluations" if evaluations else "",
        f"{seconds:g} s" if seconds else "",
        f"{tokens:,} tokens" if tokens else "",
    ]
    return ", or ".join(filter(None, said)) or "never by itself"
