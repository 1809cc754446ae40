"""Targets that change code: edits, patches, tools, deltas. What they make is compared with what git itself makes of it."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from benchmarks.fuzz.targets import ANY_TEXT, JSON, target
from benchmarks.swebench.recorded_diff import changes, edits_of
from sandbox.base import Command, Files, Limits, Result, SandboxUnavailable
from swesearch.agents.clean import visible
from swesearch.agents.tools.toolbox import ABILITIES, BEHIND, Toolbox
from swesearch.agents.workspace import Workspace
from swesearch.base import Create, Delete, Edit, EditError, Rename, Replace, State
from swesearch.dialogue import ToolCall
from swesearch.store import Store
from swesearch.store.delta import apply_delta, make_delta
from swesearch.store.log import ObjectLog

FILES: Mapping[str, bytes] = {
    "a.py": b"def f(x):\n    return x\n\n\ndef g(x):\n    return x\n",
    "crlf.txt": b"one\r\ntwo\r\nthree\r\n",
    "no-end": b"one\ntwo",
    "latin.txt": b"caf\xe9\nna\xefve\n",
    "binary": bytes(range(256)),
    "empty": b"",
    "sub/deep/b.py": b"x = 1\n" * 5,
    "run.sh": b"#!/bin/sh\nexit 0\n",
    "odd name \xe9\t\"'.txt": b"odd\n",
    "bytes-\udcff": b"a name that is no text\n",
    "target": b"t\n",
}
LINK = "link"
PATHS = st.sampled_from(
    [*FILES, LINK, "new.py", "sub/new.py", "sub", "sub/deep", "a.py/under", "other/x", ".gitignore", "run.sh/x"]
) | st.text(st.characters(exclude_categories=()), max_size=12)
BYTES = st.binary(max_size=40) | st.sampled_from(
    [b"", b"\n", b"\r\n", b"return x", b"two", b"one\n", b"x = 1\n", b"\x00", b"t", b"--- a/x\n"]
)
EDITS: st.SearchStrategy[Edit] = st.one_of(
    st.builds(Replace, PATHS, BYTES, BYTES, st.none() | st.integers(-2, 300)),
    st.builds(lambda path, after: Replace(path, b"", after, 0), st.sampled_from([*FILES]), BYTES),
    st.builds(Create, PATHS, BYTES, st.booleans()),
    st.builds(Delete, PATHS),
    st.builds(Rename, PATHS, PATHS),
)
ENVIRON = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}


class Ground:
    """A real repository with every kind of file, and its states."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.repo = self.folder / "repo"
        for name, data in FILES.items():
            path = self.repo / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        (self.repo / "run.sh").chmod(0o755)
        (self.repo / LINK).symlink_to("target")
        commit = ("-c", "user.name=fuzz", "-c", "user.email=fuzz@example.com", "commit", "-q", "-m", "start")
        for words in (("init", "-q"), ("add", "-A"), commit):
            self.git(*words)
        self.store = Store.open(self.repo, self.folder / "store.git")
        atexit.register(self.store.close)
        self.root = self.store.root()

    def git(self, *words: str, stdin: bytes = b"", environ: Mapping[str, str] = ENVIRON) -> bytes:
        """A command of real git in the repository. Raises AssertionError where it fails."""
        done = subprocess.run(["git", *words], cwd=self.repo, input=stdin, capture_output=True, env=environ, check=False)
        assert done.returncode == 0, f"git {words[0]}: {done.stderr.decode(errors='replace')}\n{stdin.decode(errors='backslashreplace')}"
        return done.stdout

    def applied(self, patch: bytes) -> str:
        """The tree that real git makes of the root with a patch."""
        index = {**ENVIRON, "GIT_INDEX_FILE": str(self.folder / "index")}
        self.git("read-tree", self.root.tree, environ=index)
        self.git("apply", "--cached", "--whitespace=nowarn", "-", stdin=patch, environ=index)
        return self.git("write-tree", environ=index).decode().strip()


@cache
def ground() -> Ground:
    """The one ground of this process."""
    return Ground()


@target(st.lists(EDITS, max_size=6), slow=True)
def edits(value: list[Edit]) -> None:
    """Edits fit or say why not; the patch of what they make gives the same tree with real git."""
    on = ground()
    state, fitting = on.root, list[Edit]()
    for edit in value:
        try:
            state = on.store.apply(state, [edit])
        except EditError:
            continue
        fitting.append(edit)
    if state == on.root:
        return
    assert on.store.apply(on.root, fitting) == state, "edits at once make another tree than one by one"
    patch = on.store.diff(on.root, state)
    assert on.applied(patch) == state.tree, "git apply makes another tree of the patch"
    _replayed(on, patch, state)


