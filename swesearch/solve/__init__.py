"""Put the parts together: the only room that knows all others."""

from swesearch.solve.results import apply, solution
from swesearch.solve.search import search

__all__ = ["apply", "search", "solution"]
