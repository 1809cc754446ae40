"""The `midway` zygote: it collects the base's tests up to where the first of some modules would be imported, and forks there.

A fork goes on with the candidate's own text of that module. Nothing that was imported before can depend on it, as it was not there yet:
this is for changes that no swap of functions can make, in projects whose import is most of what a run costs.
"""

import importlib
import importlib.machinery
import os
import socket
import sys
from typing import Any, Dict, List, Optional, Set

from swesearch_probe import failures, session, zygote  # type: ignore[import-not-found]
from swesearch_probe.collected import NO_CANARIES  # type: ignore[import-not-found]
from swesearch_probe.swap import is_module, listing  # type: ignore[import-not-found]


def serve(channel: socket.socket, preload: Dict[str, Any]) -> None:
    """Collect, stop midway, and serve forks, each of which ends when it has run its job."""
    pause = Pause(channel, preload)

    def between(recorder: Any, running: Any) -> bool:
        del recorder, running
        return pause.over or zygote._give_up(channel, "collecting the base imports nothing of what is changed")

    status = session.run(dict(preload, **NO_CANARIES), lambda *_, **__: None, between, pause.watch)
    if not pause.over:
        zygote._give_up(channel, "the base does not collect")
    session.finish(status)


class Pause:
    """An import hook that finds nothing, but stops at the first of the modules `preload["before"]` and returns in forks only."""

    def __init__(self, channel: socket.socket, preload: Dict[str, Any]) -> None:
        if not hasattr(sys, "addaudithook"):
            zygote._give_up(channel, "this takes Python 3.8 or newer")
        self._channel, self._own, self._before = channel, set(preload["own"]), set(preload["before"])
        self._opened: Optional[Set[str]] = set()  # None where nobody asks any more
        self.over = False  # whether we are in a fork
        sys.addaudithook(self._hear)

    def watch(self, recorder: Any) -> None:
        """Begin, in a session that has just begun."""
        self._recorder, self._root = recorder, recorder.root
        self._files = listing(self._root)
        sys.meta_path.insert(0, self)

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Nothing: others find it, once we are past the place where to wait."""
        del target
        if not self.over and name.partition(".")[0] in self._own:
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            if failures.inside(str(spec and spec.origin), self._root) in self._before:
                self._wait()

    def _hear(self, event: str, words: Any) -> None:
        if event == "open" and self._opened is not None and isinstance(words[0], str):
            self._opened.add(os.path.abspath(words[0]))

    def _wait(self) -> None:
        """Become a zygote. Returns in each fork, which takes up its job."""
        if self._recorder.broken:
            zygote._give_up(self._channel, "the base does not collect")
        capture = self._recorder.capture()
        if capture:
            capture.stop_global_capturing()  # its files would be shared by all forks
        zygote._settle(self._channel)
        job, send = zygote.Forks(self._channel).next()
        self.over = True
        self._check(job["changed"], send)
        self._recorder.take_over(job, send)
        importlib.invalidate_caches()
        if capture:
            capture.start_global_capturing()

    def _check(self, changed: List[str], send: Any) -> None:
        """Refuse a candidate that what was imported so far may have seen something of."""
        opened, self._opened = self._opened or set(), None
        loaded = {getattr(getattr(module, "__spec__", None), "origin", None) for module in list(sys.modules.values())}
        for path in changed:
            full = self._root + path
            if not is_module(full, self._files) or full in opened or full in loaded:
                send("refused", why=path + " was read already, or is more than a change to a module")
                session.finish(0)
