"""The place an executor works in: one state of the code, the edits made to it, and a sandbox to try things in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sandbox.base import Command, Files, Limits, Result, Sandbox
from swesearch.agents.clean import printed, shortened, visible
from swesearch.base import Edit, EditError, State
from swesearch.store import SUBMODULE, SYMLINK, Store
from swesearch.store.paths import encode as path_bytes

LIMITS = Limits(seconds=60.0, output=1 << 16)
SHOWN = 12_000  # characters of one output that a model is shown
NEAR = 5  # paths that are named where one was not found
ENDS = {
    "timeout": "stopped: it took too long",
    "memory": "stopped: it used too much memory",
    "tampered": "stopped: it tampered with the sandbox",
}


class Workspace:
    """A node's code while an executor works on it. For one thread.

    Every edit goes through the store, so it fits exactly or says why; none goes through a shell. Commands run in a clean copy
    inside the sandbox: what they write is gone afterwards.
    """

    def __init__(
        self,
        store: Store,
        sandbox: Sandbox,
        state: State,
        files: Callable[[State], Files],
        check: Callable[[State], str],
        forbidden: Callable[[str], str],
        limits: Limits = LIMITS,
    ) -> None:
        """`files`: a state as the sandbox takes it. `check`: how the check ends on one. `forbidden`: why a path may not be changed."""
        self.store = store
        self.start = state
        self.checked: State | None = None  # the state that was checked last
        self._sandbox, self._files, self._check, self._forbidden, self._limits = sandbox, files, check, forbidden, limits
        self._made: list[tuple[Edit, State]] = []

    @property
    def state(self) -> State:
        """The code as it is now."""
        return self._made[-1][1] if self._made else self.start

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits that lead from `start` to `state`."""
        return tuple(edit for edit, _ in self._made)

    def edit(self, edit: Edit) -> None:
        """Carry out one edit. Raises EditError where it does not fit or the path may not be changed."""
        state = self.store.apply(self.state, [edit])
        for path in dict.fromkeys((edit.path, getattr(edit, "to", edit.path))):
            if reason := self._forbidden(path):
                raise EditError(f"{path} may not be changed: {reason}")
        self._made.append((edit, state))

    def undo(self) -> Edit:
        """Take the last edit back. Raises EditError where there is none."""
        if not self._made:
            raise EditError("there is no edit to take back")
        return self._made.pop()[0]

    def read(self, path: str) -> bytes:
        """A file's bytes. Raises EditError where there is no such file, naming files that may be meant."""
        entry = self.store.files(self.state).get(path)
        if entry is None:
            raise EditError(f"{path}: there is no such file{self._meant(path)}")
        if entry.mode == SYMLINK:
            raise EditError(f"{path}: this is a symbolic link to {visible(self.store.read(self.state, path))}")
        if entry.mode == SUBMODULE:
            raise EditError(f"{path}: this is a submodule; its files are not part of the repository")
        return self.store.read(self.state, path)

    def paths(self, folder: str = "") -> Sequence[str]:
        """The files below a folder, in order; all of them for "". Raises EditError where there is neither folder nor file."""
        names = sorted(self.store.files(self.state), key=path_bytes)
        found = [name for name in names if not folder or name == folder or name.startswith(f"{folder}/")]
        if not found:
            raise EditError(f"{folder}: there is no such file or folder{self._meant(folder)}")
        return found

    def diff(self, since: State | None = None) -> str:
        """The change from `since` (else from the start) to the code as it is now, as a patch."""
        return visible(self.store.diff(since or self.start, self.state))

    def execute(self, *argv: str) -> Result:
        """Run a command without a shell in a clean copy of the code, inside the sandbox. Raises EditError, SandboxUnavailable."""
        for word in argv:
            if b"\0" in encoded(word):
                raise EditError("the command holds a NUL byte")
        return self._sandbox.run(self._files(self.state), Command(argv), self._limits)

    def run(self, command: str) -> str:
        """Run a shell command the same way: how it ended, and head and tail of what it printed."""
        if not command.strip():
            raise EditError("the command is empty")
        result = self.execute("sh", "-c", command)
        end = ENDS.get(result.status) or f"exit status {result.exit_code}"
        outputs = [(name, printed(data)) for name, data in (("output", result.stdout), ("errors", result.stderr)) if data]
        return "\n".join([f"({end})", *(f"[{name}]\n{shortened(text, SHOWN // len(outputs))}" for name, text in outputs)])

    def check(self) -> str:
        """How the task's check ends on the code as it is now. Raises SandboxUnavailable."""
        return shortened(visible(self._check(self.state)), SHOWN)

    def _meant(self, path: str) -> str:
        name = path.rstrip("/").rsplit("/", 1)[-1]
        near = [known for known in self.store.files(self.state) if known.rsplit("/", 1)[-1] == name][:NEAR]
        return f"; there is {', '.join(near)}" if near else "; paths are relative to the top of the repository"


def encoded(text: str) -> bytes:
    """A model's text as a file or a command takes it. Raises EditError for what no file can hold."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise EditError("the text holds half a character (a lone surrogate)") from error