def _replayed(on: Ground, patch: bytes, state: State) -> None:
    """A patch that is read by us and fitted makes the same tree too, or says why it does not fit."""
    tops = on.store.files(on.root)
    try:
        steps = [
            edit
            for change in changes(patch.decode("utf-8", "surrogateescape"))
            for edit in edits_of(change, lambda path: on.store.read(on.root, path) if path in tops else None)
        ]
        made = on.store.apply(on.root, steps)
    except EditError:
        return
    modes = {path: entry.mode for path, entry in on.store.files(state).items()}
    if {path: entry.mode for path, entry in on.store.files(made).items()} == modes:  # changes of modes are not read
        assert made == state, "our own reading of the patch makes another tree"


LINES = st.sampled_from(
    [
        *("diff --git a/a.py b/a.py", "--- a/a.py", "+++ b/a.py", "--- /dev/null", "+++ /dev/null", "@@ -1,2 +1,3 @@", "@@ -1 +1 @@"),
        *("@@ -0,0 +1,9 @@", "@@ -5,2 +5,0 @@ def g", "@@ -1,99999999999 +1,0 @@", "@@", "@@ -a +b @@", " def f(x):", "-    return x"),
        *("+    return 2", "\\ No newline at end of file", "new file mode 100755", "deleted file mode 100644", "rename from a.py"),
        *("rename to b.py", "GIT binary patch", "Binary files a/x and b/x differ", "index 0000..1111", 'diff --git "a/x\\"" "b/x\\""', ""),
    ]
)


@target(st.lists(LINES | ANY_TEXT, max_size=14).map("\n".join) | ANY_TEXT)
def patches(value: str) -> None:
    """Anything that calls itself a patch is read, or refused as an edit that does not fit."""
    on = ground()
    tops = on.store.files(on.root)
    try:
        steps = [e for each in changes(value) for e in edits_of(each, lambda path: on.store.read(on.root, path) if path in tops else None)]
        on.store.apply(on.root, steps)
    except EditError:
        return


class NoSandbox:
    """There is none."""

    name, slots = "none", 1

    def run(self, _files: Files, _command: Command, _limits: Limits) -> Result:
        """Nothing can be found out."""
        raise SandboxUnavailable("there is none")

    def close(self) -> None:
        """Nothing to do."""


class Remembers(dict[str, Any]):
    """A memory."""

    def recall(self, key: str) -> Any:
        """What was kept."""
        return self.get(key)

    keep = dict.__setitem__


TEXTS = PATHS | st.sampled_from(["return x", "two", "", "\n", "{}", '{"path": "a.py"}', "delete", "undo", "rename", "diff", "\ud800"])
NAMES = st.sampled_from([*ABILITIES, *BEHIND, "more", "finish", "nothing"])
FIELDS = st.sampled_from(
    sorted({field for each in (*ABILITIES.values(), *BEHIND.values()) for field in each.tool.schema["properties"]} | {"name", "arguments"})
)


def _call(name: str, texts: list[str], numbers: list[int]) -> ToolCall:
    """A call whose arguments fit the tool's schema."""
    tool = (ABILITIES.get(name) or BEHIND[name]).tool
    kinds = {field: kind["type"] for field, kind in tool.schema["properties"].items()}
    values = {"string": iter(texts), "integer": iter(numbers), "boolean": iter([n % 2 == 0 for n in numbers])}
    return ToolCall("id", name, {field: next(values[kind]) for field, kind in kinds.items()})


CALLS = st.one_of(
    st.builds(ToolCall, st.just("id"), NAMES, st.dictionaries(FIELDS | st.text(max_size=4), TEXTS | JSON, max_size=5)),
    st.builds(
        _call, st.sampled_from([*ABILITIES, *BEHIND]), st.lists(TEXTS, min_size=8, max_size=8),
        st.lists(st.integers(-3, 40) | st.integers(), min_size=8, max_size=8),
    ),
)  # fmt: skip


@target(st.lists(CALLS, min_size=1, max_size=5))
def tools(value: list[ToolCall]) -> None:
    """A model's calls are carried out or answered with what is wrong; the edits they made lead to the state they left."""
    on = ground()
    workspace = Workspace(
        on.store, NoSandbox(), on.root, lambda _: Files("", lambda: b""), lambda _: "0 tests pass", lambda path: "tests" * ("test" in path)
    )
    box = Toolbox(workspace, Remembers())
    for call in value:
        try:
            answer = box.use(call, "so far")
        except SandboxUnavailable:
            continue
        assert visible(answer.text) == answer.text
        answer.text.encode()
    if workspace.edits:
        assert on.store.apply(on.root, workspace.edits) == workspace.state or workspace.state == on.root


@target(
    st.tuples(st.binary(max_size=200), st.binary(max_size=200))
    | st.binary(max_size=200).map(lambda data: (data, data[:50] + b"!" + data[50:]))
)
def deltas(value: tuple[bytes, bytes]) -> None:
    """A delta makes what it was made of."""
    base, result = value
    assert apply_delta(base, make_delta(base, result)) == result


@target(st.binary(max_size=300))
def object_log(value: bytes) -> None:
    """A log of objects with anything at its end is read up to there."""
    path = ground().folder / "fuzz.log"
    path.write_bytes(value)
    log = ObjectLog(path)
    try:
        for id in log.ids():
            assert len(id) == 40
    finally:
        log.close()
