"""Put the parts together: the only room that knows all others."""

from collections.abc import Mapping

from swesearch.settings import Settings
from swesearch.solve.fork import fork
from swesearch.solve.models import named
from swesearch.solve.names import git
from swesearch.solve.plan import plan
from swesearch.solve.prepare import placed
from swesearch.solve.rank import rank
from swesearch.solve.ready import ready
from swesearch.solve.results import apply, candidate, pick, picked, reproduction, root_of, solution
from swesearch.solve.search import search

__all__ = [
    "apply",
    "candidate",
    "fork",
    "git",
    "models",
    "pick",
    "picked",
    "placed",
    "plan",
    "rank",
    "ready",
    "reproduction",
    "root_of",
    "search",
    "solution",
]


def models(settings: Settings) -> Mapping[str, str]:
    """The model of each role, nothing where none is named."""
    return {role: name for role, name in named(settings.model).items()}
