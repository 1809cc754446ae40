"""Attacks that take more than their share: processes, memory, disk, output, time."""

from __future__ import annotations

from benchmarks.attack.base import Attack

LOCAL = frozenset({"local"})
FILL = """
def fill(place):
    written = 0
    try:
        for number in range(20):
            with open(f"{place}/fill{number}", "wb", 0) as file:
                for _ in range(8): written += file.write(bytes(1 << 20))
    except OSError as error: return held(f"{errno.errorcode[error.errno]} after {written >> 20} MB")
    breach(f"{written >> 20} MB written")
"""

RESOURCES = (
    Attack(
        "fork bomb", "bounded processes, and a kill that reaches all of them", slow=True, spares=LOCAL,
        body="""
        for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
        while True:
            try:
                if os.fork() == 0: os.setsid()
            except OSError: pass
        """,
    ),
    Attack(
        "many processes", "a limit on processes",
        body="""
        children = 0
        try:
            while children < 180:
                os.posix_spawnp("sleep", ["sleep", "5"], os.environ)
                children += 1
        except OSError as error: held(f"{errno.errorcode[error.errno]} after {children} processes")
        breach("180 processes at once")
        """,
    ),
    Attack(
        "memory bomb", "a limit on memory",
        body="""
        blocks = []
        try:
            while len(blocks) < 64: blocks.append(b"x" * (16 << 20))
        except MemoryError: held(f"MemoryError after {16 * len(blocks)} MB")
        breach("1 GB of memory")
        """,
    ),
    Attack(
        "memory bomb of many processes", "a limit on the memory of all processes together",
        body="""
        ready, done = os.pipe()
        for _ in range(6):
            if os.fork() == 0:
                block = b"x" * (150 << 20)
                os.write(done, b".")
                time.sleep(20)
                os._exit(0)
        os.close(done)
        filled = b""
        while len(filled) < 6 and (part := os.read(ready, 6)): filled += part
        time.sleep(0.5)
        if len(filled) == 6 and os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG) is None: breach("900 MB in 6 processes")
        held("killed by the kernel")
        """,
    ),
    Attack("full work tree", "a work tree of bounded size", body=FILL + "fill('.')\n"),
    Attack("full temporary folder", "a temporary folder of bounded size", body=FILL + "fill(os.environ['TMPDIR'])\n"),
    Attack("full shared memory", "a /dev/shm of its own, of bounded size", body=FILL + "fill('/dev/shm')\n", spares=LOCAL),
    Attack(
        "inode bomb", "a limit on the number of files",
        body="""
        try:
            for number in range(8000): os.close(os.open(f"inode{number}", os.O_CREAT | os.O_WRONLY))
        except OSError as error: held(f"{errno.errorcode[error.errno]} after {number} files")
        breach("8000 files")
        """,
    ),
    Attack(
        "archive bomb", "a work tree of bounded size",
        body="""
        import io, zipfile
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(12): archive.writestr(f"bomb{number}", bytes(8 << 20))
        size = len(packed.getvalue())
        try: zipfile.ZipFile(packed).extractall(".")
        except OSError as error: held(f"{errno.errorcode[error.errno]} while unpacking {size} bytes")
        breach(f"{size} bytes became 96 MB")
        """,
    ),
    Attack(
        "endless output", "head and tail are kept, the rest is counted",
        body="""
        pipes = [int(name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name) and int(name) != 4]
        pipes = [number for number in pipes if os.readlink(f"/proc/self/fd/{number}").startswith("pipe:")]
        end = time.monotonic() + 1.5
        while pipes and time.monotonic() < end:
            for number in pipes:
                try: os.write(number, bytes(1 << 16))
                except OSError: pipes.remove(number)
        """,
    ),
    Attack(
        "flooded report channel", "the channel takes sealed frames only, and so many bytes",
        body="""
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            try: os.write(4, b"0 " + bytes(1 << 16))
            except OSError: break
        os._exit(0)
        """,
    ),
    Attack(
        "orphan that holds the pipes", "everything is killed once the run has ended",
        body="daemon(lambda: time.sleep(60))\n",
    ),
    Attack(
        "processes that ignore signals or stop themselves", "SIGKILL to all at the deadline", slow=True,
        body="""
        def deaf():
            signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 64))
            time.sleep(60)
        daemon(deaf)
        os.kill(os.getpid(), signal.SIGSTOP)
        """,
    ),
    Attack("endless loop", "a limit on CPU time, whatever the code does to its alarms", body="while True: pass\n", slow=True),
    Attack(
        "CPU hog", "a share of the processors",
        body="""
        import glob
        paths = glob.glob("/sys/fs/cgroup/cpu*/cpu.cfs_quota_us") + glob.glob("/sys/fs/cgroup/cpu.max")
        bounds = [open(path).read().split()[0] for path in paths]
        if not any(bound.isdigit() for bound in bounds): breach("nothing bounds the share of the processors")
        began, children = time.monotonic(), []
        for _ in range(3):
            children.append(os.fork())
            if children[-1] == 0:
                while time.monotonic() < began + 0.6: pass
                os._exit(0)
        used = sum(sum(os.wait4(pid, 0)[2][:2]) for pid in children)
        if used > 1.5 * (time.monotonic() - began): breach(f"{used:.1f} CPU seconds in {time.monotonic() - began:.1f} s")
        held("a share of the processors")
        """,
    ),
    Attack(
        "open files", "a limit on open files",
        body="""
        files = []
        try:
            while len(files) < 2000: files.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error: held(f"{errno.errorcode[error.errno]} after {len(files)} files")
        breach("2000 open files")
        """,
    ),
    Attack(
        "tampered clocks", "time is taken on the host", quickest=0.3,
        body="""
        time.sleep(0.3)
        for name in ("time", "monotonic", "perf_counter", "process_time"): setattr(time, name, lambda: 0.0)
        """,
    ),
)  # fmt: skip
