"""Real boxes for the tests of the sandbox room, and small trees to put in them."""

from __future__ import annotations

import io
import sys
import tarfile
import textwrap
from collections.abc import Callable, Iterator, Mapping

import pytest

from sandbox.base import Command, Environment, File, Files, Limits, Quota, Result, Sandbox, SandboxUnavailable
from sandbox.local import LocalSandbox

QUOTA = Quota(memory=512 << 20, workspace=64 << 20, temporary=32 << 20, inodes=5_000, processes=128, open_files=256)
BASE = {"a.txt": b"alpha\n", "pkg/__init__.py": b"", "pkg/deep/er/b.txt": b"beta\n", "run.sh": b"#!/bin/sh\necho ran\n"}


def archive(files: Mapping[str, bytes]) -> bytes:
    """An uncompressed tar; what ends in .sh is executable, and what holds "-> x" is a symlink to x."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.mode = 0o755 if path.endswith(".sh") else 0o644
            if data.startswith(b"-> "):
                entry.type, entry.linkname = tarfile.SYMTYPE, data[3:].decode()
            else:
                entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def files_of(base: Mapping[str, bytes], changed: Mapping[str, File | None] | None = None) -> Files:
    """A base and what differs from it, named by its content."""
    data = archive(base)
    return Files(str(hash(data)), lambda: data, changed or {})


Run = Callable[..., Result]


def make_sandbox(backend: str, environment: Environment | None = None, quota: Quota = QUOTA, slots: int = 1, run: str = "") -> Sandbox:
    """A sandbox of the backend called so."""
    from sandbox.choose import KINDS

    if backend == "bubblewrap":
        try:
            return KINDS[backend](lambda _: None).make(environment or Environment(), quota, slots, run)
        except SandboxUnavailable as error:
            pytest.skip(str(error))
    return KINDS[backend](lambda _: None).make(environment or Environment(), quota, slots, run)


@pytest.fixture(scope="session")
def sandboxes() -> Iterator[Callable[..., Sandbox]]:
    """Makes sandboxes, and closes them in the end."""
    made: list[Sandbox] = []

    def make(backend: str, **settings: object) -> Sandbox:
        made.append(make_sandbox(backend, **settings))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for sandbox in made:
        sandbox.close()


@pytest.fixture(scope="module")
def box() -> Iterator[LocalSandbox]:
    """A local box of this interpreter, for what is the same in every backend."""
    sandbox = LocalSandbox(Environment(python=sys.executable), slots=1)
    yield sandbox
    sandbox.close()


@pytest.fixture(scope="session")
def shared(sandboxes: Callable[..., Sandbox]) -> Callable[[str], Sandbox]:
    """One sandbox per backend for all tests that leave it usable, as every test should."""
    found: dict[str, Sandbox] = {}

    def get(backend: str) -> Sandbox:
        if backend not in found:
            found[backend] = sandboxes(backend)
        return found[backend]

    return get


@pytest.fixture
def sandbox(backend: str, shared: Callable[[str], Sandbox]) -> Sandbox:
    """The sandbox of the backend at hand."""
    return shared(backend)


@pytest.fixture
def python(sandbox: Sandbox) -> Run:
    """Run a Python script in a clean copy of a small tree."""

    def run(script: str, seconds: float = 10.0, changed: Mapping[str, File | None] | None = None, **limits: object) -> Result:
        command = Command(("python3", "-c", textwrap.dedent(script)))
        return sandbox.run(files_of(BASE, changed), command, Limits(seconds, **limits))  # type: ignore[arg-type]

    return run


@pytest.fixture
def make(sandboxes: Callable[..., Sandbox]) -> Callable[..., Sandbox]:
    """Another sandbox, for tests that break it."""
    return sandboxes


@pytest.fixture
def tree() -> Callable[..., Files]:
    """Files from a mapping of paths to bytes, and what is changed in them."""
    return files_of
