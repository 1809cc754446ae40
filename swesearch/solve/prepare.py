"""What a search needs before it can begin: the states, the environment, the sandbox, and checks that are shown to fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandbox.base import Environment, Limits, Quota, Sandbox
from sandbox.choose import Choice, choose
from sandbox.environment import find
from swesearch.base import Check, State
from swesearch.runs import Run
from swesearch.solve.record import Record
from swesearch.store import Store
from swesearch.value.checks import CheckRun

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Bench:
    """The place where candidates are tried."""

    store: Store
    root: State
    sandbox: Sandbox
    fresh: Callable[[], Sandbox]  # another sandbox like it, with nothing in it that a candidate has seen
    checks: tuple[CheckRun, ...]
    variants: tuple[CheckRun, ...] = ()  # more tests of the same issue, written by a model: they compare candidates, and prove nothing

    def close(self) -> None:
        """Remove every box and leave the states readable with plain git."""
        self.sandbox.close()
        self.store.close()


def prepare(run: Run, record: Record, root: State | None) -> Bench:
    """Set everything up for `run`, whose root is known if it goes on. Raises UsageError or SandboxUnavailable."""
    store = Store.open(run.task.repo, run.store)
    root = root or store.root()
    settings = run.settings.sandbox
    record.show("phase", name="prepare", detail="looking for a sandbox and the repository's environment")
    choice = choose(settings.kind, lambda words: record.show("phase", name="prepare", detail=words))
    environment = _environment(run, store, root, choice, record)
    quota = Quota(memory=settings.memory * MEGABYTE, cpus=settings.cpus)
    sandbox = choice.make(environment, quota, run.settings.search.workers or None, run.id)
    if sandbox.name == "local":
        record.append("warning", text=choice.why)
    record.show("sandbox", name=sandbox.name, slots=sandbox.slots, why=f"{choice.why}; {environment.why}")
    limits = Limits(seconds=settings.seconds)
    checks = tuple(CheckRun(store, sandbox, root, check, limits, environment.why) for check in placed(run.task.checks, store, root))
    return Bench(store, root, sandbox, lambda: choice.make(environment, quota, 1, run.id), checks)


def _environment(run: Run, store: Store, root: State, choice: Choice, record: Record) -> Environment:
    settings = run.settings.sandbox
    files = store.files(root)
    found = find(
        store.copy.top,
        python=settings.python or None,
        image=settings.image or None,
        cache=run.folder.parent.parent / "environments",
        tracked=lambda path: path in files or any(name.startswith(f"{path}/") for name in files),
        say=lambda words: record.show("phase", name="prepare", detail=words),
        box=choice.box,
    )
    return choice.set_up(found, settings.setup, lambda: store.archive(root)) if settings.setup else found


def placed(checks: Sequence[Check], store: Store, root: State) -> tuple[Check, ...]:
    """The checks as seen from the repository's top, where the user named a folder below it."""
    return tuple(Check(tuple(_placed(word, store, root) for word in each.command)) for each in checks) if store.prefix else tuple(checks)


def _placed(word: str, store: Store, root: State) -> str:
    """A word of a check: a path is named from the top."""
    path = word.split("::")[0]
    below = str(Path(store.prefix) / path)
    known = any(name == below or name.startswith(f"{below}/") for name in store.files(root))
    return str(Path(store.prefix) / word) if path and not word.startswith("-") and known else word
