"""A second Docker engine that has nothing to do with the machine's, to be killed by those who measure what that does. Needs root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import docker

from sandbox.images import base_image

SECONDS = 180.0  # for its start
NO_NETWORK = ("--bridge=none", "--iptables=false", "--ip6tables=false")
# And a network namespace of its own: without a bridge it removes that of the machine's engine.
ALONE = ("unshare", "--net")


@contextmanager
def own_engine() -> Iterator[tuple[str, Callable[[], None], Callable[[], None]]]:
    """Its address, what starts it, what kills it."""
    folder = Path(tempfile.mkdtemp(prefix="dockerd-", dir="/var/lib"))
    address = f"unix://{folder}/docker.sock"
    places = ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec", "--pidfile", f"{folder}/pid"]
    words = [*ALONE, "dockerd", "-H", address, *places]
    alive: list[subprocess.Popen[bytes]] = []

    def launch() -> None:
        (folder / "pid").unlink(missing_ok=True)
        with (folder / "log").open("ab") as log:
            alive.append(subprocess.Popen([*words, *NO_NETWORK], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True))

    def start() -> None:
        until = time.monotonic() + SECONDS
        launch()
        while not _answers(address):
            assert time.monotonic() < until, f"dockerd does not start: {(folder / 'log').read_text()[-600:]}"
            if alive[-1].poll() is not None:  # it gave up: what the one before left behind takes a while to go
                alive.pop()
                launch()
            time.sleep(0.2)

    def strike() -> None:
        alive[-1].kill()
        alive.pop().wait()

    try:
        yield address, start, strike
    finally:
        for process in alive:
            process.terminate()
            process.wait(60)
        _end_below(folder)
        _unmount_below(folder)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def engine_at(address: str) -> Iterator[None]:
    """While this lasts, this process and those it starts talk to the engine at `address`."""
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = address
    try:
        yield
    finally:
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before


def lend_image(address: str) -> None:
    """Give the engine at `address` the base image of the machine's own."""
    with closing(docker.from_env()) as client:
        name = base_image(client)
    with subprocess.Popen(["docker", "save", name], stdout=subprocess.PIPE) as saved:
        subprocess.run(["docker", "-H", address, "load", "-q"], stdin=saved.stdout, stdout=subprocess.DEVNULL, check=True)


def _answers(address: str) -> bool:
    return subprocess.run(["docker", "-H", address, "version"], capture_output=True, check=False).returncode == 0


def _end_below(folder: Path) -> None:
    """End what a killed engine left: its containerd, and what held its containers."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if f"{folder}/".encode() in path.read_bytes():
                os.kill(int(path.parent.name), signal.SIGKILL)


def _unmount_below(folder: Path) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines() if line.split()[1].startswith(f"{folder}/")]
    for mount in sorted(mounts, reverse=True):
        subprocess.run(["umount", "-l", mount], check=False)
