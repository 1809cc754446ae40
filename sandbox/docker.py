"""A closed container per slot, kept warm. Its PID 1 is our agent, spoken to over the attached stdin: no exec, no copy, no port."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import LogConfig, Mount, Ulimit

from sandbox.base import Environment, Quota, SandboxUnavailable
from sandbox.box import AGENT_COMMAND, PROBE_INSIDE, WORK, Box, agent_config, probe_files, scratch, variables, with_parents
from sandbox.images import base_image
from sandbox.owner import abandoned, labels, plain
from sandbox.pool import DEFAULT_QUOTA, PooledSandbox, default_slots

TEST_UID = 1001
ENGINE_SECONDS = 60
FAULTS = (DockerException, requests.RequestException, OSError)
NO_ENGINE = "no Docker engine answers ({}). Start Docker, or name another sandbox with --sandbox bubblewrap or --sandbox local"


def connect() -> docker.DockerClient:
    """A client whose engine has answered. Raises SandboxUnavailable."""
    host = os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"
    if host.startswith("unix://") and not Path(host.removeprefix("unix://")).exists():  # the SDK would try, and lose a socket
        raise SandboxUnavailable(NO_ENGINE.format(f"{host} is not there"))
    try:
        client = docker.from_env(timeout=ENGINE_SECONDS)
        client.ping()
    except FAULTS as error:
        raise SandboxUnavailable(NO_ENGINE.format(_reason(error))) from error
    return client


def sweep(client: docker.DockerClient) -> int:
    """Remove containers whose owner is dead or whose deadline has passed. Returns how many."""
    swept = 0
    try:
        for entry in client.api.containers(all=True, filters={"label": "sandbox.owner"}):
            if abandoned(entry["Labels"]):
                _remove(client, entry["Id"])
                swept += 1
    except FAULTS as error:
        raise SandboxUnavailable(f"the Docker engine failed: {_reason(error)}") from error
    return swept


class DockerSandbox(PooledSandbox):
    """Hardened containers: no network, no capabilities, read-only root, bounded tmpfs, unprivileged tests under a system call filter."""

    name = "docker"

    def __init__(self, environment: Environment, quota: Quota = DEFAULT_QUOTA, slots: int | None = None, run: str = "") -> None:
        self._environment, self._quota, self._run = environment, quota, run or secrets.token_hex(6)
        self._client = connect()
        sweep(self._client)
        info = self._client.info()
        super().__init__(self._launch, slots or default_slots(quota, int(info["NCPU"]), int(info["MemTotal"])))

    def close(self) -> None:
        """Remove every container, and what others of our kind left behind."""
        super().close()
        with contextlib.suppress(SandboxUnavailable):  # no engine, nothing to sweep
            sweep(self._client)
        self._client.close()

    def _launch(self) -> Box:
        image = self._environment.image or "the base image"
        try:
            image = self._environment.image or base_image(self._client)
            link = ContainerLink(self._client, self._create(image))
        except ImageNotFound as error:
            raise SandboxUnavailable(f"there is no Docker image {image}: build or pull it first") from error
        except FAULTS as error:
            raise SandboxUnavailable(f"cannot start a container of {image}: {_reason(error)}") from error
        return Box(link, self._config())

    def _create(self, image: str) -> str:
        api = self._client.api
        created = api.create_container(
            image, ["python3", *AGENT_COMMAND], user="0", stdin_open=True, working_dir="/", entrypoint=[], labels=labels(self._run),
            name=f"sandbox-{plain(self._run)}-{secrets.token_hex(4)}", network_disabled=True, host_config=self._host_config(),
        )  # fmt: skip
        return str(created["Id"])

    def _host_config(self) -> Any:
        quota = self._quota
        return self._client.api.create_host_config(
            network_mode="none", cap_drop=["ALL"], cap_add=["SETUID", "SETGID", "KILL"], security_opt=["no-new-privileges"],
            read_only=True, tmpfs=self._tmpfs(), mounts=[Mount(path, path, "bind", read_only=True) for path in self._environment.mounts],
            pids_limit=quota.processes, mem_limit=quota.memory, memswap_limit=quota.memory, nano_cpus=int(quota.cpus * 1e9),
            ulimits=[Ulimit(name="core", soft=0, hard=0), Ulimit(name="nofile", soft=quota.open_files, hard=quota.open_files)],
            shm_size=quota.temporary, ipc_mode="private", log_config=LogConfig(type="none"), auto_remove=True,
        )  # fmt: skip

    def _tmpfs(self) -> dict[str, str]:
        quota, common = self._quota, "rw,exec,nosuid,nodev"
        found = {
            WORK: f"{common},size={quota.workspace},nr_inodes={quota.inodes},uid={TEST_UID},gid={TEST_UID},mode=755",
            "/tmp": f"{common},size={quota.temporary},nr_inodes={quota.inodes},mode=1777",
            "/box": "rw,noexec,nosuid,nodev,size=16m,nr_inodes=1k,mode=755",
        }
        if self._below_root():
            found["/root"] = "rw,noexec,nosuid,nodev,size=64k,nr_inodes=1k"
        return found

    def _below_root(self) -> bool:
        """Whether something is mounted below /root, which images lock."""
        return any(path.startswith("/root/") for path in self._environment.mounts)

    def _config(self) -> dict[str, Any]:
        mounts, modes = self._environment.mounts, {"/tmp": 0o1777, "/box": 0o755}
        if self._below_root():
            modes["/root"] = 0o755
        return agent_config(
            self._environment, self._quota, uid=TEST_UID, work=WORK, probe=PROBE_INSIDE, files=probe_files(), modes=modes, init=True,
            cgroup=True, filter=True, env=variables(self._environment), keep=with_parents(mounts),
            scratch=scratch(["/tmp", "/dev/shm", "/dev/mqueue"], mounts),
        )  # fmt: skip


class ContainerLink:
    """The attached stdin and stdout of a container. Closing it ends the container."""

    def __init__(self, client: docker.DockerClient, container: str) -> None:
        self._client, self._container = client, container
        self._ready, self._words = bytearray(), bytearray()  # the agent's stdout; the tail of its stderr
        self._killed = False
        self._in_use = threading.Lock()  # a socket closed under a thread that reads from it can leave that thread waiting
        with contextlib.ExitStack() as undo:
            undo.callback(_remove, client, container)
            self._stream = client.api.attach_socket(container, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
            self._socket: socket.socket = getattr(self._stream, "_sock", self._stream)
            undo.pop_all()
            undo.callback(self.kill)
            client.api.start(container)
            undo.pop_all()

    def send(self, data: bytes) -> None:
        """Write all of `data`."""
        try:
            with self._in_use:
                self._socket.settimeout(ENGINE_SECONDS)
                self._socket.sendall(data)
        except OSError as error:
            raise self._gone() from error

    def receive(self, count: int, deadline: float) -> bytes:
        """Exactly `count` bytes before `deadline`."""
        while len(self._ready) < count:
            with self._in_use:
                kind, size = struct.unpack(">BxxxI", self._exactly(8, deadline))
                data = self._exactly(size, deadline)
            if kind == 1:
                self._ready += data
            else:
                self._words = (self._words + data)[-2000:]
        data, self._ready = bytes(self._ready[:count]), self._ready[count:]
        return data

    def kill(self) -> None:
        """Remove the container."""
        if not self._killed:
            self._killed = True
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for an answer
            with self._in_use:
                self._stream.close()
                self._socket.close()
            _remove(self._client, self._container)

    def _exactly(self, count: int, deadline: float) -> bytes:
        data = bytearray(count)
        view = memoryview(data)
        while view:
            try:
                self._socket.settimeout(max(0.001, deadline - time.monotonic()))
                got = self._socket.recv_into(view)
            except TimeoutError as error:
                raise SandboxUnavailable("the container does not answer") from error
            except OSError as error:
                raise self._gone() from error
            if not got:
                raise self._gone()
            view = view[got:]
        return bytes(data)

    def _gone(self) -> SandboxUnavailable:
        words = self._words.decode("utf-8", "replace").strip()
        return SandboxUnavailable("the container died" + (f": {words}" if words else ""))


def _remove(client: docker.DockerClient, container: str) -> None:
    try:
        client.api.remove_container(container, force=True)
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # it is being removed already
            raise SandboxUnavailable(f"cannot remove container {container[:12]}: {_reason(error)}") from error
    except FAULTS as error:
        raise SandboxUnavailable(f"cannot remove container {container[:12]}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "explanation", None) or error)
