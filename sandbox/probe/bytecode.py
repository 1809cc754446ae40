"""Compiles modules of a base tree, so that not every run has to: run by the environment's own Python, on a tree no candidate has touched.

fd 3 brings {"modules": [...], "tests": [...], "seconds": n, "time": n}; fd 4 takes JSON lines [path, path of the bytecode, its size],
each followed by the bytes. A module's bytecode is checked against its source by hash when it is loaded, so it is never stale. pytest
rewrites the asserts of test files; up to version 9 it keeps that for a source of the same time and size: the base's are given `time`.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import py_compile
import site
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, Tuple

Compiled = Callable[[str], Tuple[str, bytes]]  # path -> path of the bytecode, bytes
FAULTS = (py_compile.PyCompileError, SyntaxError, ValueError, OSError, RecursionError, TypeError, AttributeError)


def main() -> None:
    """Compile until all is done or the time is up. What does not compile is passed over."""
    with open(3, "rb") as file:
        order = json.loads(file.read())
    end = time.monotonic() + order["seconds"]
    work: list[tuple[str, Compiled]] = [(path, _module) for path in order["modules"]]
    test_file = _pytest(order["time"]) if order["tests"] else None
    work += [(path, test_file) for path in order["tests"] if test_file]
    with open(4, "wb") as report:
        for path, compiled in work:
            name, data = _try(compiled, path)
            report.write(json.dumps([path, name, len(data)]).encode() + b"\n" + data)
            if time.monotonic() > end:
                break


def _try(compiled: Compiled, path: str) -> tuple[str, bytes]:
    try:
        return compiled(path)
    except FAULTS:
        return "", b""


def _module(path: str) -> tuple[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        target = os.path.join(folder, "bytecode")
        py_compile.compile(path, target, path, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        with open(target, "rb") as file:
            return importlib.util.cache_from_source(path), file.read()


def _pytest(date: int) -> Compiled | None:
    """How this environment's pytest rewrites and keeps a test file, by its own functions. None where it has none as we know it."""
    for folder in filter(None, os.environ.get("BOX_SITE", "").split(":")):
        site.addsitedir(folder)
    try:
        from _pytest.assertion.rewrite import PYC_TAIL, _rewrite_test, _write_pyc_fp
    except ImportError:
        return None

    def compiled(path: str) -> tuple[str, bytes]:
        os.utime(path, (date, date))
        kept = io.BytesIO()
        _write_pyc_fp(kept, *_rewrite_test(Path(path).absolute(), None))  # type: ignore[arg-type] # no settings: see `Base.to_compile`
        folder, name = os.path.split(path)
        return os.path.join(folder, "__pycache__", name[:-3] + PYC_TAIL), kept.getvalue()

    return compiled


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main()
