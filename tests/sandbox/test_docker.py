"""Containers: how they are closed, how they are labelled, how leftovers are swept, and what is said when there are none."""

from __future__ import annotations

import io
import json
import os
import platform
import secrets
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from sandbox.base import Command, Environment, Files, Limits, Sandbox, SandboxUnavailable
from sandbox.choose import choose, survey
from sandbox.docker import DockerSandbox, connect, sweep
from sandbox.images import OWN, apt_source, base_image, python_version, setup_image
from sandbox.owner import abandoned, labels

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    """The engine."""
    found = connect()
    yield found
    found.close()


def of_run(client: docker.DockerClient, run: str) -> list[dict[str, object]]:
    return list(client.api.containers(all=True, filters={"label": f"sandbox.run={run}"}))


def test_a_container_is_closed_on_all_sides(client: docker.DockerClient, make: Callable[..., Sandbox], tree: Callable[..., Files]) -> None:
    run = secrets.token_hex(6)
    make("docker", run=run).run(tree({}), Command(("true",)), Limits())
    (found,) = of_run(client, run)
    host = client.api.inspect_container(str(found["Id"]))["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["Privileged"], host["AutoRemove"]) == ("none", True, False, True)
    assert host["CapDrop"] == ["ALL"]
    assert {name.removeprefix("CAP_") for name in host["CapAdd"]} == {"KILL", "SETGID", "SETUID"}
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert host["Memory"] == host["MemorySwap"] == 512 << 20
    assert (host["PidsLimit"], host["NanoCpus"], host["IpcMode"]) == (128, 10**9, "private")
    assert host["LogConfig"]["Type"] == "none"
    assert not host["Binds"]
    assert all("size=" in options for options in host["Tmpfs"].values())


def container(client: docker.DockerClient, run: str, **changed: object) -> str:
    """A container as a process of ours would have left it."""
    marks = labels(run)
    marks["sandbox.owner"] = json.dumps(json.loads(marks["sandbox.owner"]) | changed)
    return str(client.containers.create(base_image(client), ["sleep", "60"], labels=marks, network_mode="none").id)


def test_what_the_dead_left_is_swept_and_what_the_living_use_stays(client: docker.DockerClient) -> None:
    run = secrets.token_hex(6)
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    mine, others = container(client, run), container(client, run, host="elsewhere", pid=dead.pid)
    gone = {container(client, run, pid=dead.pid), container(client, run, boot="before"), container(client, run, started="1")}
    try:
        sweep(client)
        deadline = time.monotonic() + 30  # what another process is sweeping already stays in the engine's list until it is gone
        while (left := {str(found["Id"]) for found in of_run(client, run)}) & gone and time.monotonic() < deadline:
            time.sleep(0.05)
        assert left == {mine, others}
    finally:
        for identity in {mine, others, *gone}:
            try:
                client.api.remove_container(identity, force=True)
            except docker.errors.NotFound:
                continue


def test_a_box_past_its_deadline_is_abandoned_unless_its_owner_is_seen_to_live_as_clocks_jump() -> None:
    marks = labels("r")
    late = marks | {"sandbox.deadline": str(time.time() - 1)}
    elsewhere = {"sandbox.owner": json.dumps(json.loads(marks["sandbox.owner"]) | {"host": "elsewhere"})}
    assert not abandoned(marks)
    assert not abandoned(late)
    assert not abandoned(marks | elsewhere)
    assert abandoned(late | elsewhere)
    assert not abandoned({"sandbox.owner": "{}", "sandbox.deadline": "soon"})
    assert json.loads(marks["sandbox.owner"])["host"] == platform.node()


def test_an_engine_that_is_not_there_is_named_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    with pytest.raises(SandboxUnavailable, match=r"no Docker engine answers .*--sandbox"):
        choose("docker")
    assert "no Docker engine" in survey()["docker"]
    try:
        assert choose("auto").name == "bubblewrap"
    except SandboxUnavailable as error:
        assert "--sandbox local" in str(error)  # noqa: PT017 (both are right answers)


def test_an_image_that_is_not_there_is_named(tree: Callable[..., Files]) -> None:
    sandbox = DockerSandbox(Environment(image="no-such-image:1"), slots=1)
    with pytest.raises(SandboxUnavailable, match="no Docker image no-such-image:1"):
        sandbox.run(tree({}), Command(("true",)), Limits())
    sandbox.close()


def test_an_image_without_python_is_no_test_result(client: docker.DockerClient, tree: Callable[..., Files]) -> None:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("empty"))
    client.api.import_image_from_data(stream.getvalue(), repository="sandbox-test-empty", tag="1")
    sandbox = DockerSandbox(Environment(image="sandbox-test-empty:1"), slots=1)
    try:
        with pytest.raises(SandboxUnavailable, match="python3"):
            sandbox.run(tree({}), Command(("true",)), Limits())
    finally:
        sandbox.close()
        client.images.remove("sandbox-test-empty:1", force=True)


