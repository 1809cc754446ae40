"""Run by root, just before bubblewrap: mount what it needs where an unprivileged user can read it, become that user, run it.

A program of its own, not imported: the mount namespace and the user are those of this process alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

CLONE_NEWNS = 0x00020000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000


def main(order: dict[str, Any]) -> None:
    """Do as `order` says: binds into folder, as user, argv."""
    folder, binds, user, argv = order["folder"], order["binds"], order["user"], order["argv"]
    _check("unshare", CLONE_NEWNS)
    _mount("none", "/", "", MS_REC | MS_PRIVATE, "")
    _mount("tmpfs", folder, "tmpfs", 0, "mode=755,size=64k")
    for number, source in enumerate(binds):
        target = f"{folder}/{number}"
        Path(target).mkdir()
        _mount(source, target, "", MS_BIND | MS_REC, "")
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    os.execv(argv[0], argv)


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    _check("mount", source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())


def _check(call: str, *arguments: object) -> None:
    if getattr(ctypes.CDLL(None, use_errno=True), call)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), f"{call}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
