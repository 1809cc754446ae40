"""A request to ask with, and a server that says whatever a test wants."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from swesearch.dialogue import Message, Request, Text, Tool

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"], "additionalProperties": False}
Saying = Callable[..., str]


@pytest.fixture
def ask() -> Request:
    """A question with a tool."""
    return Request("executor", "You mend bugs.", (Message("user", (Text("why?"),)),), (Tool("view", "Look at a file.", SCHEMA),))


@pytest.fixture
def saying() -> Iterator[Saying]:
    """`saying(status, body, header=value)` starts a server that says only that, and returns its address.

    `{key}` in it is the key it was sent; a function of the request says status and body anew each time.
    """
    servers: list[ThreadingHTTPServer] = []

    def start(status: int, body: Any, **headers: str) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(status, body, headers))
        servers.append(server)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _handler(status: int, body: Any, headers: dict[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            code, value = body(asked) if callable(body) else (status, body)
            text = value if isinstance(value, str) else json.dumps(value)
            said = text.replace("{key}", self.headers.get("authorization", "")).encode()
            self.send_response(code)
            for name, header in {"content-type": "application/json", **headers}.items():
                self.send_header(name.replace("_", "-"), header)
            self.send_header("content-length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler
