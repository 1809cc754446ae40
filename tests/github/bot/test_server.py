"""The webhook on a real socket: forged, repeated, oversized and slow deliveries among them."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from swesearch.base import UsageError
from swesearch.github.base import GitHubUnavailable, Repository
from swesearch.github.bot.queue import Queue
from swesearch.github.bot.server import Server
from swesearch.github.bot.webhook import LARGEST

SECRET = b"a secret of some length"
PAYLOADS = Path(__file__).parent / "payloads"
PULL = (PAYLOADS / "pull_request.json").read_bytes()


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[Queue]:
    made = Queue(tmp_path / "queue.sqlite")
    yield made
    made.close()


@pytest.fixture
def server(queue: Queue) -> Iterator[Server]:
    def may(_repository: Repository, login: str) -> bool:
        if login == "unreachable":
            raise GitHubUnavailable("GitHub could not be asked")
        return True

    made = Server(("127.0.0.1", 0), SECRET, queue, may)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


Answer = tuple[int, dict[str, Any]]
Deliver = Callable[..., Answer]


@pytest.fixture
def deliver(server: Server) -> Deliver:
    def send(body: bytes = PULL, event: str = "pull_request", delivery: str = "d-1", path: str = "/webhook", **headers: str) -> Answer:
        signed = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
        sent = {"X-Hub-Signature-256": signed, "X-GitHub-Event": event, "X-GitHub-Delivery": delivery}
        connection.request("POST", path, body, {**sent, **{name.replace("_", "-"): value for name, value in headers.items()}})
        answer = connection.getresponse()
        found = answer.status, json.loads(answer.read())
        connection.close()
        return found

    return send


def test_a_genuine_delivery_is_put_into_the_queue(deliver: Deliver, queue: Queue) -> None:
    assert deliver() == (202, {"taken": "review"})
    assert queue.counts() == {"waiting": 1}


def test_the_same_delivery_twice_at_once_is_one_job(deliver: Deliver, queue: Queue) -> None:
    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(status for status, _ in pool.map(lambda _: deliver(), range(8)))
    assert statuses == [200] * 7 + [202]
    assert queue.counts() == {"waiting": 1}


def test_a_forged_signature_is_turned_away_whatever_it_brings(deliver: Deliver, queue: Queue) -> None:
    for signature in ("", "sha256=" + "0" * 64, "sha1=" + "0" * 40, "none"):
        assert deliver(X_Hub_Signature_256=signature)[0] == 401
    assert queue.counts() == {}


def test_a_body_that_is_too_long_is_not_read(server: Server, queue: Queue) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as wire:
        wire.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (LARGEST + 1))
        assert b" 413 " in wire.recv(100)
    assert queue.counts() == {}


@pytest.mark.parametrize("length", [b"", b"Content-Length: -1\r\n", b"Content-Length: 1e3\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_a_body_without_a_length_is_not_read(server: Server, length: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=5) as wire:
        wire.sendall(b"POST /webhook HTTP/1.1\r\nHost: x\r\n" + length + b"\r\n")
        assert b" 411 " in wire.recv(100)


@pytest.mark.parametrize("delivery", ["", "x" * 65, "a b", "../../x"])
def test_a_delivery_without_a_decent_id_is_refused(deliver: Deliver, delivery: str) -> None:
    assert deliver(delivery=delivery)[0] == 400


def test_what_is_signed_but_not_of_the_right_form_is_refused(deliver: Deliver, queue: Queue) -> None:
    assert deliver(b"{}")[0] == 400
    assert queue.counts() == {}


def test_a_ping_is_nothing_to_do(deliver: Deliver) -> None:
    assert deliver((PAYLOADS / "ping.json").read_bytes(), "ping") == (202, {"taken": "nothing to do"})


def test_where_github_cannot_be_asked_the_delivery_can_come_again(deliver: Deliver, queue: Queue) -> None:
    said = json.loads((PAYLOADS / "issue_comment.json").read_bytes())
    said["issue"]["pull_request"] = {}
    said["comment"]["body"] = "/swesearch retry"

    def by(login: str) -> bytes:
        said["comment"]["user"]["login"] = said["sender"]["login"] = login
        return json.dumps(said).encode()

    assert deliver(by("unreachable"), "issue_comment")[0] == 503
    assert deliver(by("maintainer"), "issue_comment") == (202, {"taken": "review"})


def test_health_tells_how_much_there_is_to_do(deliver: Deliver, server: Server) -> None:
    deliver()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", "/health")
    answer = connection.getresponse()
    assert (answer.status, json.loads(answer.read())) == (200, {"status": "ok", "jobs": {"waiting": 1}})
    connection.close()
    assert deliver(path="/elsewhere")[0] == 404


def test_clients_that_say_nothing_do_not_stop_the_others(deliver: Deliver, server: Server) -> None:
    silent = [socket.create_connection(("127.0.0.1", server.server_port), timeout=5) for _ in range(10)]
    assert deliver()[0] == 202
    for wire in silent:
        wire.close()


def test_a_short_secret_and_a_taken_address_are_refused_in_one_line(queue: Queue, server: Server) -> None:
    with pytest.raises(UsageError, match="16 characters"):
        Server(("127.0.0.1", 0), b"short", queue, lambda _repository, _login: True)
    with pytest.raises(UsageError, match="cannot listen"):
        Server(("127.0.0.1", server.server_port), SECRET, queue, lambda _repository, _login: True)
