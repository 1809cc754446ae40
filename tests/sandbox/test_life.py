"""How boxes live and die: killed, orphaned, interrupted, closed, two at once. The same for every backend."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from sandbox.base import Command, Files, Limits, Sandbox, SandboxUnavailable


@pytest.fixture(params=[pytest.param("docker", marks=pytest.mark.docker), "bubblewrap", "local"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend in turn."""
    return str(request.param)


def children() -> set[int]:
    """The processes that this one started, in whatever thread."""
    found: set[int] = set()
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError):  # that thread has just ended
            found |= {int(pid) for pid in path.read_text().split()}
    return found


def strike(backend: str, run: str, spared: set[int]) -> None:
    """Kill the boxes of a run, from outside. `spared` are processes that are no boxes of it."""
    if backend == "docker":
        import docker

        client = docker.from_env()
        for container in client.containers.list(filters={"label": f"sandbox.run={run}"}):
            container.kill()
        client.close()
    else:
        for pid in children() - spared:
            os.kill(pid, signal.SIGKILL)


@pytest.fixture
def striker(backend: str) -> Iterator[Callable[[int, float], str]]:
    """Kills the boxes of a run so many times, each a while after the one before. Stops with the test."""
    run, over, threads, spared = secrets.token_hex(6), threading.Event(), [], children()

    def go(times: int, delay: float) -> str:
        def work() -> None:
            for _ in range(times):
                if not over.wait(delay):
                    strike(backend, run, spared)

        threads.append(threading.Thread(target=work))
        threads[0].start()
        return run

    yield go
    over.set()
    for thread in threads:
        thread.join()


def test_a_box_that_dies_is_replaced_once(
    make: Callable[..., Sandbox], backend: str, striker: Callable[[int, float], str], tree: Callable[..., Files]
) -> None:
    sandbox = make(backend, run=striker(1, 1.0))
    result = sandbox.run(tree({}), Command(("sh", "-c", "sleep 1.5; echo slept")), Limits())
    assert result.stdout == b"slept\n"


def test_a_box_that_dies_again_is_no_test_result(
    make: Callable[..., Sandbox], backend: str, striker: Callable[[int, float], str], tree: Callable[..., Files]
) -> None:
    sandbox = make(backend, run=striker(9, 0.7))
    with pytest.raises(SandboxUnavailable):
        sandbox.run(tree({}), Command(("sleep", "30")), Limits(60))


ORPHAN = """
import sys
sys.path.insert(0, {root!r})
from sandbox.base import *
from sandbox.choose import choose
sandbox = choose({backend!r}).make(Environment(), Quota(), 1, {run!r})
empty = Files("empty", lambda: bytes(10240))
print(sandbox.run(empty, Command(("true",)), Limits()).exit_code, flush=True)
sandbox.run(empty, Command(("python3", "-c", "import time; time.sleep(60)", {run!r})), Limits(90))
"""


def test_when_its_owner_is_killed_a_box_goes_away_with_all_in_it(backend: str) -> None:
    run = secrets.token_hex(8)
    script = ORPHAN.format(root=str(Path(__file__).parents[2]), backend=backend, run=run)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as owner:
        assert owner.stdout
        assert owner.stdout.readline() == b"0\n"
        time.sleep(0.5)
        assert boxes(backend, run) > 0
        owner.kill()
    end = time.monotonic() + 5
    while (boxes(backend, run) or folders(run)) and time.monotonic() < end:
        time.sleep(0.05)
    assert (boxes(backend, run), folders(run)) == (0, [])


def folders(run: str) -> list[Path]:
    """Temporary folders of a run."""
    return list(Path(tempfile.gettempdir()).glob(f"sandbox-{run}*"))


def boxes(backend: str, run: str) -> int:
    """How many containers, or else processes of the host, belong to a run."""
    if backend == "docker":
        import docker

        client = docker.from_env()
        try:
            return len(client.api.containers(all=True, filters={"label": f"sandbox.run={run}"}))  # inspects none, for they vanish
        finally:
            client.close()
    found = 0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        found += run.encode() in words
    return found


