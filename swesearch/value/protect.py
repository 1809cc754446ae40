"""Which files belong to the check. A candidate's edits to them never count and never reach a patch."""

from __future__ import annotations

import re
import sys
from collections.abc import Container
from pathlib import PurePosixPath

TEST_FOLDERS = frozenset(
    {
        *("test", "tests", "testing", "unittests"),
        *("testutils", "test_utils", "testhelpers", "test_helpers", "testsupport", "test_support", "testlib"),
    }
)
TEST_FILE = re.compile(r"(test_.*|.*_test|tests?|conftest)\.py")
CONFIGURATION = frozenset(
    {"pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "tox.ini", "setup.cfg", "pyproject.toml", "noxfile.py"}
)
STARTUP = frozenset({"sitecustomize.py", "usercustomize.py"})
SHADOWED = frozenset(sys.stdlib_module_names) | {"pytest", "_pytest", "pluggy", "py", "iniconfig"}


def is_test(path: str) -> bool:
    """Whether `path` looks like a test or a test's helper: a test folder above it, or a test's file name."""
    pure = PurePosixPath(path)
    return bool(TEST_FOLDERS.intersection(pure.parts[:-1])) or TEST_FILE.fullmatch(pure.name) is not None


def protected(path: str, existing: Container[str] = (), outside: Container[str] = ()) -> str:
    """Why a candidate may not change `path`, or "" if it may.

    `existing` holds the paths of the root, `outside` the modules that its tests take from outside the repository, where that is known.
    """
    pure = PurePosixPath(path)
    if is_test(path):
        return "it belongs to the tests"
    if pure.name in CONFIGURATION:
        return "it configures how tests run"
    if pure.name in STARTUP or pure.suffix == ".pth" or any(part.endswith(".dist-info") for part in pure.parts):
        return "Python runs it before the tests"
    if path not in existing and (_top_module(pure) in SHADOWED or _top_module(pure) in outside):
        return "it would stand in for a module that the tests rely on"
    return ""


def _top_module(path: PurePosixPath) -> str:
    """The top-level module name that a file makes importable from the repository's root or from src/."""
    parts = path.parts[1:] if path.parts[0] == "src" and len(path.parts) > 1 else path.parts
    return parts[0].removesuffix(".py")
