"""Where each side of a pull request is tried: its own environment, in the best sandbox there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.base import Environment, Quota
from sandbox.choose import Choice, choose
from sandbox.environment import find
from swesearch.github.bot.checkout import Revision
from swesearch.github.bot.trials import Side
from swesearch.settings import SandboxSettings
from swesearch.store import Store

MEGABYTE = 1 << 20


class Sides:
    """Makes the two sides, which share what is the same for both."""

    def __init__(self, store: Store, settings: SandboxSettings, home: Path, say: Callable[[str], None]) -> None:
        """Raises SandboxUnavailable where no sandbox works."""
        self._store, self._settings, self._home, self._say = store, settings, home, say
        self._choice: Choice = choose(settings.kind, say)
        self._quota = Quota(memory=settings.memory * MEGABYTE, cpus=settings.cpus)

    @contextmanager
    def side(self, revision: Revision) -> Iterator[Side]:
        """A side, whose box is removed at the end. Raises SandboxUnavailable."""
        environment = self._environment(revision)
        box = self._choice.make(environment, self._quota, 1, "review")
        self._say(f"{box.name}: {self._choice.why}; {environment.why}")
        try:
            yield Side(self._store, revision.state, box, lambda: self._choice.make(environment, self._quota, 1, "review"))
        finally:
            box.close()

    def _environment(self, revision: Revision) -> Environment:
        settings, files = self._settings, self._store.files(revision.state)
        found = find(
            revision.folder,
            python=settings.python or None,
            image=settings.image or None,
            cache=self._home / "environments",
            tracked=lambda path: path in files or any(name.startswith(f"{path}/") for name in files),
            say=self._say,
            box=self._choice.box,
            environ={},
        )
        return self._choice.set_up(found, settings.setup, lambda: self._store.archive(revision.state)) if settings.setup else found