def test_a_run_may_have_any_name(make: Callable[..., Sandbox], backend: str, tree: Callable[..., Files]) -> None:
    sandbox = make(backend, run="2026 Ünïcode/../näme: " + secrets.token_hex(4))
    assert sandbox.run(tree({}), Command(("true",)), Limits()).exit_code == 0


def test_two_sandboxes_do_not_disturb_each_other(make: Callable[..., Sandbox], backend: str, tree: Callable[..., Files]) -> None:
    def work(number: int) -> bytes:
        script = f"echo {number} > mine; echo {number} > $TMPDIR/mine; sleep 0.3; cat mine $TMPDIR/mine"
        return make(backend).run(tree({}), Command(("sh", "-c", script)), Limits()).stdout

    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(work, range(2))) == [b"0\n0\n", b"1\n1\n"]


def test_runs_go_on_at_once_in_as_many_slots_as_there_are(make: Callable[..., Sandbox], backend: str, tree: Callable[..., Files]) -> None:
    sandbox = make(backend, slots=2)
    meet = Command(("sh", "-c", "date +%s.%N; sleep 1; date +%s.%N"))
    with ThreadPoolExecutor(3) as threads:
        spans = [tuple(map(float, r.stdout.split())) for r in threads.map(lambda _: sandbox.run(tree({}), meet, Limits()), range(3))]
    at_once = [sum(1 for other in spans if other[0] <= start < other[1]) for start, _ in spans]
    assert max(at_once) == 2


def test_quick_runs_share_a_box_rather_than_launch_another(make: Callable[..., Sandbox], backend: str, tree: Callable[..., Files]) -> None:
    run, spared = secrets.token_hex(6), children()
    sandbox = make(backend, slots=2, run=run)
    sandbox.run(tree({}), Command(("true",)), Limits())
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: sandbox.run(tree({}), Command(("true",)), Limits()), range(6)))
    assert (boxes(backend, run) if backend == "docker" else len(children() - spared)) == 1


def test_a_box_outlives_the_thread_that_was_the_first_to_need_it(
    make: Callable[..., Sandbox], backend: str, tree: Callable[..., Files]
) -> None:
    sandbox, spared = make(backend), children()
    with ThreadPoolExecutor(1) as threads:
        threads.submit(sandbox.run, tree({}), Command(("true",)), Limits()).result()
    first = children() - spared
    time.sleep(0.1)  # a signal needs no more
    sandbox.run(tree({}), Command(("true",)), Limits())
    assert children() - spared == first


def test_a_closed_sandbox_runs_nothing(make: Callable[..., Sandbox], backend: str, tree: Callable[..., Files]) -> None:
    run = secrets.token_hex(6)
    sandbox = make(backend, run=run)
    sandbox.run(tree({}), Command(("true",)), Limits())
    sandbox.close()
    sandbox.close()
    assert boxes(backend, run) == 0
    with pytest.raises(SandboxUnavailable, match="closed"):
        sandbox.run(tree({}), Command(("true",)), Limits())


def test_interrupted_runs_leave_the_sandbox_usable(make: Callable[..., Sandbox], backend: str) -> None:
    """Ctrl-C while a command runs: the box is given up, the next run has another."""
    script = textwrap.dedent(f"""
        import signal, sys
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from sandbox.base import *
        from sandbox.choose import choose
        sandbox = choose({backend!r}).make(Environment(), Quota(), 1, "")
        empty = Files("empty", lambda: bytes(10240))
        signal.alarm(2)
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        try: sandbox.run(empty, Command(("sleep", "30")), Limits(60))
        except KeyboardInterrupt: print("stopped")
        print(sandbox.run(empty, Command(("echo", "again")), Limits()).stdout)
        sandbox.close()
    """)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=30, check=True)
    assert done.stdout == b"stopped\nb'again\\n'\n"
