"""The repository's own test command, without our runner: what its author sees on a terminal.

It proves less than a run of ours (an exit status is easily faked), but by other means: what fools one does not fool the other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote

from sandbox.base import Command, Files, Limits, Result, Sandbox
from sandbox.commands import words_of

PASSED = re.compile(rb"(\d+) passed")
BAD = re.compile(rb"^(?:FAILED|ERROR) (.+?)(?: - .*)?$", re.MULTILINE)  # pytest's short summary
# What a box puts on the import path stays there.
WITH_PATH = 'PYTHONPATH={}"${{PYTHONPATH:+:$PYTHONPATH}}" exec "$@"'


@dataclass(frozen=True, slots=True)
class PlainRun:
    """How the command ended: what a person would read off its exit status and its last lines."""

    result: Result

    @property
    def passed(self) -> int | None:
        """How many tests pytest says have passed; None where it does not say."""
        found = PASSED.findall(self.result.stdout)
        return int(found[-1]) if found else None

    @property
    def bad(self) -> frozenset[str]:
        """The tests that pytest's summary names as failed."""
        return frozenset(name.decode("utf-8", "replace").strip() for name in BAD.findall(self.result.stdout))

    @property
    def words(self) -> str:
        """How it ended, in a few words."""
        return f"exit status {self.result.exit_code}" if self.result.status == "done" else self.result.status


def run_plain(sandbox: Sandbox, files: Files, command: Sequence[str], limits: Limits, path: str = "", *, plugins: bool = True) -> PlainRun:
    """Run `command` as it stands. Raises SandboxUnavailable.

    `path`, which has the command's own PYTHONPATH in it, and the work tree come first on the import path.
    `plugins`: whether those of the environment are loaded; where the tests do not need them that costs more than the tests.
    """
    env, argv = words_of(command)
    variables = {name: value for name, value in env if name != "PYTHONPATH"}
    variables |= {} if plugins else {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    whole = ("sh", "-c", WITH_PATH.format(_from_anywhere(path)), "sh", *argv)
    return PlainRun(sandbox.run(files, Command(whole, variables), limits))


def _from_anywhere(path: str) -> str:
    """An import path and the work tree, as a shell writes them: what a test starts in another folder finds the same modules."""
    here = '"$PWD"'
    return ":".join([*(quote(entry) if entry.startswith("/") else f"{here}/{quote(entry)}" for entry in path.split(":") if entry), here])
