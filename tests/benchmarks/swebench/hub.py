"""A server that answers the `datasets` package as Hugging Face does, with one data set."""

from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pyarrow
from pyarrow import parquet

COMMIT = "a" * 40
CARD = "---\nconfigs:\n- config_name: default\n  data_files:\n  - split: {split}\n    path: data/{split}-*\n---\n"
Row = Mapping[str, Any]


@contextmanager
def hub(name: str, split: str, rows: list[Row]) -> Iterator[str]:
    """The address of a hub that has the data set `name` with these rows in `split`, and nothing else."""
    table = io.BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(rows), table)
    files = {"README.md": CARD.format(split=split).encode(), f"data/{split}-00000-of-00001.parquet": table.getvalue()}
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"name": name, "files": files}))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    name: str
    files: Mapping[str, bytes]

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        api, resolve = f"/api/datasets/{self.name}", f"/datasets/{self.name}/resolve/"
        if path == f"{api}/revision/{COMMIT}":
            self._json({"id": self.name, "sha": COMMIT, "siblings": [{"rfilename": each} for each in self.files]})
        elif path.startswith(f"{api}/tree/{COMMIT}"):
            self._json(self._listing(path.removeprefix(f"{api}/tree/{COMMIT}").strip("/")))
        elif path.startswith(resolve):
            self._file(path.removeprefix(resolve).partition("/")[2])
        else:
            self._say(404, b"", {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def _listing(self, folder: str) -> list[dict[str, object]]:
        """What is in a folder; the folder of the data in the folder of all."""
        here = [each for each in self.files if each.rpartition("/")[0] == folder]
        files: list[dict[str, object]] = [
            {"type": "file", "path": each, "size": len(self.files[each]), "oid": self._tag(each)} for each in here
        ]
        return files if folder else [*files, {"type": "directory", "path": "data", "size": 0, "oid": COMMIT}]

    def _file(self, path: str) -> None:
        if path in self.files:
            self._say(200, self.files[path], {"ETag": f'"{self._tag(path)}"', "X-Repo-Commit": COMMIT})
        else:
            self._say(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})

    def _tag(self, path: str) -> str:
        return hashlib.sha1(self.files[path], usedforsecurity=False).hexdigest()

    def _json(self, value: object) -> None:
        self._say(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _say(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""
