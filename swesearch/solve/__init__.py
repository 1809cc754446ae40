"""Put the parts together: the only room that knows all others."""

from collections.abc import Mapping

from swesearch.settings import Settings
from swesearch.solve.models import named
from swesearch.solve.plan import plan
from swesearch.solve.rank import rank
from swesearch.solve.ready import ready
from swesearch.solve.results import apply, reproduction, solution
from swesearch.solve.search import search

__all__ = ["apply", "models", "plan", "rank", "ready", "reproduction", "search", "solution"]


def models(settings: Settings) -> Mapping[str, str]:
    """The model of each role, nothing where none is named."""
    return {role: name for role, name in named(settings.model).items()}
