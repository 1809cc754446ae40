"""swesearch: repair code by searching over its versions."""

__version__ = "0.1.0"
