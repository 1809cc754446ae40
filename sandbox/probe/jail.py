"""What a process gives up before it runs code we do not trust. Runs in a forked child, just before exec.

Seccomp filters stack on the engine's own: an engine's default profile differs from version to version (io_uring, AF_VSOCK), ours does not.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import resource
import struct
import sys
from typing import Tuple

Rule = Tuple[int, int, int, int]  # code, jump if true, jump if false, k

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 36, 38
FAMILIES = (1, 2, 10, 16)  # UNIX, INET, INET6, NETLINK
NAMESPACES = 0x7E020080  # every CLONE_NEW* bit
STDIN_FORGERY = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

# Numbers from the kernel's syscall tables: name -> (x86_64, aarch64).
DENIED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280), "userfaultfd": (323, 282),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "move_pages": (279, 239), "migrate_pages": (256, 238), "syslog": (103, 116), "quotactl": (179, 60), "acct": (163, 89),
}  # fmt: skip
MACHINES = {  # machine -> (column above, AUDIT_ARCH, clone, clone3, socket, socketpair, ioctl, prlimit64)
    "x86_64": (0, 0xC000003E, 56, 435, 41, 53, 16, 302),
    "aarch64": (1, 0xC00000B7, 220, 435, 198, 199, 29, 261),
}

LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL = 0x7FFF0000, 0x80000000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, SECOND_ARGUMENT = 0, 4, 16, 24


def _refuse(code: int) -> Rule:
    return (RETURN, 0, 0, 0x00050000 | code)


def _program(machine: str) -> list[Rule]:
    """The filter, straight down: each check either answers or falls through to the next."""
    column, arch, clone, clone3, socket, socketpair, ioctl, prlimit = MACHINES[machine]
    rules = [(LOAD, 0, 0, ARCHITECTURE), (EQUAL, 1, 0, arch), (RETURN, 0, 0, KILL), (LOAD, 0, 0, NUMBER)]
    if machine == "x86_64":  # the x32 calls are the same calls under other numbers
        rules += [(AT_LEAST, 0, 1, 0x40000000), _refuse(errno.ENOSYS)]
    for numbers in DENIED.values():
        rules += [(EQUAL, 0, 1, numbers[column]), _refuse(errno.EPERM)]
    rules += [(EQUAL, 0, 1, clone3), _refuse(errno.ENOSYS)]  # its flags lie in memory: libc falls back to clone
    rules += [(EQUAL, 0, 4, clone), (LOAD, 0, 0, FIRST_ARGUMENT), (ANY_BIT, 0, 1, NAMESPACES), _refuse(errno.EPERM), (RETURN, 0, 0, ALLOW)]
    for call in (socket, socketpair):
        allowed = [(EQUAL, len(FAMILIES) - i, 0, family) for i, family in enumerate(FAMILIES)]
        rules += [(EQUAL, 0, len(allowed) + 3, call), (LOAD, 0, 0, FIRST_ARGUMENT), *allowed]
        rules += [_refuse(errno.EAFNOSUPPORT), (RETURN, 0, 0, ALLOW)]
    rules += [
        (EQUAL, 0, 4, prlimit),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (EQUAL, 1, 0, 0),
        _refuse(errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]  # its own only
    rules += [(EQUAL, 0, 5, ioctl), (LOAD, 0, 0, SECOND_ARGUMENT)]
    rules += [(EQUAL, 1, 0, STDIN_FORGERY[0]), (EQUAL, 0, 1, STDIN_FORGERY[1]), _refuse(errno.EPERM), (RETURN, 0, 0, ALLOW)]
    return [*rules, (RETURN, 0, 0, ALLOW)]


def compile_filter(machine: str = "") -> bytes:
    """The seccomp filter as bytes, or b"" where there is none for this machine."""
    machine = machine or platform.machine()
    if not sys.platform.startswith("linux") or machine not in MACHINES:
        return b""
    return b"".join(struct.pack("=HBBI", *rule) for rule in _program(machine))


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("rules", ctypes.c_char_p))


def prctl(option: int, *arguments: object) -> None:
    """Call prctl(2). Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, 0, 0, 0, 0)[:4]]
    if libc.prctl(option, *padded) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def install_filter(rules: bytes) -> None:
    """Put the filter on this process and all it starts, for good. Raises OSError."""
    program = _Program(len(rules) // 8, rules)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    prctl(PR_SET_SECCOMP, 2, ctypes.byref(program))


def limit(kind: int, value: int) -> None:
    """Set a resource limit, never above the hard limit there is. The end of CPU time is told by SIGXCPU, and a second later by force."""
    hard = resource.getrlimit(kind)[1]
    last = value + (kind == resource.RLIMIT_CPU)
    last = last if hard == resource.RLIM_INFINITY else min(last, hard)
    resource.setrlimit(kind, (min(value, last), last))


def drop(uid: int | None) -> None:
    """Become the test user for good: no groups, no capabilities, no way back."""
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def enter(uid: int | None, limits: dict[int, int], rules: bytes) -> None:
    """Give up everything. `limits`: resource number -> value; the parent's death kills this process."""
    os.setsid()
    os.umask(0o022)
    for kind, value in limits.items():
        limit(kind, value)
    if sys.platform.startswith("linux"):
        prctl(PR_SET_DUMPABLE, 1)  # else our own files in /proc are not ours
        with open("/proc/self/oom_score_adj", "wb", 0) as file:
            file.write(b"1000")  # when memory runs out, this goes first, not the agent
    drop(uid)
    if sys.platform.startswith("linux"):
        prctl(PR_SET_PDEATHSIG, 9)
    if rules:
        install_filter(rules)
