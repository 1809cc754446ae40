"""A provider behind a real socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any

from swesearch.dialogue import Usage

from .cards import CARDS, Card
from .faults import CutStream, Dropped, Fault, Faults, SlowStream, TruncatedJson, in_order
from .local import LocalServer
from .service import Response, Seen, Service
from .words import Brain, compact


class FakeProvider:
    """A provider on 127.0.0.1, from `with` on until its end, where it raises what a brain raised.

    `key` is the only one let in (None: any, but there must be one), `models` are those it knows, `largest` is the limit of a
    request in bytes. `faults` go to model calls in order, or are found by the number of the call, from 1.
    """

    def __init__(
        self,
        brain: Brain,
        *,
        faults: Iterable[Fault | None] | Faults = (),
        key: str | None = None,
        models: Mapping[str, Card] = CARDS,
        largest: int = 32 * 1024 * 1024,
        port: int = 0,
    ):
        self._service = Service(brain, faults if callable(faults) else in_order(faults), key, models, largest)
        self._port = port

    def __enter__(self) -> FakeProvider:
        self._server = _Server(self._port, self._service)
        self._serving = self._server.serving("provider")
        self._serving.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._serving.__exit__(kind, error, trace)

    @property
    def url(self) -> str:
        """Where it listens. Clients of the OpenAI dialect want `/v1` behind it."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def requests(self) -> list[Seen]:
        """Every request so far, in the order in which answers were ready."""
        return list(self._service.seen)

    @property
    def usage(self) -> Usage:
        """Tokens of all requests so far."""
        used = [seen.usage for seen in self.requests]
        return Usage(*(sum(getattr(usage, kind) for usage in used) for kind in ("input", "output", "cache_read", "cache_write")))

    @property
    def cached(self) -> float:
        """The share of input tokens read from the cache; 0 where there was no input."""
        usage = self.usage
        return usage.cache_read / max(1, usage.total - usage.output)

    def advance(self, seconds: float) -> None:
        """Let time pass for the prompt cache. It has a clock of its own, which only this moves."""
        self._service.cache.advance(seconds)


class _Server(LocalServer):
    request_queue_size = 128

    def __init__(self, port: int, service: Service):
        self.service = service
        self.closing = threading.Event()
        self._open: set[Any] = set()
        self._lock = threading.Lock()
        super().__init__(port, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Hang up on everybody, and wait for their threads."""
        self.closing.set()
        with self._lock:
            for connection in self._open:
                _hang_up(connection)
        super().server_close()

    def tell(self, request: Any, error: BaseException) -> None:
        """It is the brain's, or ours: the client is told not to try again."""
        body = compact({"type": "error", "error": {"type": "api_error", "message": f"the brain failed: {error!r}"}}).encode()
        head = f"HTTP/1.1 500 Brain Failed\r\nx-should-retry: false\r\nconnection: close\r\ncontent-length: {len(body)}\r\n\r\n"
        with suppress(OSError):  # it went away meanwhile
            request.sendall(head.encode() + body)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):  # it went away by itself
        connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each call waits 40 ms for an acknowledgement
    wbufsize = 1 << 16  # head and body go out together
    server: _Server

    def do_GET(self) -> None:
        self._respond(b"")

    def do_POST(self) -> None:
        self._respond(self.rfile.read(int(self.headers.get("content-length", 0))))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: the log of requests is `FakeProvider.requests`."""

    def _respond(self, raw: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        response = self.server.service.handle(self.command, self.path, headers, raw)
        if isinstance(response.fault, Dropped):
            self.close_connection = True
            return
        self._start(response)
        (self._stream if response.stream else self._whole)(response)

    def _start(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)

    def _whole(self, response: Response) -> None:
        body = response.pieces[0]
        if isinstance(response.fault, SlowStream):
            self.server.closing.wait(response.fault.seconds)
        if isinstance(response.fault, TruncatedJson):
            body = body[: len(body) // 2]
        self.send_header("content-length", str(len(body)))
        cut = isinstance(response.fault, CutStream)
        self._send(body[: len(body) // 2] if cut else body)
        self.close_connection = self.close_connection or cut

    def _stream(self, response: Response) -> None:
        self.send_header("transfer-encoding", "chunked")
        pieces = list(response.pieces)
        match response.fault:
            case SlowStream(seconds):
                return self._slowly(pieces, seconds)
            case CutStream(events):
                self._send(b"".join(map(_chunk, pieces[:events])))
                self.close_connection = True
                return None
            case TruncatedJson():
                pieces[-2] = pieces[-2][: len(pieces[-2]) // 2] + b"\n\n"
        return self._send(b"".join(map(_chunk, [*pieces, b""])))

    def _slowly(self, pieces: Iterable[bytes], seconds: float) -> None:
        self._send(b"")
        for piece in [*pieces, b""]:
            self.wfile.flush()
            self.server.closing.wait(seconds)
            self.wfile.write(_chunk(piece))

    def _send(self, body: bytes) -> None:
        self.end_headers()
        self.wfile.write(body)


def _chunk(piece: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(piece), piece)
