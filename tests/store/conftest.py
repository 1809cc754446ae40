"""A real repository, a store beside it, and git itself to compare with."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swesearch.store import Store


@pytest.fixture
def git() -> Callable[..., bytes]:
    """Run git as a user would: `git(folder, "status", "--porcelain")`."""

    def run(folder: Path, *args: str, stdin: bytes = b"", check: bool = True) -> bytes:
        return subprocess.run(["git", *args], cwd=folder, input=stdin, capture_output=True, check=check).stdout

    return run


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Store]]:
    """Open a store of a repository, closed when the test ends: `opened(folder)`."""
    stores: list[Store] = []

    def open_store(folder: Path, *, name: str = "store.git", plain: bool = False) -> Store:
        stores.append(Store.open(folder, tmp_path / name, plain=plain))
        return stores[-1]

    yield open_store
    for store in stores:
        store.close()


@pytest.fixture
def fingerprint() -> Callable[[Path], str]:
    """One hash over everything below a folder: names, kinds, permissions, times of change, contents."""

    def take(folder: Path) -> str:
        digest = hashlib.sha256()
        for path in sorted([folder, *folder.rglob("*")]):
            facts = path.lstat()
            digest.update(f"{path}{facts.st_mode}{facts.st_mtime_ns}{facts.st_size}{facts.st_ino}".encode(errors="surrogateescape"))
            if stat.S_ISREG(facts.st_mode):
                digest.update(path.read_bytes())
            elif stat.S_ISLNK(facts.st_mode):
                digest.update(os.fsencode(path.readlink()))
        return digest.hexdigest()

    return take
