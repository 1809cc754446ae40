"""What code can do in a box, and how an attack with a deadline ends. All other attacks are in benchmarks/attack."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.base import Command, Files, Limits, Result, Sandbox
from sandbox.bubblewrap import NOBODY

BACKENDS = [pytest.param("docker", marks=pytest.mark.docker), "bubblewrap"]
Python = Callable[..., Result]


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend in turn."""
    return str(request.param)


def errors(python: Python, calls: str) -> list[str]:
    """The name of the error that each line of Python ends in, or "ok"."""
    script = "import ctypes, errno, os, signal, socket, time\nlibc = ctypes.CDLL(None, use_errno=True)\n"
    script += "def call(*a):\n    ctypes.set_errno(0)\n    if libc.syscall(*a) < 0: raise OSError(ctypes.get_errno(), '')\n"
    for line in calls.strip().splitlines():
        script += f"try:\n    {line.strip()}\nexcept OSError as e: print(errno.errorcode.get(e.errno, e))\nelse: print('ok')\n"
    result = python(script)
    assert result.exit_code == 0, result.stderr
    return result.stdout.decode().split()


def test_a_test_may_talk_to_itself(python: Python) -> None:
    calls = "server = socket.create_server(('127.0.0.1', 0))\nsocket.create_connection(server.getsockname())\nsocket.socketpair()"
    assert errors(python, calls) == ["ok"] * 3


def test_the_work_tree_and_scratch_folders_can_be_written(python: Python) -> None:
    assert errors(python, "\n".join(f"os.open({path!r}, os.O_WRONLY | os.O_CREAT)" for path in ("x", "/tmp/x", "/dev/shm/x"))) == ["ok"] * 3


BOMB = """
import os, signal, sys
for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
while True:
    try:
        if os.fork() == 0: os.setsid()
    except OSError: pass
"""


def test_a_fork_bomb_ends_at_the_deadline_and_the_box_goes_on(python: Python) -> None:
    start = time.monotonic()
    assert python(BOMB, 1.0).status == "timeout"
    assert time.monotonic() - start < 10
    assert python("import glob; print(len(glob.glob('/proc/[0-9]*')))").stdout == b"2\n"


def test_local_isolates_nothing_and_says_so(shared: Callable[[str], Sandbox], tree: Callable[..., Files], tmp_path: Path) -> None:
    from sandbox.local import WARNING

    (tmp_path / "mine").write_text("readable")
    result = shared("local").run(tree({}), Command(("cat", str(tmp_path / "mine"))), Limits())
    assert result.stdout == b"readable"
    assert "no isolation" in WARNING


@pytest.mark.skipif(os.getuid() != 0, reason="only root has a user to drop to")
def test_nothing_of_bubblewrap_runs_as_root(make: Callable[..., Sandbox], tree: Callable[..., Files]) -> None:
    """Started by root, bubblewrap leaves /proc/sys writable: every process of a box must belong to somebody else."""
    word = secrets.token_hex(8)
    sandbox = make("bubblewrap", run=word)
    sandbox.run(tree({}), Command(("true",)), Limits())
    listing = subprocess.run(["ps", "-ewwo", "uid,args"], capture_output=True, text=True, check=True).stdout
    owners = {line.split()[0] for line in listing.splitlines() if word in line and "ps -ewwo" not in line}
    assert owners == {str(NOBODY)}
