"""One pytest session, driven by us: configure, collect, run, finish. The same steps as pytest's own main, in its own words.

pytest and its parts are imported before the work tree is on the import path, so that nothing in the tree can stand in for them.
"""

import contextlib
import json
import os
import site
import sys
import types
from typing import Any, Callable, Dict, List, Optional

from swesearch_probe.channel import Send, open_channel  # type: ignore[import-not-found]

QUIET = ["--tb=no", "-q"]
ABSENT = 5  # pytest's exit status where nothing was collected
leave = os._exit


def read_all(handle: int) -> bytes:
    """Everything up to the end of `handle`, which is closed."""
    with os.fdopen(handle, "rb") as file:
        return file.read()


def fresh(job_handle: int, report_handle: int) -> None:
    """Run the job in this process, and end it."""
    job = json.loads(read_all(job_handle))
    send = open_channel(report_handle, bytes.fromhex(job.pop("key")))
    add_sites(job["site"])
    try:
        import pytest
    except ImportError as error:
        send("broken", id="", error=type(error).__name__, message=sys.executable + " has no pytest: " + str(error), frames=[])
        send("finish", status=3, tests=0, stopped=False, wants=[])
        leave(3)
    del pytest
    finish(run(job, send))


def finish(status: int) -> None:
    """End this process at once, output written."""
    with contextlib.suppress(OSError, ValueError):  # closed by a test
        sys.stdout.flush()
        sys.stderr.flush()
    leave(status)


def add_sites(folders: List[str]) -> None:
    """More site folders, at the end of the import path, `.pth` files honoured."""
    for folder in folders:
        site.addsitedir(folder)


def enter(job: Dict[str, Any]) -> str:
    """Make this process what the user's command would have started. Returns the work tree's root with a slash at the end."""
    root = os.path.realpath(os.getcwd())
    before = os.environ.get("PYTHONPATH", "")
    os.environ.update(job["env"])
    if not job["autoload"]:
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    places = _import_path(job, root)
    sys.path[:0] = places
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [*places, before]))  # what a test starts, in whatever folder, finds the same
    sys.argv = ["pytest"] + job["args"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    return root + os.sep


def _import_path(job: Dict[str, Any], root: str) -> List[str]:
    """Where the work tree's modules are found: as the user's command would, and without the project being installed."""
    extra = [os.path.abspath(entry) for entry in job["env"].get("PYTHONPATH", "").split(os.pathsep) if entry]
    source = os.path.join(root, "src")
    layout = [source] if os.path.isdir(source) and not os.path.exists(os.path.join(source, "__init__.py")) else []
    return [root, *extra, *layout] if job["module"] else [*extra, root, *layout]


def arguments(job: Dict[str, Any]) -> List[str]:
    """What pytest is told: the user's words and our own."""
    cache = ["-o", "cache_dir=" + os.path.join(os.environ.get("TMPDIR", "/tmp"), "pytest_cache")]
    return list(job["args"]) + QUIET + (cache if job["autoload"] else ["-p", "no:cacheprovider"])


def run(
    job: Dict[str, Any], send: Send, between: Optional[Callable[[Any, Any], bool]] = None, ready: Callable[[Any], None] = lambda _: None
) -> int:
    """Run the job's tests. Returns the exit status.

    `ready(recorder)` is called before anything of the work tree can run, `between(recorder, session)` once all is collected: the place
    where a zygote waits and forks.
    """
    from _pytest.config import UsageError, _prepareconfig
    from _pytest.main import wrap_session
    from swesearch_probe.recorder import Recorder  # type: ignore[import-not-found]

    main = sys.modules["__main__"]  # kept alive: we are in it
    root = enter(job)
    send("begin")
    recorder = Recorder(job, send, root, _tracer(job, send, root))
    ready(recorder)
    status = 3
    try:
        config = _prepareconfig(arguments(job), [recorder])
        try:
            status = int(wrap_session(config, lambda config, session: _steps(config, session, recorder, between)))
        finally:
            config._ensure_unconfigure()
    except UsageError as error:
        recorder.say("usage", message="\n".join(str(part) for part in error.args)[:4096])
        status = 4
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a conftest or a plugin may raise anything while it is loaded
        recorder.startup(error)
    recorder.conclude(status)
    del main
    return status


def _steps(config: Any, session: Any, recorder: Any, between: Any) -> int:
    if recorder.wants:
        return 4
    if recorder.only:
        base = str(getattr(config, "rootpath", None) or config.rootdir)
        config.args = list(dict.fromkeys(os.path.join(base, name.split("::")[0]) for name in recorder.only))
    config.hook.pytest_collection(session=session)
    if between is not None and not between(recorder, session):
        return 0
    recorder.begin(session)
    try:
        config.hook.pytest_runtestloop(session=session)
        recorder.end()
    except (session.Failed, session.Interrupted):  # at the first failure, as asked
        recorder.stopped = True
    status = 1 if session.testsfailed else 0 if session.testscollected else ABSENT
    if between is not None:  # a fork: what pytest does to close is not worth a fifth of the time
        recorder.conclude(status)
        finish(status)
    return status


def _tracer(job: Dict[str, Any], send: Send, root: str) -> Any:
    if not job.get("trace"):
        return None
    from swesearch_probe import tracing  # type: ignore[import-not-found]

    return tracing.tracer(job, send, root)
