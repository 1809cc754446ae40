"""A stand-in for a GitHub server: REST over HTTP, git over HTTP, pictures; all real, on 127.0.0.1, and it remembers.

    with GitHub(tmp_path / "server") as github:
        hub = github.repository("octo/calc", source_folder, roles={"maintainer": "write"})
        github.account("a-token", "maintainer")
        number = hub.issue("It subtracts", "total([1]) is -1")
        access = Access(github.host, github.api_url, github.url, "a-token")     # swesearch.github.access
        Client(access).get("repos/octo/calc/issues/1")
        github.faults.append(Answer(502))          # the next requests to the API are answered with these
        github.requests[-1].method, .path, .body, .status, .answer

Pull requests read their shas from the branches, so pushing to the bare repository (`hub.git.folder`) is what a contributor does.
"""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

from .github_api import Answer, answer, refusal
from .github_git import http_backend
from .github_shapes import Json, Shapes
from .github_state import RIGHTS, WRITERS, Account, Hub, World
from .local import LocalServer

__all__ = ["Answer", "GitHub", "Hub"]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request, and what became of it."""

    method: str
    path: str  # with its query
    headers: dict[str, str] = field(repr=False)
    body: Json
    status: int
    answer: object


class GitHub:
    """A server on 127.0.0.1, from `with` on until its end, where it raises what went wrong in itself."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.requests: list[Seen] = []  # to the API
        self.git_requests: list[Seen] = []
        self.faults: list[Answer | None] = []  # in order, for the next requests to the API; None: as usual

    def __enter__(self) -> GitHub:
        self._server = _Server(self)
        self.host = f"127.0.0.1:{self._server.port}"
        self.url = f"http://{self.host}"
        self.api_url = f"{self.url}/api/v3"
        self.world = World(self._root, Shapes(self.url))
        self._serving = self._server.serving("github")
        self._serving.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._serving.__exit__(kind, error, trace)

    def account(self, token: str, login: str, rights: frozenset[str] = RIGHTS) -> None:
        """Let a token stand for somebody; `rights` are what it may write."""
        self.world.accounts[token] = Account(login, rights)

    def repository(self, name: str, source: Path, **more: Any) -> Hub:
        """Put a copy of a git repository on the server."""
        return self.world.repository(name, source, **more)

    def attach(self, name: str, content: bytes) -> str:
        """The address of a picture that somebody pasted into an issue."""
        self.world.attachments[name] = content
        return f"{self.url}/user-attachments/assets/{name}"

    def handle(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body for any request."""
        if path.startswith("/api/v3/"):
            return self._api(method, path, headers, raw)
        name = urlsplit(path).path.removeprefix("/user-attachments/assets/")
        if name in self.world.attachments:
            return 200, {"content-type": "image/png"}, self.world.attachments[name]
        return self._git(method, path, headers, raw) if ".git/" in path else (404, {}, b"")

    def _api(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        body = json.loads(raw) if raw else {}
        token = headers.get("authorization", "").partition(" ")[2]
        said = self.faults.pop(0) if self.faults else None
        if said is None and token and token not in self.world.accounts:
            said = refusal(401, "Bad credentials")
        said = said or answer(self.world, method, path, self.world.accounts.get(token), body)
        self.requests.append(Seen(method, path, headers, body, said.status, said.body))
        limits = {"x-ratelimit-limit": "5000", "x-ratelimit-remaining": "4000", "x-ratelimit-reset": "1714564800"}
        content = b"" if said.body is None else json.dumps(said.body).encode()
        return said.status, {"content-type": "application/json; charset=utf-8", **limits, **(said.headers or {})}, content

    def _git(self, method: str, path: str, headers: dict[str, str], raw: bytes) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(path)
        account = self.world.accounts.get(_password(headers))
        self.git_requests.append(Seen(method, path, headers, {}, 0, None))
        hub = self.world.visible(parts.path.lstrip("/").partition(".git/")[0], account)
        pushes = "git-receive-pack" in path
        if hub is None or (pushes and account is None):
            return 401, {"www-authenticate": 'Basic realm="GitHub"'}, b""
        if pushes and account and (hub.role(account.login) not in WRITERS or "contents" not in account.rights):
            return 403, {"content-type": "text/plain"}, f"Permission to {hub.name}.git denied to {account.login}.".encode()
        status, answered, content = http_backend(
            self._root, method, parts.path, parts.query, headers, raw, account.login if account else ""
        )
        return status, dict(answered), content


def _password(headers: dict[str, str]) -> str:
    kind, _, value = headers.get("authorization", "").partition(" ")
    return base64.b64decode(value).decode().partition(":")[2] if kind.lower() == "basic" else ""


class _Server(LocalServer):
    def __init__(self, github: GitHub) -> None:
        self.github = github
        self.lock = threading.Lock()
        super().__init__(0, _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"  # one request for each connection: nothing is left open at the end
    server: _Server

    def do_GET(self) -> None:
        self._respond()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the log is `GitHub.requests`."""

    def _respond(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        content = self._body(headers)
        with self.server.lock:  # one thing after another: the state needs no more care than that
            status, answered, body = self.server.github.handle(self.command, self.path, headers, content)
        self.send_response(status)
        for name, value in {**answered, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("transfer-encoding", "").lower() != "chunked":
            return self.rfile.read(int(headers.get("content-length") or 0))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)
