"""No isolation: the agent as a plain process, with limits on what a test uses by accident. Only where the user asks for it by name."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from sandbox.base import Environment, Quota
from sandbox.box import AGENT_COMMAND, PROBE, Box, agent_config, variables
from sandbox.owner import plain
from sandbox.pipe import PipeLink
from sandbox.pool import DEFAULT_QUOTA, PooledSandbox, default_slots, host_resources

WARNING = (
    "--sandbox local is no isolation: the code under test runs as you, on your machine, with your files and your network. "
    "Use it only on code you would run by hand."
)


class LocalSandbox(PooledSandbox):
    """Subprocesses with limits, each in a private temporary folder."""

    name = "local"

    def __init__(self, environment: Environment, quota: Quota = DEFAULT_QUOTA, slots: int | None = None, run: str = "") -> None:
        self._environment, self._quota, self._prefix = environment, quota, f"sandbox-{plain(run)}"
        super().__init__(self._launch, slots or default_slots(quota, *host_resources()))

    def _launch(self) -> Box:
        folder = Path(tempfile.mkdtemp(prefix=self._prefix))
        config = self._config(folder)
        return Box(FolderLink(folder), config)

    def _config(self, folder: Path) -> dict[str, object]:
        for name in ("work", "tmp"):
            (folder / name).mkdir()
        return agent_config(
            self._environment, self._quota, uid=None, work=str(folder / "work"), probe=str(PROBE), files={},
            scratch=[str(folder / "tmp")], keep=[], init=False, cgroup=False, filter=False,
            env=variables(self._environment, str(folder / "tmp"), str(PROBE)), modes={}, remove=[str(folder)],
        )  # fmt: skip


class FolderLink(PipeLink):
    """The agent as a child process, and its private folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        super().__init__([sys.executable, *AGENT_COMMAND], {})

    def kill(self) -> None:
        """End the agent and remove its folder."""
        super().kill()
        shutil.rmtree(self._folder, ignore_errors=True)
