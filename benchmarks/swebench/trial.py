"""One run of an official eval script on one patch, in a container that nothing has touched and that nothing leaves."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container
from requests import RequestException

from benchmarks.swebench.base import Place
from benchmarks.swebench.httpbin import LABEL, TRUST, serving
from benchmarks.swebench.inside import executed, put
from benchmarks.swebench.official import Script, complete
from sandbox.base import SandboxUnavailable
from sandbox.docker import connect
from sandbox.owner import labels

PATCH, EVAL, AUTHORITY = "tmp/patch.diff", "eval.sh", "tmp/authority.pem"
MEMORY, PROCESSES = "6g", 4096
LARGEST = 64 << 20  # bytes of a log: a patch may print forever
FAULTS = (DockerException, RequestException, OSError)


class Unapplied(Exception):
    """None of the harness's commands applies the patch."""


class Undecided(Exception):
    """The tests did not come to an end."""


def run(place: Place, script: Script, patch: str, log: Path, seconds: float) -> None:
    """Apply `patch` (nothing, where it is empty), run the script, write what it says to `log`.

    Raises Unapplied, Undecided, and SandboxUnavailable where the engine failed.
    """
    try:
        with _client() as client, _around(client, place) as (network, authority), _container(client, place, script, network) as container:
            put(container, {PATCH: patch, EVAL: script.text, AUTHORITY: authority})
            with _watched(container, seconds) as late:
                if patch.strip():
                    _apply(container, place.workdir, script.applies)
                size = _evaluate(container, place.workdir, TRUST if authority else "true", log)
            _check(container, log, size, f"the tests did not end within {seconds:.0f} s" if late.is_set() else "")
    except ImageNotFound as error:
        raise SandboxUnavailable(f"there is no image {place.image}: make the instance ready again") from error
    except FAULTS as error:
        raise SandboxUnavailable(f"the Docker engine failed: {error}") from error


@contextmanager
def _client() -> Iterator[docker.DockerClient]:
    client = connect()
    try:
        yield client
    finally:
        client.close()


@contextmanager
def _around(client: docker.DockerClient, place: Place) -> Iterator[tuple[str, str]]:
    """What the tests see of a network: nothing, or a stand-in for the one site that they need, and whom to trust there."""
    service = client.images.get(place.image).labels.get(LABEL, "")
    if not service:
        yield "none", ""
        return
    with serving(client, service) as found:
        yield found


@contextmanager
def _container(client: docker.DockerClient, place: Place, script: Script, network: str) -> Iterator[Container]:
    container = client.containers.create(
        place.image, ["sleep", "infinity"], entrypoint=[], user="root", working_dir=place.workdir, network_mode=network,
        mem_limit=MEMORY, memswap_limit=MEMORY, pids_limit=PROCESSES, nano_cpus=int(script.cpus * 1e9) if script.cpus else None,
        cap_add=list(script.capabilities), labels=labels("grade"),
    )  # fmt: skip
    try:
        container.start()
        yield container
    finally:
        with suppress(*FAULTS):  # an engine that is gone took it along, or the next sweep will
            container.remove(force=True)


@contextmanager
def _watched(container: Container, seconds: float) -> Iterator[threading.Event]:
    """Kill the container when the time is over, which ends whatever runs in it."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        with suppress(*FAULTS):  # it ended meanwhile
            container.kill()

    watch = threading.Timer(seconds, stop)
    watch.start()
    try:
        yield late
    finally:
        watch.cancel()


def _apply(container: Container, workdir: str, commands: tuple[str, ...]) -> None:
    """As the harness does: one command after the other, whatever the one before has left behind."""
    said = b""
    for command in commands:
        with executed(container, [*command.split(), f"/{PATCH}"], workdir) as (chunks, number):
            said = b"".join(chunks)
        if container.client.api.exec_inspect(number)["ExitCode"] == 0:
            return
    raise Unapplied(said.decode("utf-8", "replace").strip())


def _evaluate(container: Container, workdir: str, before: str, log: Path) -> int:
    """Run the script and write what it says, up to a limit: marks and tests come on two streams, which one pipe keeps in order."""
    size = 0
    # the harness starts it in the image's working directory, which is /testbed
    with log.open("wb") as file, executed(container, ["/bin/bash", "-c", f"{before}; exec /bin/bash /{EVAL} 2>&1"], workdir) as (chunks, _):
        for chunk in chunks:
            size += len(chunk)
            if size > LARGEST:
                break
            file.write(chunk)
    return size


def _check(container: Container, log: Path, size: int, late: str) -> None:
    """Raise unless the log says what the patch did."""
    text = log.read_bytes().decode("utf-8", "replace")
    log.write_text(text, "utf-8")  # swebench reads it strictly
    if late:
        raise Undecided(late)
    if size > LARGEST:
        raise Undecided(f"the tests printed more than {LARGEST >> 20} MB")
    container.reload()
    if complete(text):
        return
    if container.attrs["State"]["OOMKilled"]:
        raise Undecided(f"the tests took more than {MEMORY} of memory")
    if container.status != "running":
        raise SandboxUnavailable("the container ended while the tests ran")
