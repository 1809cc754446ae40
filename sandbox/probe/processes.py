"""Processes inside a box: start one as the test user, and leave none of its kin alive."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import sys
import time
from typing import NoReturn

from sandbox.probe import jail

LINUX = sys.platform.startswith("linux")
LOOKS = 6  # at which somebody new was alive, before we stop being choosy
DYING = 10.0  # seconds for those that were killed to be gone
MEMORY_EVENTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")  # cgroup v2, v1


class Family:
    """The processes of a box: what this agent started, and all that came of it."""

    def __init__(self, init: bool) -> None:
        self._init = init  # whether we are PID 1: then everything else in the box is ours
        self.spared: set[int] = set()  # zygotes
        self._ended: dict[int, int] = {}  # pid -> wait status
        if LINUX and not init:
            jail.prctl(jail.PR_SET_CHILD_SUBREAPER, 1)
        self.wakeup, write = os.pipe()  # readable once a child has ended
        for end in (self.wakeup, write):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def status(self, pid: int) -> int | None:
        """The wait status of a child that has ended, else None."""
        self._reap()
        return self._ended.get(pid)

    def others(self) -> list[tuple[int, int, int]]:
        """(pid, resident pages, CPU ticks) of every live process of the box but ourselves and the spared."""
        table = {}
        for name in os.listdir("/proc") if LINUX else ():
            found = _stat(name) if name.isdigit() and int(name) != os.getpid() else None
            if found:
                table[int(name)] = found
        kin = [pid for pid in table if self._init or _descends(pid, table)]
        return [(pid, *table[pid][1:]) for pid in kin if pid not in self.spared]

    def clear(self) -> bool:
        """Kill all but ourselves and the spared. Returns whether the spared lived through it. Raises OSError where one cannot be killed.

        It is over when a look finds nobody and nobody was born while we looked. Where births outrun us (a fork bomb),
        kill(-1) ends everything at one stroke, the spared too.
        """
        self._ended.clear()
        killed: set[int] = set()
        looks, end = 0, time.monotonic() + DYING
        while looks < LOOKS and time.monotonic() < end:
            born = _last_born()
            found = {pid for pid, _, _ in self.others()}
            self._reap()
            calm = born == _last_born()
            if not found and calm:
                return True
            for pid in found:
                _kill(pid)
            time.sleep(0.001 if looks else 0)
            looks += not calm or not found <= killed  # much memory takes a while to die, and is no reason to kill the spared
            killed |= found
        return self._clear_at_one_stroke()

    def _clear_at_one_stroke(self) -> bool:
        end = time.monotonic() + DYING
        while time.monotonic() < end:
            for pid in [-1] if self._init else [pid for pid, _, _ in self.others()]:
                _kill(pid)
            self._reap()
            if self._alone():
                return not self._init
            time.sleep(0.001)
        raise OSError("there are processes that cannot be killed")

    def _alone(self) -> bool:
        """Whether not even a dead child is left (PID 1), or no live one (else)."""
        if not self._init:
            return not self.others()
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return False

    def _reap(self) -> None:
        """Collect the dead, without waiting."""
        try:
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    return
                self._ended[pid] = status
                self.spared.discard(pid)
        except ChildProcessError:
            pass


def standing(pid: int) -> bytes:
    """What another process of the same user can do to one, which leaves no other trace: limits, priority, processors, being stopped.

    Nothing for a process that is gone, and where there is no /proc.
    """
    texts = []
    try:
        for name in ("limits", "status", "stat"):
            with open(f"/proc/{pid}/{name}", "rb", 0) as file:
                texts.append(file.read())
    except OSError:
        return b""
    fields = texts[2].rpartition(b")")[2].split()
    processors = [line for line in texts[1].splitlines() if line.startswith(b"Cpus_allowed:")]
    stopped = b"stopped" if fields[0] in b"Tt" else b""
    return b"\n".join([texts[0], *processors, fields[16], *fields[37:39], stopped])  # nice, real-time priority, policy


def _stat(name: str) -> tuple[int, int, int] | None:
    """(parent, resident pages, CPU ticks) of a live process, None of a dead one."""
    try:
        with open("/proc/" + name + "/stat", "rb", 0) as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in b"ZX":
        return None
    return int(fields[1]), int(fields[21]), sum(int(field) for field in fields[11:15])


def _descends(pid: int, table: dict[int, tuple[int, int, int]]) -> bool:
    """Whether we are an ancestor of `pid`. The table is no snapshot, so it may hold a loop."""
    for _ in range(len(table) + 1):
        if pid not in table:
            break
        pid = table[pid][0]
    return pid == os.getpid()


def _last_born() -> bytes:
    """The number of the process born last in this PID namespace."""
    if not LINUX:
        return b""
    with open("/proc/loadavg", "rb", 0) as file:
        return file.read().split()[-1]


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def start(argv: list[str], environment: dict[str, str], ends: dict[int, int], limits: dict[int, int], uid: int | None, rules: bytes) -> int:
    """Fork and exec `argv` as the test user. `ends`: file descriptor there -> ours. Raises OSError where the jail cannot be shut."""
    fault, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(argv, environment, ends, limits, uid, rules, write)
    os.close(write)
    try:
        words = os.read(fault, 4096)
    finally:
        os.close(fault)
    if words:
        raise OSError("cannot start a process in the box: " + words.decode("utf-8", "replace"))
    return pid


def _become(
    argv: list[str], environment: dict[str, str], ends: dict[int, int], limits: dict[int, int], uid: int | None, rules: bytes, fault: int
) -> NoReturn:
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD, signal.SIGINT):  # Python's settings would be inherited
            signal.signal(number, signal.SIG_DFL)
        high = {there: fcntl.fcntl(ours, fcntl.F_DUPFD_CLOEXEC, 64) for there, ours in ends.items()}
        for there, ours in high.items():
            os.dup2(ours, there)
        jail.enter(uid, limits, rules)
    except OSError as error:
        os.write(fault, str(error).encode())
        os._exit(126)
    try:
        os.execvpe(argv[0], argv, environment)
    except (OSError, ValueError) as error:
        os.write(2, "cannot run {}: {}\n".format(argv[0], getattr(error, "strerror", error)).encode("utf-8", "replace"))
    os._exit(127)


def memory_kills() -> int | None:
    """How many processes of this box the kernel has killed for memory. None where no control group counts them."""
    for path in MEMORY_EVENTS:
        try:
            with open(path, "rb", 0) as file:
                lines = file.read().splitlines()
        except OSError:
            continue
        return next((int(line.split()[1]) for line in lines if line.startswith(b"oom_kill ")), None)
    return None


def memory_of(pid: int) -> int:
    """Bytes of memory of a process, what it shares divided among those who share it."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb", 0) as file:
            return next((int(line.split()[1]) << 10 for line in file.read().splitlines() if line.startswith(b"Pss:")), 0)
    except OSError:  # gone by now
        return 0


def exit_code(status: int) -> int:
    """A wait status as a shell sees it, a signal as its negative."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


def cpu_of_children() -> float:
    """CPU seconds of all children collected so far, their own children included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
