"""Attacks that reach out of the box: its agent, the kernel, the network, the host's files and secrets."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from benchmarks.attack.base import Attack

LOCAL = frozenset({"local"})
EVERYBODY = "[int(name) for name in os.listdir('/proc') if name.isdigit() and int(name) != os.getpid()]"


# What no test needs: the system call's number on x86_64 and on aarch64, and its arguments.
CALLS: Mapping[str, tuple[int, ...]] = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "pidfd_getfd": (438, 438),
    "perf_event_open": (298, 241), "io_uring_setup": (425, 425), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "userfaultfd": (323, 282), "setns": (308, 268), "pivot_root": (155, 41), "move_mount": (429, 429),
    "fsopen": (430, 430), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "kexec_load": (246, 104),
    "finit_module": (313, 273), "clone3": (435, 435), "a user namespace by clone": (56, 220, 0x10000011),
    "input for the terminal": (16, 29, 0, 0x5412), "limits of PID 1": (302, 261, 1, 7),
}  # fmt: skip


def _calls() -> str:
    """The same as Python: what -> number and arguments on this machine."""
    column = 1 if platform.machine() == "aarch64" else 0
    found = {what: (*numbers[column : column + 1], *numbers[2:], 0, 0, 0, 0, 0, 0) for what, numbers in CALLS.items()}
    x32 = {"a call under its x32 number": (41 + 0x40000000, 1, 1, 0)} if platform.machine() == "x86_64" else {}
    return repr({what: numbers[:7] for what, numbers in {**found, **x32}.items()})


ESCAPES = (
    Attack(
        "killed init", "the agent is PID 1 and no signal from inside reaches it", spares=LOCAL,
        body="""
        seen = []
        for number in (9, 15, 2, 19):
            try: os.kill(1, number)
            except OSError as error: seen.append(errno.errorcode[error.errno])
            else: seen.append("no effect")
        time.sleep(0.1)
        held(", ".join(sorted(set(seen))))
        """,
    ),
    Attack(
        "killing everything in the box", "what killed its own process proved nothing; what was killed is made anew", spares=LOCAL,
        body="os.kill(-1, signal.SIGKILL)\n",
    ),
    Attack(
        "freezing the next candidate's interpreter", "a zygote that was touched is made anew", spares=LOCAL, slow=True,
        body=f"""
        for pid in {EVERYBODY}:
            try: os.kill(pid, signal.SIGSTOP)
            except OSError: pass
        """,
    ),
    Attack(
        "starving the next candidate's interpreter", "a zygote that was touched is made anew", spares=LOCAL,
        body=f"""
        for pid in {EVERYBODY}:
            for kind in (resource.RLIMIT_NOFILE, resource.RLIMIT_FSIZE):
                try: resource.prlimit(pid, kind, (0, 0))
                except OSError: pass
            try: os.setpriority(os.PRIO_PROCESS, pid, 19)
            except OSError: pass
        """,
    ),
    Attack(
        "ptrace", "the system call filter", spares=LOCAL,
        body="""
        child = os.fork()
        if child == 0:
            time.sleep(5)
            os._exit(0)
        ways = {"PID 1 attached": (16, 1), "a sibling attached": (16, child), "a sibling seized": (0x4206, child)}
        tried(*((what, calling("ptrace", request, pid, 0, 0)) for what, (request, pid) in ways.items()))
        """,
    ),
    Attack(
        "the agent's memory, environment and descriptors", "another user, or a process that cannot be dumped", spares=LOCAL,
        body="""
        opens = [("/proc/1/mem", os.O_RDWR), ("/proc/1/environ", os.O_RDONLY), ("/proc/1/maps", os.O_RDONLY)]
        opens += [(f"/proc/1/fd/{number}", flags) for number, flags in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY))]
        tried(*((path, lambda path=path, flags=flags: os.read(os.open(path, flags), 1)) for path, flags in opens))
        """,
    ),
    Attack(
        "a forged result through /proc/1/fd/1", "another user, or a process that cannot be dumped", spares=LOCAL,
        body="""
        frame = b'{"status":"done","exit_code":0,"seconds":0,"cpu":0,"sizes":[0,0,0],"n":0}'
        tried(("written", lambda: os.write(os.open("/proc/1/fd/1", os.O_WRONLY), len(frame).to_bytes(4, "big") + frame)))
        """,
    ),
    Attack(
        "open descriptors of somebody else", "only pipes are handed on",
        body="""
        found = []
        for name in os.listdir("/proc/self/fd"):
            try: found.append(os.readlink("/proc/self/fd/" + name))
            except OSError: pass
        ours = ("pipe:", "/dev/null", "/proc/", "/memfd:", "anon_inode:", os.environ["TMPDIR"], os.getcwd())
        odd = [path for path in found if not path.startswith(ours)]
        breach(", ".join(odd)) if odd else held(f"{len(found)} descriptors, all its own")
        """,
    ),
    Attack(
        "network", "a network namespace with nothing in it",
        body="""
        def to(address, port): return lambda: socket.create_connection((address, port), 1).close()
        calls = [(f"{address} reached", to(address, <<port>>)) for address in ("127.0.0.1", "172.17.0.1", "<<address>>")]
        if <<outward>>:
            calls += [("the internet reached", to("1.1.1.1", 80)), ("a name resolved", lambda: socket.getaddrinfo("example.com", 80))]
        tried(*calls)
        """,
    ),
    Attack(
        "abstract sockets of the host", "a network namespace of its own",
        body="""
        peer = socket.socket(socket.AF_UNIX)
        tried(("connected", lambda: peer.connect("\\x00<<token>>")))
        """,
    ),
    Attack(
        "vsock, raw and other odd sockets", "the system call filter", spares=LOCAL,
        body="""
        families = {"vsock": (40, 1), "packet": (17, 3), "alg": (38, 5), "bluetooth": (31, 1), "xdp": (44, 3)}
        families |= {"raw": (2, 3), "raw over IPv6": (10, 3)}
        tried(*((name, lambda pair=pair: socket.socket(*pair)) for name, pair in families.items()))
        """,
    ),
    Attack(
        "docker socket", "only what is listed is mounted", spares=LOCAL,
        body="""
        paths = ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock"]
        tried(*((path, lambda path=path: os.stat(path)) for path in paths))
        """,
    ),
    Attack(
        "secrets in the environment", "an empty environment, and processes of nobody else to look at",
        body="""
        import glob
        token, looked = "<<half>>" + "<<other>>", 0
        for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
            try: data = open(path, "rb").read()
            except OSError: continue
            looked += 1
            if ("KEY=" + token).encode() in data: breach(path)
        held(f"{looked} processes looked at, {len(os.environ)} harmless variables")
        """,
    ),
    Attack(
        "secrets in files", "only what is listed is mounted",
        body="""
        paths = ["<<secret>>", *(os.path.join(home, name) for home in ("/root", "/home") for name in (".ssh", ".aws", ".netrc", ".config"))]
        tried(*((path, lambda path=path: os.stat(path)) for path in paths[:None if <<outward>> else 1]))
        """,
    ),
    Attack(
        "writing outside the work tree", "a read-only root",
        body="""
        tried(("the user's file overwritten", lambda: os.write(os.open("<<outside>>", os.O_WRONLY | os.O_CREAT), b"attacked")))
        """,
    ),
    Attack(
        "writing system files", "a read-only root", spares=LOCAL,
        body="""
        paths = ["/x", "/etc/x", "/etc/passwd", "/usr/bin/x", "/usr/lib/x", "/box/x", "/box/probe/runner.py", "/root/x", "/dev/x"]
        paths += ["/sys/x", "/sys/fs/cgroup/x", "/sys/kernel/uevent_helper", "/proc/sysrq-trigger"]
        paths += ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe"]
        paths += [entry + "/x" for entry in (sys.prefix, sys.base_prefix)]
        tried(*((path, lambda path=path: os.open(path, os.O_WRONLY | os.O_CREAT)) for path in paths))
        """,
    ),
    Attack(
        "capabilities and set-uid programs", "no capability, no new privileges, not root", spares=LOCAL,
        body="""
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        caps = [name for name in ("CapInh", "CapPrm", "CapEff", "CapAmb") if int(status[name], 16)]
        modes = status["NoNewPrivs"].strip(), status["Seccomp"].strip()
        if caps or modes != ("1", "2") or os.getuid() == 0: breach(f"{caps}, {modes}, uid {os.getuid()}")
        tried(("root", lambda: os.setuid(0)), ("adm", lambda: os.setgroups([4])), ("the sandbox's memory score", lambda:
            os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000")))
        """,
    ),
    Attack(
        "namespaces and mounts", "the system call filter", spares=LOCAL,
        body="""
        new = {"user": 0x10000000, "mount": 0x20000, "pid": 0x20000000, "network": 0x40000000}
        calls = [(f"a {name} namespace", calling("unshare", flag)) for name, flag in new.items()]
        tried(*calls, ("a mount", calling("mount", b"none", b"/tmp", b"tmpfs", 0, None)), ("another root", lambda: os.chroot(".")))
        """,
    ),
    Attack(
        "dangerous system calls", "the system call filter", spares=LOCAL,
        body=f"""
        odd, calls = [], {_calls()}
        for name, numbers in calls.items():
            try: calling("syscall", *numbers)()
            except OSError as error:
                if error.errno not in (errno.EPERM, errno.ENOSYS): odd.append(f"{{name}} ({{errno.errorcode[error.errno]}})")
            else: odd.append(name)
        breach(", ".join(odd)) if odd else held("EPERM, ENOSYS")
        """,
    ),
    Attack(
        "devices and the clock", "no capability", spares=LOCAL,
        body="""
        tried(("a disk", lambda: os.mknod("disk", 0o60600, os.makedev(254, 0))), ("the clock", lambda: time.clock_settime(0, 0)))
        """,
    ),
    Attack(
        "processes of the host", "a process namespace of its own",
        body="""
        import glob
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try: data = open(path, "rb").read()
            except OSError: continue
            if ("helper-" + "<<token>>").encode() in data: breach(path)
        held("none of them is seen")
        """,
    ),
)  # fmt: skip
