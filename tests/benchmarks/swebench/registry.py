"""A registry that hands out images that the engine has, as Docker Hub would; and one that fails as it does."""

from __future__ import annotations

import hashlib
import json
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG, LAYER = "application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip"
NOT_THERE = (404, json.dumps({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}).encode(), "application/json")
LIMITED = (
    429,
    json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": "the pull rate limit is reached"}]}).encode(),
    "application/json",
)
Answer = tuple[int, bytes | Path, str]


class Registry:
    """Serves on this machine. `images` holds what there is, by path; `broken` makes it hang up in the middle of every layer."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.answers: dict[str, Answer] = {"/v2/": (200, b"{}", "application/json")}
        self.missing, self.broken = NOT_THERE, False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"registry": self}))
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def add(self, client: docker.DockerClient, name: str) -> None:
        """Hand out the engine's image `name`, which begins with this registry's address."""
        with (self._folder / "image.tar").open("wb") as file:
            file.writelines(client.images.get(name).save(named=True))
        with tarfile.open(self._folder / "image.tar") as tar:
            tar.extractall(self._folder / "image", filter="data")
        listed = json.loads((self._folder / "image/manifest.json").read_text())[0]
        repository, _, tag = name.removeprefix(f"{self.address}/").rpartition(":")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST}
        manifest["config"] = self._blob(repository, listed["Config"], CONFIG)
        manifest["layers"] = [self._blob(repository, layer, LAYER) for layer in listed["Layers"]]
        body = json.dumps(manifest).encode()
        for reference in (tag, f"sha256:{hashlib.sha256(body).hexdigest()}"):
            self.answers[f"/v2/{repository}/manifests/{reference}"] = (200, body, MANIFEST)

    def _blob(self, repository: str, path: str, kind: str) -> dict[str, object]:
        file = self._folder / "image" / path
        with file.open("rb") as opened:
            digest = f"sha256:{hashlib.file_digest(opened, 'sha256').hexdigest()}"
        self.answers[f"/v2/{repository}/blobs/{digest}"] = (200, file, kind)
        return {"mediaType": kind, "size": file.stat().st_size, "digest": digest}

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def registry() -> Iterator[Registry]:
    """An empty registry."""
    with tempfile.TemporaryDirectory() as folder:
        found = Registry(Path(folder))
        try:
            yield found
        finally:
            found.close()


class _Handler(BaseHTTPRequestHandler):
    registry: Registry

    def do_GET(self) -> None:
        status, body, kind = self.registry.answers.get(self.path, self.registry.missing)
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        if self.command != "HEAD":
            self._send(body, size)

    do_HEAD = do_GET

    def _send(self, body: bytes | Path, size: int) -> None:
        if isinstance(body, bytes):
            self.wfile.write(body)
            return
        with body.open("rb") as file:
            left = size // 2 if self.registry.broken else size
            while left and (part := file.read(min(left, 1 << 20))):
                self.wfile.write(part)
                left -= len(part)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""
