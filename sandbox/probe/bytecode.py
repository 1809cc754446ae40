"""Compiles modules of a base tree, so that not every run has to: run by the environment's own Python, on a tree no candidate has touched.

fd 3 brings {"modules": [...], "tests": [...], "seconds": n, "time": n}; fd 4 takes JSON lines [path, path of the bytecode, its size],
each followed by the bytes. A module's bytecode is checked against its source by hash when it is loaded, so it is never stale. pytest
rewrites the asserts of test files, and keeps that only for a source of the same time and size: the base's are given that `time`.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import marshal
import os
import py_compile
import site
import struct
import sys
import tempfile
import time
from typing import Any, Callable, Tuple

Compiled = Callable[[str], Tuple[str, bytes]]  # path -> path of the bytecode, bytes
FAULTS = (py_compile.PyCompileError, SyntaxError, ValueError, OSError, RecursionError)


def main() -> None:
    """Compile until all is done or the time is up. What does not compile is passed over."""
    with open(3, "rb") as file:
        order = json.loads(file.read())
    end = time.monotonic() + order["seconds"]
    work: list[tuple[str, Compiled]] = [(path, _module) for path in order["modules"]]
    rewrite, tail = _pytest() if order["tests"] else (None, "")
    work += [(path, _test_file(rewrite, tail, order["time"])) for path in order["tests"] if rewrite]
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


def _pytest() -> tuple[Any, str]:
    """pytest's rewriter and the end of its bytecode's name, None where there is no pytest as we know it."""
    for folder in filter(None, os.environ.get("BOX_SITE", "").split(":")):
        site.addsitedir(folder)
    try:
        from _pytest.assertion.rewrite import PYC_TAIL, rewrite_asserts
    except ImportError:
        return None, ""
    return rewrite_asserts, PYC_TAIL


def _test_file(rewrite: Any, tail: str, mtime: int) -> Compiled:
    def compiled(path: str) -> tuple[str, bytes]:
        with open(path, "rb") as file:
            source = file.read()
        full = os.path.abspath(path)
        tree = ast.parse(source, full)
        rewrite(tree, source, full, None)
        code = compile(tree, full, "exec", dont_inherit=True)
        header = importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, mtime, len(source) & 0xFFFFFFFF)
        folder, name = os.path.split(path)
        return os.path.join(folder, "__pycache__", name[:-3] + tail), header + marshal.dumps(code)

    return compiled


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main()
