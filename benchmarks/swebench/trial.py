"""One run of an official eval script on one patch, in a container that nothing has touched and that nothing leaves."""

from __future__ import annotations

import io
import tarfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container
from docker.utils.socket import frames_iter
from requests import RequestException

from benchmarks.swebench.base import Place
from benchmarks.swebench.official import Script, complete
from sandbox.base import SandboxUnavailable
from sandbox.docker import connect
from sandbox.owner import labels

PATCH, EVAL = "tmp/patch.diff", "eval.sh"
MEMORY, PROCESSES = "6g", 4096
LARGEST = 64 << 20  # bytes of a log: a patch may print forever
FAULTS = (DockerException, RequestException, OSError)


class Unapplied(Exception):
    """None of the harness's commands applies the patch."""


class Undecided(Exception):
    """The tests did not come to an end."""


def run(place: Place, script: Script, patch: str, log: Path, seconds: float, network: str = "none") -> None:
    """Apply `patch` (nothing, where it is empty), run the script, write what it says to `log`.

    Raises Unapplied, Undecided, and SandboxUnavailable where the engine failed.
    """
    try:
        with _container(place, script, network) as container:
            _put(container, {PATCH: patch, EVAL: script.text})
            if patch.strip():
                _apply(container, place.workdir, script.applies)
            _evaluate(container, place.workdir, log, seconds)
    except ImageNotFound as error:
        raise SandboxUnavailable(f"there is no image {place.image}: make the instance ready again") from error
    except FAULTS as error:
        raise SandboxUnavailable(f"the Docker engine failed: {error}") from error


@contextmanager
def _container(place: Place, script: Script, network: str) -> Iterator[Container]:
    client = connect()
    try:
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
    finally:
        client.close()


def _put(container: Container, files: Mapping[str, str]) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            data = text.encode("utf-8", "surrogatepass")
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))
    container.put_archive("/", packed.getvalue())


def _apply(container: Container, workdir: str, commands: tuple[str, ...]) -> None:
    """As the harness does: one command after the other, whatever the one before has left behind."""
    said = b""
    for command in commands:
        with _executed(container, [*command.split(), f"/{PATCH}"], workdir) as (chunks, number):
            said = b"".join(chunks)
        if container.client.api.exec_inspect(number)["ExitCode"] == 0:
            return
    raise Unapplied(said.decode("utf-8", "replace").strip())


@contextmanager
def _executed(container: Container, command: list[str], workdir: str) -> Iterator[tuple[Iterable[bytes], str]]:
    """What a command in the container says, and its number."""
    api = container.client.api
    number = api.exec_create(container.id, command, user="root", workdir=workdir)["Id"]
    stream = api.exec_start(number, socket=True)
    connection = getattr(stream, "_sock", stream)
    try:
        yield (chunk for _, chunk in frames_iter(stream, tty=False)), number
    finally:  # the SDK's own streams leave this to the garbage collector
        stream.close()
        connection.close()


def _evaluate(container: Container, workdir: str, log: Path, seconds: float) -> None:
    late = threading.Event()

    def stop() -> None:
        late.set()
        with suppress(*FAULTS):  # it ended meanwhile
            container.kill()

    watch = threading.Timer(seconds, stop)
    watch.start()
    try:
        size = _stream(container, workdir, log)
    finally:
        watch.cancel()
    _check(container, log, size, f"the tests did not end within {seconds:.0f} s" if late.is_set() else "")


def _stream(container: Container, workdir: str, log: Path) -> int:
    """Run the script and write what it says, up to a limit: marks and tests come on two streams, which one pipe keeps in order."""
    size = 0
    # the harness starts it in the image's working directory, which is /testbed
    with log.open("wb") as file, _executed(container, ["/bin/bash", "-c", f"exec /bin/bash /{EVAL} 2>&1"], workdir) as (chunks, _):
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
