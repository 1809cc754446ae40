"""Steps on many machines, by Ray: one task per step, one Docker slot each. A step whose worker or node dies is tried again elsewhere.

Journals live on the disk of the node that searches. While a step runs, its node sends what is new in them, every second, through
a mailbox (an actor) to the driver, which keeps the same journal in the results folder. A step that is tried again gets that copy
along, so that any node can go on: what can be lost is what a dead node had not sent yet.
"""

from __future__ import annotations

import itertools
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.swebench.base import BenchError, Instance
from benchmarks.swebench.ray_journals import Row, Sent, gradings, journals, keep, keep_files, restore
from benchmarks.swebench.workers import Life, Step, StepFailed, Tell, WorkerDied, carried_out
from sandbox.base import SandboxUnavailable
from swesearch.cli.options import home_folder

SLOT = "docker"  # the resource of which a node has as many as it may run steps at once
HEAD = {"node:__internal_head__": 0.001}  # where the mailbox is: a cluster does not outlive its head, but may lose any other node
EVERY = 1.0  # seconds between two letters
ROOT = Path(__file__).parents[2]
PATIENCE = 5.0  # seconds for an address to answer
HOW = "start a node with `ray start --head --resources='{\"docker\": 4}'` (see docs/scaling.md)"
TOKEN = "A cluster that asks for a token needs RAY_AUTH_MODE=token and the same token here"


@dataclass(slots=True)
class Call:
    """A step that is under way: who hears what it tells, and where its journals are kept."""

    tell: Tell
    home: Path
    begun: bool = False
    ref: Any = None


@dataclass(slots=True)
class Letter:
    """What a step has to say since its last letter."""

    call: int
    told: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)


class Mailbox:
    """An actor: steps put letters in, the driver takes them out. Its answer tells a step whether to stop."""

    def __init__(self) -> None:
        self._letters: list[Letter] = []
        self._stopping = False

    def put(self, letter: Letter) -> bool:
        """Leave a letter. Returns whether the step is to stop."""
        self._letters.append(letter)
        return self._stopping

    def take(self) -> list[Letter]:
        """All letters since the last time."""
        taken, self._letters = self._letters, []
        return taken

    def stop(self) -> None:
        """Every step is to stop."""
        self._stopping = True


class RayEngine:
    """An engine of all nodes that offer Docker slots. `address`: "ray" for $RAY_ADDRESS or, without it, this machine; or ray://HOST:PORT."""

    def __init__(self, address: str, folder: Path, slots: int | None) -> None:
        self._ray = _connected(address, slots)
        self._folder, self._key = folder, sha256(f"{socket.gethostname()}:{folder.resolve()}".encode()).hexdigest()[:12]
        try:
            self.slots = slots or _offered(self._ray)
            self._mailbox = self._ray.remote(num_cpus=0, resources=HEAD)(Mailbox).remote()
            self._remote = self._ray.remote(num_cpus=0, resources={SLOT: 1}, max_retries=0)(_work)
            self._calls: dict[int, Call] = {}
            self._numbers = itertools.count()
            self._lock, self._ended = threading.Lock(), threading.Event()
            self.sweep()
        except BaseException:
            self._ray.shutdown()
            raise
        self._postman = threading.Thread(target=self._rounds, daemon=True)
        self._postman.start()

    def call(self, step: Step, instance: Instance, tell: Tell) -> Any:
        """Carry a step out on the node that has a slot free."""
        home = self._folder / instance.id
        number, call = next(self._numbers), Call(tell, home)
        with self._unavailable():
            with self._lock:
                self._calls[number] = call
            try:
                call.ref = self._remote.remote(step, instance, self._mailbox, number, self._key, list(journals(home)))
                (kind, value), files = self._ray.get(call.ref)
                self._collect()
                keep_files(self._folder, files)
            finally:
                with self._lock:
                    del self._calls[number]
        if kind == "failed":
            raise StepFailed(value)
        return value

    def interrupt(self) -> None:
        """Ask every step to stop; those that have not begun are taken back."""
        with self._lock, suppress(self._ray.exceptions.RayError, ConnectionError):
            self._mailbox.stop.remote()
            for call in self._calls.values():
                if call.ref is not None and not call.begun:
                    self._ray.cancel(call.ref)

    def close(self) -> None:
        """Sweep every node and let go of the cluster. Steps that still run are ended by it."""
        self._ended.set()
        self._postman.join()
        with suppress(self._ray.exceptions.RayError, ConnectionError, SandboxUnavailable):
            self.sweep()
        self._ray.shutdown()

    def sweep(self) -> None:
        """Remove on every node the containers whose owner is dead."""
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        task = self._ray.remote(num_cpus=0, max_retries=0)(_sweep)
        nodes = [node["NodeID"] for node in self._ray.nodes() if node["Alive"] and node["Resources"].get(SLOT)]
        refs = [task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote() for node in nodes]
        self._ray.wait(refs, num_returns=len(refs), timeout=60) if refs else None

    def _rounds(self) -> None:
        while not self._ended.wait(EVERY):
            with suppress(self._ray.exceptions.RayError, ConnectionError):  # the calls tell of it
                self._collect()

    def _collect(self) -> None:
        """Take the letters: what is told goes to the view, what is new in journals into the results folder."""
        with self._lock:
            for letter in self._ray.get(self._mailbox.take.remote()):
                if call := self._calls.get(letter.call):  # else it comes from a worker that is believed dead
                    call.begun = True
                    keep(call.home, letter.rows)
                    for words in letter.told:
                        call.tell(words)

    @contextmanager
    def _unavailable(self) -> Iterator[None]:
        """Ray's errors as ours."""
        try:
            yield
        except self._ray.exceptions.RayError as error:
            raise WorkerDied(_last_line(error)) from error
        except ConnectionError as error:
            raise StepFailed(f"the Ray cluster cannot be reached any more: {_last_line(error)}") from error


