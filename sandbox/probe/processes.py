"""Processes inside a box: start one as the test user, watch it against its limits, leave none of its kin alive."""

import fcntl
import os
import resource
import select
import signal
import sys
import time

from sandbox.probe import jail

TICK = 0.1  # seconds between looks at memory and CPU, where the kernel does not keep the limit for us
MEMORY_EVENTS = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")  # cgroup v2, v1
LINUX = sys.platform.startswith("linux")


class Ring:
    """Output kept up to `limit` bytes: the head and the tail. All of it is counted."""

    def __init__(self, limit):
        self._head_limit, self._tail_limit = limit - limit // 2, limit // 2
        self._head, self._tail = bytearray(), bytearray()
        self.total = 0

    def add(self, data):
        self.total += len(data)
        room = self._head_limit - len(self._head)
        self._head += data[:room]
        self._tail += data[room:] if room < len(data) else b""
        if len(self._tail) > 2 * self._tail_limit:
            del self._tail[: len(self._tail) - self._tail_limit]

    @property
    def truncated(self):
        return self.total > self._head_limit + self._tail_limit

    def bytes(self):
        if not self.truncated:
            return bytes(self._head + self._tail)
        tail = self._tail[len(self._tail) - self._tail_limit :]
        return bytes(self._head) + b"\n[... %d bytes left out ...]\n" % (self.total - len(self._head) - len(tail)) + bytes(tail)


class Family:
    """The processes of a box: what this agent started, and all that came of it."""

    def __init__(self, init):
        self._init = init  # whether we are PID 1: then everything else in the box is ours
        self.spared = set()  # zygotes
        self._ended = {}  # pid -> wait status
        if LINUX and not init:
            jail.prctl(jail.PR_SET_CHILD_SUBREAPER, 1)
        self.wakeup, write = os.pipe()
        for end in (self.wakeup, write):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)

    def reap(self):
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

    def status(self, pid):
        """The wait status of a child that has ended, else None."""
        self.reap()
        return self._ended.get(pid)

    def forget(self):
        self._ended.clear()

    def others(self):
        """(pid, resident pages, CPU ticks) of every live process of the box but ourselves and the spared."""
        if not LINUX:
            return []
        table = {}
        for name in os.listdir("/proc"):
            if name.isdigit() and int(name) != os.getpid():
                entry = _stat(name)
                if entry:
                    table[int(name)] = entry
        found = []
        for pid, (parent, pages, ticks) in table.items():
            if pid not in self.spared and (self._init or _descends(parent, table)):
                found.append((pid, pages, ticks))
        return found

    def clear(self):
        """Kill all but ourselves and the spared. Returns whether the spared lived through it.

        It is over when a look finds nobody and nobody was born while we looked. Where births outrun us (a fork bomb),
        kill(-1) ends everything at one stroke, the spared too.
        """
        for attempt in range(6):
            born = _last_born()
            found = self.others()
            self.reap()
            if not found and born == _last_born():
                return True
            for pid, _, _ in found:
                _kill(pid)
            if attempt:
                time.sleep(0.001)
        return self._kill_everybody()

    def _kill_everybody(self):
        end = time.monotonic() + 10
        while time.monotonic() < end:
            for pid in [-1] if self._init else [pid for pid, _, _ in self.others()]:
                _kill(pid)
            self.reap()
            if self._alone():
                return not self._init
            time.sleep(0.001)
        raise OSError("processes that cannot be killed")

    def _alone(self):
        """Whether not even a dead child is left (PID 1), or no live one (else)."""
        if not self._init:
            return not self.others()
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return True
        return False


def _stat(name):
    """(parent, resident pages, CPU ticks) of a live process, None of a dead one."""
    try:
        with open("/proc/%s/stat" % name, "rb", 0) as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    if fields[0] in b"ZX":
        return None
    return int(fields[1]), int(fields[21]), sum(int(f) for f in fields[11:15])


def _descends(parent, table):
    seen = 0
    while parent in table and seen < len(table):
        parent, seen = table[parent][0], seen + 1
    return parent == os.getpid()


def _last_born():
    if not LINUX:
        return None
    with open("/proc/loadavg", "rb", 0) as file:
        return file.read().split()[-1]


def _kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def start(argv, environment, ends, limits, uid, rules):
    """Fork and exec `argv` as the test user. `ends`: file descriptor there -> ours. Raises OSError where the jail cannot be shut."""
    answer, fault = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(argv, environment, ends, limits, uid, rules, fault)
    os.close(fault)
    try:
        words = os.read(answer, 4096)
    finally:
        os.close(answer)
    if words:
        raise OSError("cannot start a process in the box: " + words.decode("utf-8", "replace"))
    return pid


def _become(argv, environment, ends, limits, uid, rules, fault):
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGPIPE, signal.SIGCHLD, signal.SIGINT):
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
    except OSError as error:
        os.write(2, ("cannot run %s: %s\n" % (argv[0], error.strerror)).encode("utf-8", "replace"))
    os._exit(127)


class HostGone(Exception):
    """Nobody holds the other end of our stdin any more."""


class Watch:
    """Reads the outputs of a run until it has ended, one way or another."""

    def __init__(self, family, outputs, limits):
        self._family, self._outputs, self._limits = family, dict(outputs), limits
        self._poller = select.poll()
        self._poller.register(0, 0)  # nothing but a hang-up
        for handle in (family.wakeup, *outputs):
            self._poller.register(handle, select.POLLIN)
        for handle in outputs:
            os.set_blocking(handle, False)

    def until(self, ended, extra=None):
        """Wait for `ended()` to be true. Returns "" or the limit that was hit: "timeout", "memory"."""
        if extra is not None:
            self._poller.register(extra, select.POLLIN)
        end = time.monotonic() + self._limits["seconds"]
        ticking = self._limits.get("cpu") or self._limits.get("memory")
        while not ended():
            left = end - time.monotonic()
            if left <= 0:
                return "timeout"
            over = self._over() if ticking else ""
            if over:
                return over
            self._turn(min(left, TICK) if ticking else left)
        return ""

    def _turn(self, seconds):
        for handle, event in self._poller.poll(seconds * 1000 + 1):
            if handle == 0:
                raise HostGone
            if handle == self._family.wakeup:
                os.read(handle, 4096)
            elif handle in self._outputs:
                self._read(handle)

    def _read(self, handle):
        try:
            data = os.read(handle, 1 << 16)
        except BlockingIOError:
            return
        if data:
            self._outputs[handle](data)
        else:
            self._poller.unregister(handle)
            del self._outputs[handle]

    def _over(self):
        found = self._family.others()
        if self._limits.get("memory") and sum(pages for _, pages, _ in found) * resource.getpagesize() > self._limits["memory"]:
            return "memory"
        if self._limits.get("cpu") and sum(ticks for _, _, ticks in found) / os.sysconf("SC_CLK_TCK") > self._limits["cpu"]:
            return "timeout"
        return ""

    def drain(self):
        """Read what is left once all writers are dead."""
        end = time.monotonic() + 2
        while self._outputs and time.monotonic() < end:
            for handle in list(self._outputs):
                self._read(handle)


def memory_kills():
    """How many processes of this box the kernel has killed for memory, None where no control group counts them."""
    for path in MEMORY_EVENTS:
        try:
            with open(path, "rb", 0) as file:
                for line in file.read().splitlines():
                    if line.startswith(b"oom_kill "):
                        return int(line.split()[1])
        except OSError:
            continue
    return None


def exit_code(status):
    """As in a shell's view: 0-255, or minus the signal."""
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)


def cpu_of_children():
    """CPU seconds of all children that were collected so far, theirs included."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
