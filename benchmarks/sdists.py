"""Published source archives: found on the user's own index, pinned by hash, unpacked without running anything in them."""

from __future__ import annotations

import hashlib
import os
import tarfile
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

from sandbox import uv

LARGEST = 64 << 20  # bytes of an archive


class Unavailable(Exception):
    """The archive cannot be had here. Says why and what to do."""


def fetch(project: str, file: str, sha256: str, cache: Path) -> Path:
    """The archive `file` of `project`, from `cache` or from the index. Raises Unavailable, also when its hash is another."""
    kept = cache / file
    if not kept.is_file() or _hash(kept.read_bytes()) != sha256:
        data = _download(_link(project, file))
        if _hash(data) != sha256:
            raise Unavailable(f"{file}: the index serves another file than the one this demo was written for.")
        cache.mkdir(parents=True, exist_ok=True)
        part = kept.with_name(f"{file}.{os.getpid()}.part")
        part.write_bytes(data)
        part.replace(kept)
    return kept


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack into the new `folder` and return the project's own folder in it. Raises Unavailable on a hostile archive."""
    folder.mkdir(parents=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter="data")
    except tarfile.TarError as error:
        raise Unavailable(f"{archive.name} cannot be unpacked: {error}") from error
    (top,) = folder.iterdir()
    return top


def _link(project: str, file: str) -> str:
    for index in uv.indexes():
        page = f"{index.rstrip('/')}/{project}/"
        links = _Links()
        links.feed(_download(page).decode("utf-8", "replace"))
        for text, href in links.found:
            if text == file:
                return urllib.parse.urljoin(page, href)
    raise Unavailable(f"{file} is not on the package index.")


def _download(url: str) -> bytes:
    if not url.startswith(("https://", "http://")):
        raise Unavailable(f"{url} is no web address.")
    request = urllib.request.Request(url, headers={"Accept": "text/html, */*;q=0.1"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            data: bytes = answer.read(LARGEST)
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        raise Unavailable(f"The package index cannot be reached ({error}). The demo needs the network once.") from error
    return data


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class _Links(HTMLParser):
    """The links of a simple index page (PEP 503): (text, href)."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._href: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._href = dict(attrs).get("href") if tag == "a" else None

    def handle_data(self, data: str) -> None:
        if self._href and data.strip():
            self.found.append((data.strip(), self._href))
            self._href = None
