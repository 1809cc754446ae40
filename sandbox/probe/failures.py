"""What an exception says, as plain data: class, message, and where in the work tree it came from."""

import os
import traceback
from typing import Any, Dict, Iterator, List, Tuple

LONGEST = 4096  # characters of a message
DEEPEST = 100  # frames of a traceback
OUTSIDE = (os.sep + "site-packages" + os.sep, os.sep + "dist-packages" + os.sep)
SHIFTS: Dict[str, Any] = {}  # path -> (line, code) -> line, where functions were swapped (see swap.py)

_known: Dict[Tuple[str, str], str] = {}
_only = traceback.format_exception_only


def inside(path: str, root: str) -> str:
    """`path` relative to the work tree, or "" where it lies outside."""
    found = _known.get((path, root))
    if found is None:
        found = _known[path, root] = _inside(path, root)
    return found


def _inside(path: str, root: str) -> str:
    if not path.startswith(root):
        path = os.path.join(root, path) if path[:1] not in ("/", "<") else os.path.realpath(path)
        if not path.startswith(root) or not os.path.exists(path):
            return ""
    return "" if any(mark in path for mark in OUTSIDE) else path[len(root) :]


def _entries(trace: Any, root: str) -> Iterator[List[Any]]:
    while trace is not None:
        code = trace.tb_frame.f_code
        path = inside(code.co_filename, root)
        if path:
            line = trace.tb_lineno
            shift = SHIFTS.get(path)
            yield [path, shift(line, code) if shift else line, code.co_name]
        trace = trace.tb_next


def _frames(error: Any, root: str) -> List[List[Any]]:
    """Frames in the work tree, outermost first; those of the exception's causes after it: they lie deeper."""
    found: List[List[Any]] = []
    seen: List[Any] = []
    while error is not None and error not in seen:
        seen.append(error)
        found += _entries(error.__traceback__, root)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    half = DEEPEST // 2
    return found if len(found) <= DEEPEST else found[:half] + found[-half:]


class Caught:
    """An exception in the shape of pytest's own record of one."""

    def __init__(self, value: BaseException) -> None:
        self.type, self.value = type(value), value


def describe(excinfo: Any, root: str) -> Dict[str, Any]:
    """An exception as pytest caught it: {"error", "message", "frames"}."""
    name = excinfo.type.__name__
    text = "".join(_only(excinfo.type, excinfo.value)).strip()
    head, colon, rest = text.partition(":")
    message = rest.strip() if colon and head.split(".")[-1] == name else "" if head.split(".")[-1] == name else text
    return {"error": name, "message": message[:LONGEST], "frames": _frames(excinfo.value, root)}


def reason(excinfo: Any) -> str:
    """Why a test was skipped."""
    return str(getattr(excinfo.value, "msg", None) or "")[:LONGEST]
