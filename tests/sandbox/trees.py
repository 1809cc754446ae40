"""Small projects as file trees, for the tests of the test runner."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping

from sandbox.base import File, Files


def tar_of(tree: Mapping[str, str]) -> bytes:
    """The tree as an uncompressed tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, text in tree.items():
            data = text.encode()
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def files_of(tree: Mapping[str, str], changed: Mapping[str, str | None] | None = None) -> Files:
    """`tree` as a base, with `changed` laid over it."""
    laid = {path: None if text is None else File(text.encode()) for path, text in (changed or {}).items()}
    return Files(hashlib.sha1(repr(sorted(tree.items())).encode()).hexdigest(), lambda: tar_of(tree), laid)
