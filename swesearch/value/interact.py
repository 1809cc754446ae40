"""What the test file of an issue's examples carries with it. See examples.py. Its text stands alone and runs on Python 3.6.

Statements are run one after another as at a prompt, each in a test of its own that fails with what was seen. A name that the issue
does not explain is looked up in the package and in test files near the change: readers of an issue know it, and so do these.
"""

import ast
import contextlib
import importlib
import io
import random
import re
from typing import Any

_SWE_LONGEST = 1500
_swe_space: Any = {"__name__": "__main__"}
_swe_homes: Any = []  # where unknown names are looked up


def _swe_arrange(statements: Any, homes: Any) -> None:
    """A test for each statement."""
    _swe_homes.extend(homes)
    for number, statement in enumerate(statements):
        globals()[f"test_{number:03}"] = _swe_test(statement)


def _swe_test(statement: Any) -> Any:
    def test() -> None:
        raise AssertionError("observed: " + _swe_seen(statement))

    return test


def _swe_seen(statement: Any) -> Any:
    """What a statement prints and gives, or how it fails."""
    for _ in range(8):
        random.seed(0)
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                _swe_run(statement)
        except NameError as error:
            name = re.search("name '([^']+)' is not defined", str(error))
            if name and _swe_find(name.group(1)):
                continue
            return _swe_plain(out.getvalue()) + _swe_error(error)
        except BaseException as error:  # noqa: BLE001 (whatever an example raises is what is observed)
            return _swe_plain(out.getvalue()) + _swe_error(error)
        return _swe_plain(out.getvalue())
    return "unknown names"


def _swe_run(statement: Any) -> None:
    body = ast.parse(statement).body
    if isinstance(body[-1], ast.Expr):
        value = eval(compile(ast.Expression(body[-1].value), "<example>", "eval"), _swe_space)
        if value is not None:
            print(repr(value))
    else:
        exec(compile(statement, "<example>", "exec"), _swe_space)


def _swe_find(name: Any) -> Any:
    """Whether a home has the name; it is ours then."""
    for home in _swe_homes:
        try:
            module = importlib.import_module(home)
        except (Exception, SystemExit):  # noqa: BLE001 (a module that cannot be imported, whatever it raises, has no names)
            continue
        if hasattr(module, name):
            _swe_space[name] = getattr(module, name)
            return True
    return False


def _swe_error(error: Any) -> Any:
    return f"raises {type(error).__name__}: {_swe_plain(str(error))[:300]}"


def _swe_plain(text: Any) -> Any:
    return re.sub(r"0x[0-9a-fA-F]{6,}", "0x", text).strip("\n")[:_SWE_LONGEST]
