"""Real runs of small programs, line by line, for the tests of localisation."""

from __future__ import annotations

import sys
import traceback
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from sandbox.base import Frame, TestOutcome

Watch = Callable[[Mapping[str, str]], list[TestOutcome]]


def _run(root: Path, path: str, name: str, test: Callable[[], None]) -> TestOutcome:
    """Run one test under a line tracer."""
    lines: dict[str, set[int]] = defaultdict(set)

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        file = Path(frame.f_code.co_filename)
        if not file.is_relative_to(root):
            return None
        if event == "line":
            lines[str(file.relative_to(root))].add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        test()
        error: BaseException | None = None
    except Exception as caught:  # noqa: BLE001 - a test may fail with anything
        error = caught
    finally:
        sys.settrace(before)
    seen = {file: tuple(sorted(numbers)) for file, numbers in lines.items()}
    if error is None:
        return TestOutcome(f"{path}::{name}", "passed", lines=seen)
    entries = [e for e in traceback.extract_tb(error.__traceback__) if Path(e.filename).is_relative_to(root)]
    frames = tuple(Frame(str(Path(e.filename).relative_to(root)), e.lineno or 0, e.name) for e in entries)
    return TestOutcome(f"{path}::{name}", "failed", error=type(error).__name__, message=str(error), frames=frames, lines=seen)


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Write files, import those that are tests, and run every test in them: the outcomes, with lines and frames."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def run(files: Mapping[str, str]) -> list[TestOutcome]:
        for path, source in files.items():
            (tmp_path / path).write_text(source)
        outcomes = []
        for path in (p for p in files if p.startswith("test_")):
            space: dict[str, Any] = {"__name__": path}
            exec(compile(files[path], str(tmp_path / path), "exec"), space)
            outcomes += [_run(tmp_path, path, n, t) for n, t in space.items() if n.startswith("test_") and callable(t)]
        return outcomes

    yield run
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]
