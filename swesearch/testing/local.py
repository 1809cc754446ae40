"""What every server of a test is: on 127.0.0.1, waited for at its end, where what went wrong in it is raised."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LocalServer(ThreadingHTTPServer):
    """Keeps the errors of its threads."""

    daemon_threads = False  # so that closing waits for them

    def __init__(self, port: int, handler: type[BaseHTTPRequestHandler]) -> None:
        self.errors: list[BaseException] = []
        super().__init__(("127.0.0.1", port), handler)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])

    @contextmanager
    def serving(self, name: str) -> Iterator[None]:
        """Answer in a thread of its own. Raises the first error at the end, unless there is another one."""
        thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, name=name)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()
        if self.errors:
            raise self.errors[0]

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - its signature
        """A client that went away is no error. Anything else is ours."""
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):
            self.errors.append(error)
            self.tell(request, error)

    def tell(self, request: Any, error: BaseException) -> None:
        """What the client hears of an error: nothing."""
