"""What a process can leave in the kernel when it is gone: System V shared memory, semaphores, message queues."""

from __future__ import annotations

import ctypes

KINDS = (("shm", "shmctl"), ("msg", "msgctl"), ("sem", "semctl"))
IPC_RMID = 0


def remove_shared_memory() -> None:
    """Remove every System V object of this IPC namespace that the current user may remove."""
    for kind, call in KINDS:
        for number in _ids("/proc/sysvipc/" + kind):
            arguments = (number, 0, IPC_RMID) if kind == "sem" else (number, IPC_RMID, None)
            getattr(ctypes.CDLL(None), call)(*arguments)


def _ids(path: str) -> list[int]:
    try:
        with open(path, "rb", 0) as file:
            return [int(line.split()[1]) for line in file.read().splitlines()[1:]]
    except OSError:
        return []
