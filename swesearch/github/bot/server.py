"""The webhook server: takes deliveries that GitHub signed, puts them into the queue, and answers at once. No framework is needed."""

from __future__ import annotations

import json
import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from swesearch.base import SwesearchError, UsageError
from swesearch.github.bot.queue import Queue
from swesearch.github.bot.webhook import LARGEST, May, genuine, job_of

CONNECTIONS = 32  # at once; more are closed, and GitHub shows them as failed
PATIENCE = 10.0  # seconds for one read of a slow client
DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")


class Server(ThreadingHTTPServer):
    """Answers on /webhook and /health. `serve_forever` runs it, `shutdown` ends it."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], secret: bytes, queue: Queue, may_command: May) -> None:
        """Raises UsageError where the secret is short or the address is taken."""
        if len(secret) < 16:
            raise UsageError("the secret of the webhook needs 16 characters or more: set SWESEARCH_WEBHOOK_SECRET, and the same at GitHub")
        self.secret, self.queue, self.may_command = secret, queue, may_command
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        try:
            super().__init__(address, _Handler)
        except OSError as error:
            raise UsageError(f"cannot listen on {address[0]}:{address[1]}: {error.strerror}") from error

    def process_request(self, request: Any, client_address: Any) -> None:
        """A thread for each connection, up to a limit."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """As above, and one more is free afterwards."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away, or was too slow, is nothing to tell of."""


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = PATIENCE
    server_version, sys_version = "swesearch", ""

    def do_GET(self) -> None:
        if self.path == "/health":
            self._answer(HTTPStatus.OK, {"status": "ok", "jobs": self.server.queue.counts()})
        else:
            self._answer(HTTPStatus.NOT_FOUND, {"error": "there is /webhook and /health"})

    def do_POST(self) -> None:
        try:
            self._answer(*self._delivered())
        except UsageError as error:
            self._answer(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except SwesearchError as error:  # whether somebody may give commands could not be asked: GitHub can deliver it again
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE, {"error": str(error)})

    def _delivered(self) -> tuple[HTTPStatus, dict[str, object]]:
        """Take a delivery. The body is read only up to its limit, and believed only with its signature."""
        length = self.headers.get("Content-Length", "")
        if self.path != "/webhook":
            return HTTPStatus.NOT_FOUND, {"error": "there is /webhook and /health"}
        if not length.isdecimal():
            return HTTPStatus.LENGTH_REQUIRED, {"error": "a delivery says how long it is"}
        if int(length) > LARGEST:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, {"error": f"no more than {LARGEST} bytes"}
        body = self.rfile.read(int(length))
        if not genuine(self.server.secret, body, self.headers.get("X-Hub-Signature-256", "")):
            return HTTPStatus.UNAUTHORIZED, {"error": "the signature is not that of this secret"}
        return self._taken(body)

    def _taken(self, body: bytes) -> tuple[HTTPStatus, dict[str, object]]:
        delivery, event = self.headers.get("X-GitHub-Delivery", ""), self.headers.get("X-GitHub-Event", "")
        if not DELIVERY.fullmatch(delivery):
            raise UsageError("a delivery has an id")
        job = job_of(event, body, self.server.may_command)
        if not self.server.queue.accept(delivery, job):
            return HTTPStatus.OK, {"taken": "before"}
        return HTTPStatus.ACCEPTED, {"taken": job.kind if job else "nothing to do"}

    def _answer(self, status: HTTPStatus, body: dict[str, object]) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(data))), ("Connection", "close")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: what was delivered is in the queue."""
