"""Who made a box: enough to tell, from another process or after a reboot, whether its owner still lives."""

from __future__ import annotations

import json
import os
import platform
import re
import time
from pathlib import Path

BOX_LIFETIME = 12 * 3600.0  # seconds; longer than any box of an owner whom we cannot see


def _boot() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def _started(pid: int) -> str:
    """When a process started: the same number may be given to another one later."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def plain(run: str) -> str:
    """A run's name in letters that container and folder names may have."""
    return re.sub(r"[^a-zA-Z0-9_.-]", "-", run)


def labels(run: str) -> dict[str, str]:
    """The labels of a box: its run, its owner, its deadline."""
    owner = {"host": platform.node(), "boot": _boot(), "pid": os.getpid(), "started": _started(os.getpid())}
    return {"sandbox.run": run, "sandbox.owner": json.dumps(owner), "sandbox.deadline": str(int(time.time() + BOX_LIFETIME))}


def abandoned(found: dict[str, str]) -> bool:
    """Whether a box has outlived its owner. Another host's owner is believed to live until the deadline; of our own, no clock decides."""
    try:
        owner, deadline = json.loads(found["sandbox.owner"]), float(found["sandbox.deadline"])
        if owner["host"] != platform.node():
            return time.time() > deadline
        return bool(owner["boot"] != _boot() or not _alive(owner["pid"]) or owner["started"] != _started(owner["pid"]))
    except (KeyError, TypeError, ValueError):
        return False


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
