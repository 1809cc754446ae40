"""Where attacks are run: a real repository, store and sandbox, and on the host what an attack would be after."""

from __future__ import annotations

import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.attack.base import PROJECT
from benchmarks.attack.git_vectors import repository
from sandbox.base import Limits, Quota, Sandbox
from sandbox.choose import choose
from sandbox.environment import find
from swesearch.base import Attempt, Candidate, Check, Create, Delete, Edit, Evaluation, Event, Replace, State, Verdict
from swesearch.journal import Journal
from swesearch.solve.finalists import Finals
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.store import Store
from swesearch.value.checks import CheckRun
from swesearch.value.hybrid import Hybrid
from swesearch.value.lint import Lint
from swesearch.value.parses import Parses
from swesearch.value.tests import Failing, Nearby

QUOTA = Quota(memory=512 << 20, workspace=64 << 20, temporary=32 << 20, inodes=5_000, processes=128, open_files=256)  # soon reached
LIMITS = Limits(seconds=30.0)  # candidates get a fifth of it
COMMAND = ("pytest", "-q", "test_deep.py")


@dataclass(frozen=True, slots=True)
class Host:
    """What an attack is after: a secret in another process and in a file, a file that is not its own, a listener."""

    token: str
    secret: Path
    outside: Path
    listener: socket.socket
    helper: subprocess.Popen[bytes]  # another process of the user's

    def words(self, outward: bool) -> Mapping[str, str]:
        """What payloads are told. `outward`: whether they may try what would reach other machines."""
        half = len(self.token) // 2
        return {
            "token": self.token, "half": self.token[:half], "other": self.token[half:], "secret": str(self.secret),
            "outside": str(self.outside), "port": str(self.listener.getsockname()[1]), "address": _address(),
            "outward": str(outward), "shared": "'/dev/shm'" if outward else "'.'",
        }  # fmt: skip

    def harm(self) -> str:
        """What was done to the host, "" for nothing."""
        if self.outside.read_bytes() != b"untouched\n":
            self.outside.write_bytes(b"untouched\n")
            return "a file outside the work tree was written"
        try:
            self.listener.accept()[0].close()
        except BlockingIOError:
            return ""
        return "a listener of the host was reached"


def _address() -> str:
    """An address of this machine that is not loopback, where there is one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


@contextmanager
def host(folder: Path) -> Iterator[Host]:
    """A host worth attacking, for as long as the context lasts."""
    token = secrets.token_hex(12)
    secret, outside = Path.home() / f".swesearch-attack-{token[:6]}", folder / "outside"
    outside.write_bytes(b"untouched\n")
    with ExitStack() as end:
        end.callback(secret.unlink, missing_ok=True)
        secret.write_text(f"KEY={token}\n")
        listener, abstract = (end.enter_context(socket.socket(family)) for family in (socket.AF_INET, socket.AF_UNIX))
        listener.bind(("0.0.0.0", 0))
        abstract.bind("\0" + token)
        for one in (listener, abstract):
            one.listen()
            one.setblocking(False)
        helper = subprocess.Popen(
            [sys.executable, "-c", "import time; time.sleep(3600)", f"helper-{token}"],
            env={"ATTACK_KEY": token},
            stdin=subprocess.DEVNULL,
        )
        end.callback(helper.wait)
        end.callback(helper.kill)
        yield Host(token, secret, outside, listener, helper)


class InOrder:
    """A discriminator that takes candidates as they come: who may be a finalist is not what is looked at here."""

    def pick(self, candidates: Sequence[Candidate]) -> Verdict:
        """Rank as given."""
        return Verdict(tuple(candidates))


class Ground:
    """A repository and a box of one backend, in which candidates are tried one after another."""

    def __init__(self, backend: str, folder: Path, run: str = "") -> None:
        """Raises SandboxUnavailable where the backend does not work."""
        choice = choose(backend)
        repo = repository(folder / "repo", PROJECT)
        self.run = run or f"attack-{secrets.token_hex(4)}"
        store = Store.open(repo, folder / "store.git")
        root = store.root()
        environment = find(
            repo,
            python=sys.executable,
            image=None,
            cache=folder / "environments",
            tracked=lambda _: False,
            say=lambda _: None,
            box=choice.box,
        )

        def make() -> Sandbox:
            return choice.make(environment, QUOTA, 1, self.run)

        sandbox = make()
        self.bench = Bench(store, root, sandbox, make, (CheckRun(store, sandbox, root, Check(COMMAND), LIMITS),))
        self._parses, self._lint = Parses(store, root), Lint(store, root)  # they do not depend on the box
        self.told: list[Event] = []
        self.journal = Journal.create(folder / "journal.sqlite")
        self.record = Record(self.journal, self.told.append)
        self.backend, self.repo = backend, repo
        self.root = root

    def state(self, files: Mapping[str, str | None]) -> State:
        """The root with files as a candidate leaves them. Raises EditError."""
        return self.bench.store.apply(self.root, edits(self.bench.store, self.root, files))

    def patch(self, state: State) -> bytes:
        """What a candidate changes."""
        return self.bench.store.diff(self.root, state)

    def evaluate(self, state: State) -> Evaluation:
        """What the search would make of it. Raises SandboxUnavailable."""
        return self.evaluator().evaluate(state, None)

    def evaluator(self) -> Hybrid:
        """The terms of a search without a model."""
        return Hybrid((self._parses, Failing(self.bench.checks), self._lint, Nearby(self.bench.checks)))

    def handed_over(self, state: State, evaluation: Evaluation) -> tuple[bool, str]:
        """Whether a candidate that was found to pass would be handed over, and what was said of it. Raises SandboxUnavailable."""
        finals = Finals(self.bench, self.evaluator(), InOrder(), self.record)
        self.told.clear()
        verdict = finals.run([Attempt(None, state, evaluation)], 1)
        said = [event.data["reasons"] for event in self.told if event.kind == "finalist"]
        return bool(verdict.ranking), "; ".join(reason for reasons in said for reason in reasons)

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """Work in a sandbox that nothing has run in, for as long as the context lasts."""
        before = self.bench
        sandbox = before.fresh()
        try:
            self.bench = replace(before, sandbox=sandbox, checks=(CheckRun(before.store, sandbox, self.root, Check(COMMAND), LIMITS),))
            yield
        finally:
            self.bench = before
            sandbox.close()

    def close(self) -> None:
        """Remove every box."""
        self.bench.close()
        self.journal.close()


def edits(store: Store, root: State, files: Mapping[str, str | None]) -> tuple[Edit, ...]:
    """The edits that leave `files` so."""
    there, made = store.files(root), list[Edit]()
    for path, text in sorted(files.items(), key=lambda item: item[1] is not None):
        if text is None:
            made.append(Delete(path))
        elif path in there:
            made.append(Replace(path, store.read(root, path), text.encode(), start=0))
        else:
            made.append(Create(path, text.encode()))
    return tuple(made)


def waited(done: Callable[[], bool], seconds: float) -> bool:
    """Whether `done` came true in time."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