def test_host_folders_are_there_read_only_at_their_own_path(
    make: Callable[..., Sandbox], tree: Callable[..., Files], tmp_path: Path
) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "found.py").write_text("x = 1")
    environment = Environment(mounts=(str(tmp_path / "lib"),), site=(str(tmp_path / "lib"),))
    script = f"import found, os, sys; print(found.__file__, sys.path[-1]); open('{tmp_path}/lib/y', 'w')"
    sandbox = make("docker", environment=environment)
    for _ in range(2):  # the scratch folder that holds the mount is emptied in between
        result = sandbox.run(tree({}), Command(("python3", "-c", script)), Limits())
        assert result.stdout.split()[0] == f"{tmp_path}/lib/found.py".encode()
        assert b"Read-only file system" in result.stderr


def test_setting_up_is_done_once_and_its_failure_told(client: docker.DockerClient) -> None:
    base, told = base_image(client), []
    word = secrets.token_hex(6)
    command = f"echo {word} > /marker; ls /setup"
    image = setup_image(client, base, bytes(10240), command, told.append)
    try:
        assert setup_image(client, base, bytes(10240), command, told.append) == image
        assert len(told) == 1
        assert client.containers.run(image, ["cat", "/marker"], remove=True).strip() == word.encode()
    finally:
        client.images.remove(image, force=True)
    with pytest.raises(SandboxUnavailable, match="ended with 3: so there"):
        setup_image(client, base, bytes(10240), "echo so there; exit 3")


def test_the_base_image_has_the_python_it_says(client: docker.DockerClient) -> None:
    image = base_image(client)
    version = client.containers.run(image, ["python3", "-V"], remove=True, network_mode="none").decode().split()[1]
    assert version.startswith(python_version(client, image) + ".")
    assert image.startswith(("python:3.", OWN))


def test_a_box_is_replaced_after_memory_ran_out(
    client: docker.DockerClient, make: Callable[..., Sandbox], tree: Callable[..., Files]
) -> None:
    run = secrets.token_hex(6)
    sandbox = make("docker", run=run)
    sandbox.run(tree({}), Command(("true",)), Limits())
    before = {found["Id"] for found in of_run(client, run)}
    assert sandbox.run(tree({}), Command(("python3", "-c", "bytearray(1 << 30)")), Limits()).status == "memory"
    assert sandbox.run(tree({}), Command(("echo", "ok")), Limits()).stdout == b"ok\n"
    assert before.isdisjoint(found["Id"] for found in of_run(client, run))


def test_closing_while_a_command_runs_ends_it(make: Callable[..., Sandbox], tree: Callable[..., Files]) -> None:
    sandbox = make("docker")
    threading.Timer(1.0, sandbox.close).start()
    start = time.monotonic()
    with pytest.raises(SandboxUnavailable):
        sandbox.run(tree({}), Command(("sleep", "30")), Limits(60))
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sources.list", "# a comment\ndeb [arch=amd64] http://mirror.example/debian bookworm main\n"),
        (
            "sources.list.d/x.sources",
            "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\nComponents: main\n",
        ),
    ],
)
def test_the_mirror_is_the_one_apt_uses(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    (tmp_path / "etc/os-release").write_text("NAME=x\nVERSION_CODENAME=bookworm\n")
    (tmp_path / "etc/apt/sources.list.d/other.list").write_text("deb http://other.example/x trixie main\n")
    assert apt_source(tmp_path) is None
    (tmp_path / "etc/apt" / name).write_text(text)
    assert apt_source(tmp_path) == ("bookworm", "http://mirror.example/debian")


def test_our_own_process_is_alive() -> None:
    assert not abandoned(labels("r"))
    assert json.loads(labels("r")["sandbox.owner"])["pid"] == os.getpid()
