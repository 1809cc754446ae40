"""See which lines run: only in chosen files of the work tree, with sys.monitoring where there is one, else with sys.settrace."""

import signal
import sys
import threading
import time
from dis import findlinestarts, opmap
from typing import AbstractSet, Any, Callable, Dict, List, Optional, Set

from swesearch_probe.failures import inside  # type: ignore[import-not-found]

MONITORING: Any = getattr(sys, "monitoring", None)  # Python 3.12 on
TOOL = 4
EVERY = 0.2  # CPU seconds between two reports: what a test ran before it was killed must have been told
EAGER = 0.05
RESUME = opmap.get("RESUME", -1)  # Python 3.11 on: what a function does up to here counts as its header's, and no tracer is told


def lines_of(code: Any) -> Set[int]:
    """The lines that a tracer is told of where they run."""
    size = len(code.co_code)
    begun = next((at + 2 for at in range(0, size, 2) if code.co_code[at] == RESUME), 0)
    starts = [*findlinestarts(code), (size, None)]
    return {line for (_, line), (end, _) in zip(starts, starts[1:]) if line and end > begun}


class Seen:
    """Calls `visit(path, line, frame)` at lines of the work tree's files, until it returns that it has seen enough of that line.

    `wanted(path)` gives the lines of a file to look at: all where it gives none at all, and nothing of a file where it returns None.
    """

    def __init__(self, root: str, wanted: Callable[[str], Optional[AbstractSet[int]]], visit: Callable[[str, int, Any], bool]) -> None:
        self._root, self._wanted, self._visit = root, wanted, visit
        self._paths: Dict[str, str] = {}
        self._local: Dict[Any, Any] = {}  # the tracer of a code's frames, None where nobody wants more of it
        self.on = False

    def _path(self, filename: str) -> str:
        """The path to report for a code's file name, "" where nobody wants it."""
        path = self._paths.get(filename)
        if path is None:
            path = inside(filename, self._root)
            path = self._paths[filename] = path if path and self._wanted(path) is not None else ""
        return path

    def _asked(self, path: str, lines: Set[int]) -> Set[int]:
        """Those of some lines that are to be looked at."""
        wanted = self._wanted(path)
        return lines & wanted if wanted else lines

    def start(self) -> None:
        """Look at what runs from now on."""
        self.on = True
        self._local.clear()
        if MONITORING is None:
            sys.settrace(self._called)
            threading.settrace(self._called)
        elif MONITORING.get_tool(TOOL) is None:
            MONITORING.use_tool_id(TOOL, "swesearch")
            MONITORING.register_callback(TOOL, MONITORING.events.PY_START, self._started)
            MONITORING.register_callback(TOOL, MONITORING.events.LINE, self._line)
            MONITORING.set_events(TOOL, MONITORING.events.PY_START)
        else:
            MONITORING.restart_events()

    def stop(self) -> None:
        """Look away."""
        self.on = False
        if MONITORING is None:
            sys.settrace(None)
            threading.settrace(None)

    def _started(self, code: Any, _: int) -> Any:
        if self._path(code.co_filename):
            MONITORING.set_local_events(TOOL, code, MONITORING.events.LINE)
        return MONITORING.DISABLE

    def _line(self, code: Any, line: int) -> Any:
        path = self._path(code.co_filename)
        if not self.on or not self._asked(path, {line}) or self._visit(path, line, sys._getframe(1)):
            return MONITORING.DISABLE
        return None

    def _called(self, frame: Any, _event: str, _arg: Any) -> Any:
        code = frame.f_code
        if code not in self._local:
            path = self._path(code.co_filename)
            lines = self._asked(path, lines_of(code)) if path else set()
            self._local[code] = self._looking(path, lines) if lines else None
        return self._local[code]

    def _looking(self, path: str, lines: Set[int]) -> Any:
        """The tracer of one function's frames. It leaves them alone once enough was seen of all `lines`."""

        def local(frame: Any, event: str, _arg: Any) -> Any:
            line = frame.f_lineno
            if event == "line" and line in lines and self.on and self._visit(path, line, frame):
                lines.discard(line)
                if not lines:
                    self._local[frame.f_code] = None
            return local if lines else None

        return local


class Lines:
    """Which lines each test executes; under the id "" those of imports and collection."""

    def __init__(self, send: Callable[..., None], root: str) -> None:
        self._send = send
        self._seen = Seen(root, lambda _: frozenset(), self._visit)
        self.start("")

    def start(self, name: str) -> None:
        """A test begins."""
        self.stop()
        self._name = name
        self._known: Dict[str, Set[int]] = {}
        self._new: Dict[str, List[int]] = {}
        self._told = time.perf_counter()
        signal.signal(signal.SIGVTALRM, self._flush)
        signal.setitimer(signal.ITIMER_VIRTUAL, EVERY, EVERY)
        self._seen.start()

    def stop(self) -> None:
        """It has ended."""
        if self._seen.on:
            self._seen.stop()
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            self._flush()

    def caught(self, error: BaseException) -> None:
        """Of no interest here."""

    def _visit(self, path: str, line: int, _: Any) -> bool:
        known = self._known.setdefault(path, set())
        if line and line not in known:
            known.add(line)
            self._new.setdefault(path, []).append(line)
            if time.perf_counter() - self._told > EAGER:
                self._flush()
        return True

    def _flush(self, *_: object) -> None:
        new, self._new = self._new, {}
        self._told = time.perf_counter()
        for path, lines in new.items():
            self._send("lines", id=self._name, path=path, lines=lines)


def tracer(job: Dict[str, Any], send: Callable[..., None], root: str) -> Any:
    """What the job asks to be traced: lines, or types."""
    if job["trace"] == "lines":
        return Lines(send, root)
    from swesearch_probe.kinds import Types  # type: ignore[import-not-found]

    return Types(job["focus"], send, root)
