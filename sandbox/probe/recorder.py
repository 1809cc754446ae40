"""The pytest plugin that sees what happens and says it on the channel, test by test.

Outcomes are decided here, from the exception that pytest caught, with references taken before any code of the repository ran.
Two canaries, one that must pass and one that must fail, run among the tests under random names: whoever bends pytest bends them too.
"""

import os
import signal
import sys
import time
from typing import Any, Dict, Iterator, List, Set, Tuple

import pytest
from _pytest.fixtures import FuncFixtureInfo
from _pytest.python import Function
from _pytest.runner import runtestprotocol
from swesearch_probe.failures import Caught, describe, inside, reason  # type: ignore[import-not-found]

MOST = 4000  # modules told
SKIPPED = pytest.skip.Exception
clock = time.perf_counter
# What pytest says where the plugin that awaits tests, or knows a mark, is missing.
LACKING = ("async def function", "Unknown pytest.mark.", "not found in `markers` configuration option")


class Canary(AssertionError):
    """What the canary that must fail raises."""


class Timeout(BaseException):
    """A test took longer than it may. No test's own `except Exception` catches it."""


class Alarm:
    """Raises Timeout in a test that computes too long, or waits PATIENCE times as long: a loaded machine is not a slow test."""

    PATIENCE = 5

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def _ring(self, *_: object) -> None:
        raise Timeout(f"longer than {self._seconds:g} s")

    def start(self) -> None:
        """From now on."""
        for number, timer, seconds in self._timers():
            signal.signal(number, self._ring)
            signal.setitimer(timer, seconds)

    def stop(self) -> None:
        """No more."""
        for number, timer, _ in self._timers():
            signal.setitimer(timer, 0)
            signal.signal(number, signal.SIG_DFL)

    def _timers(self) -> List[Tuple[int, int, float]]:
        return [(signal.SIGPROF, signal.ITIMER_PROF, self._seconds), (signal.SIGALRM, signal.ITIMER_REAL, self.PATIENCE * self._seconds)]


def _canary(parent: Any, name: str, fails: bool) -> Any:
    """A test of our own below `parent`, with no fixture and no mark of anybody's."""

    def body() -> None:
        if fails:
            raise Canary(name)

    make = getattr(Function, "from_parent", None) or (lambda parent, **rest: Function(parent=parent, **rest))
    item = make(parent, name=name, callobj=body, fixtureinfo=FuncFixtureInfo((), (), [], {}))
    item.iter_markers_with_node = lambda *_, **__: iter(())  # type: ignore[method-assign]  # a class that is skipped
    item._getobj = lambda: body  # type: ignore[method-assign]  # before pytest 7 a method was looked up by its name again
    item.repr_failure = _brief  # type: ignore[method-assign]
    return item


def _brief(excinfo: Any, style: Any = None) -> str:
    """A failure in one line: nobody reads more of it, and pytest's own way takes milliseconds."""
    del style
    return str(excinfo.typename)


def _verdict(call: Any, report: Any) -> str:
    """The outcome of one phase ("" for nothing to say), from what was raised."""
    error = call.excinfo
    expected = getattr(report, "wasxfail", None) is not None
    if error is None:
        if report.outcome == "failed":
            return "failed"  # a strict xfail that passed, or a plugin that says so
        return "" if call.when != "call" else "xpassed" if expected else "passed"
    if issubclass(error.type, SKIPPED):
        return "skipped"
    if expected and report.outcome == "skipped":
        return "xfailed"
    return "failed" if call.when == "call" else "error"


def _loaded(root: str) -> Dict[str, List[str]]:
    """What is worth loading ahead: modules from outside the work tree, and the names that it keeps for itself."""
    modules, own = [], _names(root)
    for name, module in list(sys.modules.items()):
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        if not isinstance(origin, str) or name in ("__main__", "__mp_main__") or name.startswith("swesearch_probe"):
            continue
        if inside(origin, root):
            own.add(name.partition(".")[0])
        elif os.path.isfile(origin):
            modules.append(name)
    return {"modules": [name for name in modules if name.partition(".")[0] not in own][:MOST], "own": sorted(own)}


