"""Inputs that fuzzing found to break something, by target. Each was mended; none may break again."""

from __future__ import annotations

from typing import Any

from benchmarks.fuzz.boxes import sealed

FOUND: dict[str, list[Any]] = {
    "patches": [
        "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n\\ No newline at end of file",  # an IndexError
        "--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-\ud800",  # a UnicodeEncodeError
    ],
    "settings": [
        ("", {}, "standard", ["\0"]),  # a ValueError
        ("a = " + "[" * 100_000, {}, "standard", []),  # a RecursionError
    ],
    "test_reports": [
        sealed([["finish", {}]]),  # a KeyError ended the search
        sealed([["finish", {"status": float("inf"), "tests": 0, "stopped": False, "wants": False}]]),
        sealed([["broken", {"frames": [[1]]}], ["finish", {"status": 0, "tests": 0, "stopped": False, "wants": False}]]),
        sealed([["usage", "no object"]]),
    ],
}
