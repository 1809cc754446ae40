"""`swesearch bot serve`: put the server, its queue and its workers together, and end them gently."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from swesearch.base import UsageError
from swesearch.cli.options import home_folder
from swesearch.cli.reviewing import How
from swesearch.cli.running import interruptible
from swesearch.github.access import connect, find_access
from swesearch.github.base import Api, permission
from swesearch.github.bot.queue import Queue
from swesearch.github.bot.server import Server
from swesearch.github.bot.webhook import writers
from swesearch.github.bot.worker import SECRET, Worker
from swesearch.settings import load


def serve(host: str, port: int, github: str, workers: int, how: How) -> int:
    """Serve until SIGTERM or Ctrl-C. Returns the exit code. Raises UsageError for what is missing."""
    home = home_folder(how.home, os.environ) / "bot"
    access = find_access(github, os.environ)
    if not access.token:
        raise UsageError(f"there is no token for {github}: set GITHUB_TOKEN")
    api = connect(access)
    settings = load(None, os.environ, how.preset, how.given, how.flags())
    with _queue(home) as queue, _server((host, port), queue, api) as server, interruptible() as ending:
        print(f"listening on http://{host}:{server.server_port}/webhook", flush=True)
        worker = Worker(queue, api, access, home, settings, how.options(), ending)
        with ThreadPoolExecutor(workers, "worker") as pool:
            running = [pool.submit(worker.run) for _ in range(workers)]
            ending.wait()
    print("ended; what was under way goes on with the next start", file=sys.stderr)
    for each in running:
        each.result()  # raises what a worker broke down of
    return 0


@contextmanager
def _queue(home: Path) -> Iterator[Queue]:
    queue = Queue(home / "queue.sqlite")
    try:
        yield queue
    finally:
        queue.close()


@contextmanager
def _server(address: tuple[str, int], queue: Queue, api: Api) -> Iterator[Server]:
    """The server in a thread of its own."""
    secret = os.environ.get(SECRET, "").encode()
    server = Server(address, secret, queue, writers(lambda repository, login: permission(api, repository, login)))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, name="webhook")
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