def _work(step: Step, instance: Instance, mailbox: Any, call: int, key: str, rows: list[Row]) -> tuple[tuple[str, Any], dict[str, bytes]]:
    """A task on a node: what came of the step, and the records of its gradings."""
    home = home_folder(None, os.environ) / "swebench" / key / instance.id
    restore(home, rows)
    reporter = _Reporter(mailbox, call, home)
    with reporter:
        return carried_out(step, instance, home, Life(reporter.tell, reporter.stop)), gradings(home)


class _Reporter:
    """Sends letters while a step runs, and a last one when it has ended."""

    def __init__(self, mailbox: Any, call: int, home: Path) -> None:
        self.stop = threading.Event()
        self._mailbox, self._call, self._home = mailbox, call, home
        self._told: list[str] = []
        self._sent = Sent(home)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._rounds, daemon=True)

    def tell(self, words: str) -> None:
        """Put something into the next letter."""
        self._told.append(words)

    def __enter__(self) -> _Reporter:
        self._send()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._send()

    def _rounds(self) -> None:
        import ray

        while not self._ended.wait(EVERY):
            try:
                self._send()
            except ray.exceptions.RayError:  # the driver is gone, or its machine
                self.stop.set()

    def _send(self) -> None:
        import ray

        told, self._told = self._told, []
        if ray.get(self._mailbox.put.remote(Letter(self._call, told, list(self._sent.new())))):
            self.stop.set()


def _sweep() -> int:
    from sandbox.docker import connect, sweep

    with suppress(SandboxUnavailable):  # a node without an engine has no containers
        client = connect()
        try:
            return sweep(client)
        finally:
            client.close()
    return 0


def _connected(address: str, slots: int | None) -> Any:
    """The ray module, connected. Raises BenchError, within seconds where nobody answers."""
    try:
        import ray
    except ImportError as error:
        raise BenchError("--on ray needs Ray: pip install 'swesearch[ray]'") from error
    given = os.environ.get("RAY_ADDRESS", "") if address == "ray" else address
    if given not in ("", "auto"):
        _answers(given)
    options: dict[str, Any] = {"address": given or "local", "log_to_driver": False, "logging_level": "error"}
    if not given:
        cpus = slots or os.cpu_count() or 1
        options |= {"num_cpus": cpus, "resources": {SLOT: cpus}, "include_dashboard": False}
    if given.startswith("ray://"):  # the nodes run the code of the driver
        options["runtime_env"] = {"py_modules": [str(ROOT / name) for name in ("benchmarks", "sandbox", "swesearch")]}
    try:
        ray.init(**options)
    except (ConnectionError, RuntimeError, ValueError) as error:  # no Ray behind that port; another version of Ray or Python
        raise BenchError(f"--on {address}: {_last_line(error)}. {TOKEN}. To have a cluster, {HOW}") from error
    return ray


def _answers(address: str) -> None:
    parts = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise BenchError(f"--on {address}: is no address of a Ray cluster, such as ray://HOST:10001")
    try:
        socket.create_connection((host, port), timeout=PATIENCE).close()
    except OSError as error:
        raise BenchError(f"--on {address}: nobody answers there ({error}). To have a cluster, {HOW}") from error
    if parts.scheme == "ray" and not _speaks(f"{host}:{port}"):
        raise BenchError(f"--on {address}: what answers there is no Ray cluster; the port is 10001 unless it was set otherwise")


def _speaks(place: str) -> bool:
    """Whether a gRPC server answers there, as Ray's own client would try to find out for half a minute."""
    import grpc  # type: ignore[import-untyped]  # comes with ray[client]

    channel = grpc.insecure_channel(place)
    try:
        grpc.channel_ready_future(channel).result(timeout=PATIENCE)
    except grpc.FutureTimeoutError:
        return False
    finally:
        channel.close()
    return True


def _offered(ray: Any) -> int:
    """The Docker slots of all nodes. Raises BenchError where there are none."""
    found = int(ray.cluster_resources().get(SLOT, 0))
    if not found:
        raise BenchError(f"no node of the Ray cluster offers Docker slots: {HOW}")
    return found


def _last_line(error: BaseException) -> str:
    rows = [row.strip() for row in str(error).splitlines() if row.strip()]
    return f"{type(error).__name__}: {rows[-1] if rows else 'no reason given'}"
