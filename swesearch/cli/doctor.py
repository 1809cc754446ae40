"""What swesearch needs, what is there, and how to get what is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from sandbox.base import SandboxUnavailable
from swesearch.cli.options import home_folder
from swesearch.github.access import find_access
from swesearch.report.text import line

ENOUGH = 1 << 30  # bytes free for states, images and environments


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: whether it is as it should be, what was found, and how to mend it."""

    name: str
    good: bool
    found: str
    hint: str = ""


def main(home: Path | None) -> int:
    """Print every finding. Returns 0 where a fix could be run, else 4."""
    folder = home_folder(home, os.environ)
    needed = [_python(), _git(), _uv(), _home(folder)]
    boxes = [_docker(), _bubblewrap()]
    for finding in [*needed, *boxes, _github()]:
        print(f"{'ok     ' if finding.good else 'missing'}  {finding.name:10}  {line(finding.found)}")
        if finding.hint and not finding.good:
            print(f"{'':21}{finding.hint}")
        if finding.good and finding in boxes:
            print(f"{'':21}does not stop: {_not_stopped(finding.name)}")
    if not any(box.good for box in boxes):
        print("no sandbox: without Docker or bubblewrap only `--sandbox local` is left, which isolates nothing")
    return 0 if all(finding.good for finding in needed) and any(box.good for box in boxes) else 4


def _not_stopped(backend: str) -> str:
    """What a sandbox that is there does not stop, each weakness once."""
    from sandbox.promises import NOT_STOPPED

    return "; ".join(dict.fromkeys(NOT_STOPPED[backend].values()))


def _python() -> Finding:
    return Finding("python", True, f"{sys.version.split()[0]}, {sys.executable}")


def _git() -> Finding:
    return _command("git", ["git", "--version"], "install git 2.30 or newer")


def _uv() -> Finding:
    from uv import find_uv_bin

    try:
        executable = os.fsdecode(find_uv_bin())
    except FileNotFoundError as error:
        return Finding("uv", False, str(error), "pip install uv")
    return _command("uv", [executable, "--version"], "pip install uv")


def _home(folder: Path) -> Finding:
    hint = "choose another place with --home or SWESEARCH_HOME"
    try:
        there = next(parent for parent in (folder, *folder.parents) if parent.exists())
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        return Finding("home", False, f"{folder}: {error.strerror}", hint)
    return Finding("home", free > ENOUGH, f"{folder}, {free / (1 << 30):.1f} GB free", f"make room, or {hint}")


def _docker() -> Finding:
    from sandbox.docker import connect

    hint = "install Docker (Debian: apt install docker.io) and start it; you must be allowed to use it (group docker)"
    try:
        client = connect()
    except SandboxUnavailable as error:
        return Finding("docker", False, str(error), hint)
    try:
        return Finding("docker", True, f"engine {client.version()['Version']}")
    finally:
        client.close()


def _bubblewrap() -> Finding:
    """Found by running it: a kernel may forbid what the program needs."""
    hint = "install bubblewrap (apt install bubblewrap); where it is there, the kernel must allow user namespaces"
    return _command("bubblewrap", ["bwrap", "--ro-bind", "/", "/", "--unshare-all", "--", "bwrap", "--version"], hint)


def _github() -> Finding:
    """Only for issues by their address, and for the bot."""
    if find_spec("gidgethub") is None:
        return Finding("github", False, "for `swesearch fix URL` and `swesearch bot`", "pip install 'swesearch[bot]'")
    return Finding(
        "github", True, "a token is there" if find_access("github.com", os.environ).token else "no token: public issues can be read"
    )


def _command(name: str, command: list[str], hint: str) -> Finding:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(name, False, str(error), hint)
    return Finding(name, done.returncode == 0, (done.stdout or done.stderr).strip(), hint)