def _names(root: str) -> Set[str]:
    """What could be imported from the work tree."""
    found = set()
    for folder in sys.path:
        if (folder + os.sep).startswith(root) and os.path.isdir(folder):
            for name in os.listdir(folder):
                if name.endswith(".py") or os.path.exists(os.path.join(folder, name, "__init__.py")):
                    found.add(name.partition(".")[0])
    return found


class Recorder:
    """Registered with pytest as a plugin. `send` is the channel; `job` what is to run."""

    def __init__(self, job: Dict[str, Any], send: Any, root: str, tracer: Any = None) -> None:
        self.root, self.tracer = root, tracer
        self.autoload: bool = job["autoload"]
        self.brief = False  # whether nobody will read what pytest prints
        self.now: Dict[str, Any] = {}  # the test or canary under way
        self.reported = self.position = 0
        self.wants: List[str] = []  # why plugins of the environment seem to be needed
        self.stopped = self.broken = False
        self.config: Any = None  # pytest's, once it is there
        self.adopt(job, send)

    def adopt(self, job: Dict[str, Any], send: Any) -> None:
        """Take up a job: at the start, or in the fork of a session that has collected already."""
        self.send = send
        self.only: List[str] = job.get("only", [])
        self.learn: bool = job.get("learn", False)
        self.stop: bool = job.get("stop", False)
        self.alarm = Alarm(job["seconds"]) if job.get("seconds") else None
        self.canaries = [(name, name == job["fails"]) for name in job["canaries"]]
        self.places: List[int] = job["places"]

    def take_over(self, job: Dict[str, Any], send: Any) -> None:
        """Take up a job in a fork: all that went before was not its own."""
        send("begin")
        self.adopt(job, send)
        self.brief = True
        if self.config:
            self.settle(self.config)

    def say(self, kind: str, **data: Any) -> None:
        """One frame on the channel."""
        self.send(kind, **data)

    def startup(self, error: BaseException) -> None:
        """pytest itself did not come up: a conftest or a plugin raised."""
        cause = getattr(error, "cause", None) or (getattr(error, "excinfo", None) or (None, None))[1] or error
        self.say("broken", id="", **describe(Caught(cause), self.root))

    # --- what is collected

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self, early_config: Any) -> None:
        """Measuring coverage is not our business, and costs a lot."""
        early_config.known_args_namespace.no_cov = True
        self.config = early_config

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self, config: Any) -> None:
        """Settle how to run, and look whether the configuration speaks to plugins that are not loaded."""
        os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
        if not self.autoload:
            known = set(config._parser._inidict) | {"addopts", "minversion", "required_plugins"}
            given = config._inicfg if hasattr(config, "_inicfg") else config.inicfg  # private since pytest 9
            self.wants += ["setting " + key for key in given or () if key not in known]
        self.settle(config)
        for name, value in (("numprocesses", None), ("dist", "no"), ("tx", [])):  # xdist's workers would not have this plugin
            if hasattr(config.option, name):
                setattr(config.option, name, value)

    def conclude(self, status: int) -> None:
        """The last words of a run."""
        if self.learn:
            self.say("modules", **_loaded(self.root))
        self.say("finish", status=status, tests=self.reported, stopped=self.stopped, wants=self.wants)

    def settle(self, config: Any) -> None:
        """Options that the job decides."""
        if self.stop:
            config.option.maxfail = 1

    def capture(self) -> Any:
        """What catches the tests' output; None where it is not there yet."""
        return self.config and self.config.pluginmanager.getplugin("capturemanager")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_make_collect_report(self, collector: Any) -> Iterator[None]:
        """Say which exception a collection error was, and where."""
        outcome = yield
        report = outcome.get_result()  # type: ignore[attr-defined]
        call = getattr(report, "call", None)
        if report.outcome == "failed":
            self.broken = True
            error = describe(call.excinfo, self.root) if call and call.excinfo else {"message": str(report.longrepr)}
            self.look(error, call and call.excinfo and call.excinfo.value)
            self.say("broken", id=collector.nodeid, **error)

    def pytest_internalerror(self, excinfo: Any) -> None:
        """A SystemExit while importing, or a bug in a hook."""
        self.broken = True
        self.say("broken", id="", **describe(excinfo, self.root))

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: List[Any]) -> Iterator[None]:
        """Keep what was asked for, in the order it was asked for; last of all hooks."""
        yield
        self.choose(items)

    def choose(self, items: List[Any]) -> None:
        """Keep of `items` what the job names."""
        if self.only:
            order = {name: place for place, name in enumerate(self.only)}
            items[:] = sorted((item for item in items if item.nodeid in order), key=lambda item: order[item.nodeid])

    def begin(self, session: Any) -> None:
        """Tell what will run, and settle where the canaries go."""
        if self.tracer:
            self.tracer.stop()
        self.say("collected", ids=[item.nodeid for item in session.items])
        count = len(session.items)
        self.places = sorted(place % count for place in self.places) if count else []

    # --- what runs

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: Any) -> Iterator[None]:
        """One test: a canary before it where one is due, then the test, then its outcome."""
        while self.places and self.places[0] <= self.position and self.canaries:
            self.places.pop(0)
            self.fly(item.parent, item)
        if self.brief:
            item.repr_failure = _brief
        self.position += 1
        self.last = item.parent
        self.now = {"outcome": ""}
        self.say("start", id=item.nodeid)
        began = clock()
        if self.alarm:
            self.alarm.start()
        if self.tracer:
            self.tracer.start(item.nodeid)
        result = yield
        if self.alarm:
            self.alarm.stop()
        if self.tracer:
            self.tracer.stop()
        if result.excinfo is None:  # type: ignore[attr-defined]
            self.now["outcome"] = self.now["outcome"] or "error"
            self.reported += 1
            self.say("test", id=item.nodeid, seconds=round(clock() - began, 6), **self.now)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: Any) -> Iterator[None]:
        """One phase of the test under way. The first failure stays; a new setup is a new try."""
        outcome = yield
        if call.when == "setup":
            self.now = {"outcome": ""}
        verdict = _verdict(call, outcome.get_result())  # type: ignore[attr-defined]
        if not verdict or self.now["outcome"] in ("failed", "error"):
            return
        self.now["outcome"] = verdict
        if verdict == "skipped":
            self.now["message"] = reason(call.excinfo)
        elif call.excinfo is not None:
            if self.tracer:
                self.tracer.caught(call.excinfo.value)
            self.now.update(describe(call.excinfo, self.root))
        elif verdict == "failed":
            self.now["message"] = str(outcome.get_result().longrepr)[:4096]  # type: ignore[attr-defined]
        self.look(self.now, call.excinfo and call.excinfo.value)

    def look(self, now: Dict[str, Any], error: Any) -> None:
        """Does this failure say that a plugin is missing?"""
        if now.get("error") == "FixtureLookupError":
            now["message"] = getattr(error, "msg", None) or f"fixture '{getattr(error, 'argname', '')}' not found"
            self.wants.append(now["message"])
        elif any(words in now.get("message", "") for words in LACKING):
            self.wants.append(now["message"][:200])

    # --- canaries

    def fly(self, parent: Any, following: Any) -> None:
        """Run the next canary below `parent`."""
        name, fails = self.canaries.pop(0)
        self.now = {"outcome": ""}
        runtestprotocol(_canary(parent, name, fails), log=False, nextitem=following)
        mine = self.now["outcome"] != "failed" or self.now["message"] == name
        self.say("canary", name=name, outcome=self.now["outcome"] if mine else "bent")

    def end(self) -> None:
        """The canaries whose place the run did not come to."""
        while self.canaries and self.position:
            self.fly(self.last, None)
