"""A real repository with a bug, its store, a real sandbox, and memory that lasts as long as the test."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sandbox.base import Command, Environment, Files, Limits
from sandbox.local import LocalSandbox
from swesearch.agents.executor import Executor
from swesearch.agents.hypothesis import Hypothesis
from swesearch.agents.workspace import Workspace
from swesearch.base import Action, Attempt, Evaluation, State
from swesearch.dialogue import Message, Text
from swesearch.models.scripted import Scripted
from swesearch.store import Store
from swesearch.value.protect import protected

BUGGY = {
    "calc.py": "def add(a, b):\n    return a - b\n\n\ndef twice(a):\n    return add(a, a)\n",
    "pkg/__init__.py": "",
    "pkg/use.py": "from calc import add\n\nTOTAL = add(1, 2)  # add\n",
    "test_calc.py": "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n",
}
HYPOTHESIS = Hypothesis("add subtracts", ("calc.py",), "add instead", "twice(2) is 4", 0.5)


class Notes(dict[str, Any]):
    """A memory."""

    recall = dict.get

    def keep(self, key: str, value: Any) -> None:
        assert value is not None
        self[key] = value


class Place:
    """A repository, and the ways into it that an executor needs."""

    def __init__(self, folder: Path, scratch: Path, sandbox: LocalSandbox) -> None:
        self.folder = folder
        self.store = Store.open(folder, scratch)
        self.root = self.store.root()
        self.sandbox = sandbox
        self.memory = Notes()
        self.checks: list[State] = []

    def files(self, state: State) -> Files:
        return Files(self.root.tree, lambda: self.store.archive(self.root), self.store.changed(self.root, state))

    def odd_root(self) -> State:
        """The root with a link that leads out, and a submodule."""
        (self.folder / "link.py").symlink_to("/etc/passwd")
        subprocess.run(["git", "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},vendor"], cwd=self.folder, check=True)
        return self.store.root()

    def check(self, state: State) -> str:
        self.checks.append(state)
        command = Command((sys.executable, "-c", "from test_calc import test_add; test_add()"))
        result = self.sandbox.run(self.files(state), command, Limits(10))
        return "the check passes" if result.exit_code == 0 else f"the check fails: {result.stderr.decode()[-200:]}"

    def workspace(self, state: State | None = None, **limits: Any) -> Workspace:
        known = self.store.files(self.root)
        return Workspace(
            self.store,
            self.sandbox,
            state or self.root,
            self.files,
            self.check,
            lambda path: protected(path, known),
            Limits(**{"seconds": 10.0, "output": 1 << 16, **limits}),
        )

    def carry_out(self, model: Scripted, hypothesis: Hypothesis = HYPOTHESIS, feedback: str = "", **settings: Any) -> Action:
        briefing = Message("user", (Text("The issue: add is wrong."),))
        executor = Executor(model, self.workspace, lambda: briefing, self.memory, **settings)
        return executor.carry_out([Attempt(None, self.root, Evaluation(0.0, feedback=feedback))], hypothesis)

    def after(self, action: Action) -> State:
        return self.store.apply(self.root, action.edits)

    def text(self, action: Action, path: str) -> str:
        return self.store.read(self.after(action), path).decode()


@pytest.fixture(scope="session")
def box() -> Iterator[LocalSandbox]:
    sandbox = LocalSandbox(Environment(python=sys.executable, why="the interpreter of the tests"), slots=1)
    yield sandbox
    sandbox.close()


@pytest.fixture
def make_place(repo: Callable[..., Path], tmp_path: Path, box: LocalSandbox) -> Iterator[Callable[..., Place]]:
    """A place with the files of a small bug, and others: `make_place({"a.py": ...})`."""
    made: list[Place] = []

    def make(files: Mapping[str, str | bytes] | None = None) -> Place:
        made.append(Place(repo({**BUGGY, **(files or {})}), tmp_path / "store.git", box))
        return made[-1]

    yield make
    for place in made:
        place.store.close()


@pytest.fixture
def place(make_place: Callable[..., Place]) -> Place:
    return make_place()
