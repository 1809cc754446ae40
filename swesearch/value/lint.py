"""New ruff findings against the root: some prove a bug, some are only untidy."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter

from ruff.__main__ import find_ruff_bin  # type: ignore[import-untyped]  # ruff ships no stubs

from swesearch.base import Attempt, Measurement, State
from swesearch.store import Store

# No false alarm on 125 upstream fixes: undefined names, syntax errors, misuse that fails at run time.
FATAL = ("E9", "F", "PLE")
UNTIDY = ("F401", "F841", "B")  # unused imports and variables, likely bugs: a lower score, no gate
COST = 0.25  # of the score, for each untidy finding


class LintUnavailable(OSError):
    """Ruff could not be run: we could not find out."""


class Lint:
    """1 where a candidate adds no finding; 0 and a gate for a fatal one; a quarter less for each untidy one."""

    name = "lint"

    def __init__(self, store: Store, root: State, weight: float = 0.1) -> None:
        self.weight = weight
        self._store = store
        self._root = root
        self._known: dict[tuple[str, bytes], Counter[tuple[str, str]]] = {}

    def measure(self, state: State, parent: Attempt | None) -> Measurement:  # noqa: ARG002 - the seam's shape
        """Compare the findings of each changed Python file with those of its root version."""
        new: Counter[tuple[str, str]] = Counter()
        for path, before, after in self._store.texts(self._root, state):
            if path.endswith(".py") and after is not None:
                new += self._findings(path, after) - self._findings(path, before or b"")
        fatal = sorted(f"{code} {text}" for code, text in new if not code.startswith(UNTIDY))
        words = "; ".join(fatal or sorted(f"{code} {text}" for code, text in new))
        return Measurement(self.name, 0.0 if fatal else max(0.0, 1 - COST * new.total()), blocked=bool(fatal), feedback=words)

    def _findings(self, path: str, source: bytes) -> Counter[tuple[str, str]]:
        """Rule and message of each finding, without lines: an edit above a finding must not make it new."""
        key = (path, source)
        if key not in self._known:
            self._known[key] = Counter((item["code"] or "E9", item["message"]) for item in _ruff(path, source))
        return self._known[key]


def _ruff(path: str, source: bytes) -> list[dict[str, str]]:
    """Run ruff over one file's text on stdin. The repository's own configuration is not read. Nothing is said of what is not UTF-8."""
    try:
        source.decode()
    except UnicodeDecodeError:
        return []
    rules = ",".join((*FATAL, *UNTIDY))
    words = ["check", "--isolated", "--no-cache", "--quiet", "--output-format=json", f"--select={rules}", f"--stdin-filename={path}", "-"]
    try:
        done = subprocess.run([find_ruff_bin(), *words], input=source, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LintUnavailable(f"ruff could not be run: {error}") from error
    if -done.returncode in (signal.SIGABRT, signal.SIGSEGV):  # its parser recurses: only what the source holds does that
        return [{"code": "E9", "message": "nested too deeply to be read"}]
    if done.returncode not in (0, 1):
        raise LintUnavailable(f"ruff failed: {done.stderr.decode(errors='replace').strip()[:200]}")
    findings: list[dict[str, str]] = json.loads(done.stdout)
    return findings
