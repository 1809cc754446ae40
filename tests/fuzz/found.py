"""Inputs that fuzzing found to break something, by target. Each was mended; none may break again."""

from __future__ import annotations

from typing import Any

FOUND: dict[str, list[Any]] = {}
