"""A server of the view, on a thread, as a process would run it."""

import re
import threading
from http.client import HTTPConnection

import pytest
import uvicorn

from benchmarks.made_up import MadeUp
from swesearch.view.app import application
from swesearch.view.server import listen

TOKEN = "a-token-of-a-test"


class Served:
    """A running server: its address, and plain requests to it."""

    def __init__(self, home, port):
        self.home, self.port = home, port
        self.base = f"http://127.0.0.1:{port}/{TOKEN}"

    def ask(self, path, method="GET", body=None, base=f"/{TOKEN}", **headers):
        """Status, headers and text of an answer."""
        link = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request(method, base + path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = link.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            link.close()


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Two finished runs in one home."""
    folder = tmp_path_factory.mktemp("runs")
    first = MadeUp(folder / "a", 30).make()
    second = MadeUp(folder / "b", 20, seed=1).make()
    home = folder / "a" / "home"
    second.folder.rename(home / "runs" / second.id)
    return home, first.id, second.id


@pytest.fixture
def serve():
    """Serve a home until the test is over."""
    running = []

    def start(home):
        socket = listen(0)
        config = uvicorn.Config(application(home, TOKEN), log_level="error", timeout_graceful_shutdown=1)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [socket]})
        thread.start()
        running.append((server, thread, socket))
        return Served(home, socket.getsockname()[1])

    yield start
    for server, thread, socket in running:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
        socket.close()


def story(text):
    """The data of a page."""
    return re.search(r'<script type="application/json" id="story">(.*?)</script>', text, re.S)[1]
