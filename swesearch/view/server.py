"""Serve the application on this machine: a socket of the loopback interface, a token that nobody can guess."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from pathlib import Path

import uvicorn

from swesearch.base import UsageError
from swesearch.view.app import application

LOOPBACK = "127.0.0.1"


def serve(home: Path, port: int, below: str, ready: Callable[[str], None]) -> None:
    """Serve the runs in `home` until interrupted; `ready` is told the address of the page `below` once it answers.

    Raises UsageError where the port is taken. Port 0 is any that is free.
    """
    token = secrets.token_urlsafe(18)
    listening = listen(port)
    address = f"http://{LOOPBACK}:{listening.getsockname()[1]}/{token}/{below}"
    # Streams that never end are not waited for.
    config = uvicorn.Config(
        application(home, token), log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=1, server_header=False
    )
    try:
        ready(address)  # the socket listens already: who comes at once is answered as soon as the server runs
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass  # the way to end it
    finally:
        listening.close()


def listen(port: int) -> socket.socket:
    """A socket of this machine only. Raises UsageError where the port is taken."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((LOOPBACK, port))
        listening.listen()
    except (OSError, OverflowError) as error:
        listening.close()
        raise UsageError(
            f"port {port} cannot be had ({error}): choose another with --port, or leave it out for any that is free"
        ) from error
    return listening
