"""What each backend does not stop, in words for its user. The attack suite (scripts/attack) holds the backends to exactly this."""

from __future__ import annotations

from collections.abc import Mapping

# Whatever runs the tests: what cannot be told from a mend by any verdict.
ANY = {"code that behaves where it is under test": "code that works where it sees a test, and nowhere else: read the patch"}
UNBOUNDED = {
    "inode bomb": "the number of files is not bounded",
    "CPU hog": "the share of the processors is not bounded",
}
NOTHING = "the code runs as you: it can do what you can"
NOT_STOPPED: Mapping[str, Mapping[str, str]] = {
    "docker": ANY,
    "bubblewrap": ANY | UNBOUNDED,
    "local": ANY
    | UNBOUNDED
    | {
        "fork bomb": "the number of processes is not bounded",
        "many processes": "the number of processes is not bounded",
        "full work tree": "only single files are bounded: they can fill your disk",
        "full temporary folder": "only single files are bounded: they can fill your disk",
        "archive bomb": "only single files are bounded: they can fill your disk",
        "full shared memory": "your /dev/shm is shared",
    }
    | dict.fromkeys(
        (
            "killed init",
            "killing everything in the box",
            "freezing the next candidate's interpreter",
            "starving the next candidate's interpreter",
            "ptrace",
            "the agent's memory, environment and descriptors",
            "a forged result through /proc/1/fd/1",
            "network",
            "abstract sockets of the host",
            "vsock, raw and other odd sockets",
            "docker socket",
            "secrets in the environment",
            "secrets in files",
            "writing outside the work tree",
            "writing system files",
            "capabilities and set-uid programs",
            "namespaces and mounts",
            "dangerous system calls",
            "devices and the clock",
            "processes of the host",
            "shared memory, semaphores and message queues",
        ),
        NOTHING,
    ),
}
