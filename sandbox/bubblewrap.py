"""No Docker engine: Linux namespaces by bubblewrap, as an unprivileged user of the host.

Started by root, bubblewrap would leave /proc/sys writable: as root we first drop to a user nobody is, in a mount namespace of our own
in which the folders to be mounted can be read by that user.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from sandbox.base import Environment, Quota, SandboxUnavailable
from sandbox.box import AGENT_COMMAND, PROBE, PROBE_INSIDE, WORK, Box, agent_config, scratch, variables, with_parents
from sandbox.owner import plain
from sandbox.pipe import PipeLink
from sandbox.pool import DEFAULT_QUOTA, PooledSandbox, default_slots, host_resources

NOBODY = 64_999  # a user id nothing else on a host runs as
AGENT_PYTHON = "/usr/bin/python3"
SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS = ("alternatives", "group", "hosts", "ld.so.cache", "localtime", "mime.types", "nsswitch.conf", "passwd", "ssl/certs")
ALLOW = "allow user namespaces: `sysctl kernel.unprivileged_userns_clone=1` and `sysctl user.max_user_namespaces=15000`"
ALLOW_APPARMOR = "allow them by an AppArmor profile for bwrap, or by `sysctl kernel.apparmor_restrict_unprivileged_userns=0`"
APPARMOR = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")


_works: set[Environment] = set()  # those that were tried


class BubblewrapSandbox(PooledSandbox):
    """Namespaces without network, capabilities or user namespaces, an empty environment, a read-only root, and our system call filter.

    Memory is watched, not bounded by the kernel; CPU share and inodes are not limited at all: that needs control groups.
    """

    name = "bubblewrap"

    def __init__(self, environment: Environment, quota: Quota = DEFAULT_QUOTA, slots: int | None = None, run: str = "") -> None:
        self._environment, self._quota, self._prefix = environment, quota, f"sandbox-{plain(run)}"
        if environment not in _works:
            self._probe()
            _works.add(environment)
        super().__init__(self._launch, slots or default_slots(quota, *host_resources()))

    def _probe(self) -> None:
        """Try it. Raises SandboxUnavailable with the reason and the mend."""
        if not sys.platform.startswith("linux"):
            raise SandboxUnavailable("bubblewrap needs Linux")
        if not shutil.which("bwrap"):
            raise SandboxUnavailable("bubblewrap is not installed: `apt install bubblewrap` (or your system's package of that name)")
        if not Path(AGENT_PYTHON).exists():
            raise SandboxUnavailable(f"bubblewrap boxes need {AGENT_PYTHON}: `apt install python3`")
        with Stage(self._prefix) as stage:
            argv = stage.command(self._arguments(stage), ["/bin/true"])
            done = subprocess.run(argv, env={}, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False)
        if done.returncode:
            words = done.stderr.decode("utf-8", "replace").strip()
            mend = ALLOW_APPARMOR if APPARMOR.exists() and APPARMOR.read_text().strip() == "1" else ALLOW
            raise SandboxUnavailable(f"bubblewrap does not work here ({words[-300:]}): {mend}")

    def _launch(self) -> Box:
        with Stage(self._prefix) as stage:  # not needed any more once the agent answers
            return Box(PipeLink(stage.command(self._arguments(stage), [AGENT_PYTHON, *AGENT_COMMAND]), {}), self._config())

    def _config(self) -> dict[str, object]:
        mounts = self._environment.mounts
        return agent_config(
            self._environment, self._quota, uid=None, work=WORK, probe=PROBE_INSIDE, files={}, modes={}, init=True, cgroup=False,
            filter=True, scratch=scratch(["/tmp", "/dev/shm", "/dev/mqueue"], mounts), keep=with_parents(mounts),
            env=variables(self._environment),
        )  # fmt: skip

    def _arguments(self, stage: Stage) -> list[str]:
        """How bubblewrap is called, in the order in which it mounts."""
        quota = self._quota
        arguments = ["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session", "--as-pid-1"]
        arguments += ["--clearenv", "--cap-drop", "ALL", "--proc", "/proc", "--dev", "/dev", "--mqueue", "/dev/mqueue"]
        arguments += ["--ro-bind", "/usr", "/usr"]
        for path in SYSTEM:
            arguments += ["--symlink", str(Path(path).readlink()), path] if Path(path).is_symlink() else ["--ro-bind-try", path, path]
        for name in SETTINGS:
            arguments += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
        for path, size in ((WORK, quota.workspace), ("/tmp", quota.temporary), ("/dev/shm", quota.temporary)):
            arguments += ["--size", str(size), "--tmpfs", path]
        for path in sorted(self._environment.mounts):
            arguments += ["--ro-bind", stage.readable(path), path]
        arguments += ["--ro-bind", stage.readable(str(PROBE)), PROBE_INSIDE]
        return [*arguments, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]


class Stage:
    """Where root puts what the user it drops to must be able to read. For anybody else: nothing to do."""

    def __init__(self, prefix: str) -> None:
        self._folder = tempfile.mkdtemp(prefix=prefix) if os.getuid() == 0 else ""
        self._binds: list[str] = []

    def readable(self, path: str) -> str:
        """A path under which the unprivileged user can read what is at `path`."""
        if not self._folder:
            return path
        if path not in self._binds:
            self._binds.append(path)
        return f"{self._folder}/{self._binds.index(path)}"

    def command(self, arguments: Sequence[str], inside: Sequence[str]) -> list[str]:
        """The command line that runs `inside` under bubblewrap."""
        bwrap = [shutil.which("bwrap") or "bwrap", *arguments, "--", *inside]
        if not self._folder:
            return bwrap
        order = {"folder": self._folder, "binds": self._binds, "user": NOBODY, "argv": bwrap}
        return [sys.executable, "-I", "-S", str(Path(__file__).with_name("stage.py")), json.dumps(order)]

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the folder. What was mounted in it was never to be seen outside."""
        if self._folder:
            Path(self._folder).rmdir()
