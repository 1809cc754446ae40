"""Files into a running container, and commands in it."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from docker.models.containers import Container
from docker.utils.socket import frames_iter


def put(container: Container, files: Mapping[str, str]) -> None:
    """Write text files, by their path from the root."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in files.items():
            data = text.encode("utf-8", "surrogatepass")
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o644
            tar.addfile(member, io.BytesIO(data))
    container.put_archive("/", packed.getvalue())


@contextmanager
def executed(container: Container, command: list[str], workdir: str) -> Iterator[tuple[Iterable[bytes], str]]:
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
