"""Run git so that nothing a repository brings is ever run: only in a git directory of ours, with an environment of ours."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from threading import Lock
from typing import IO

from swesearch.base import StoreError, UsageError

SECONDS = 300.0  # no command of ours takes this long; a repository must not be able to make one hang
CONFIG = b"""\
[core]
\trepositoryformatversion = 0
\tbare = true
\tautocrlf = false
\tattributesFile = /dev/null
\thooksPath = /dev/null
\tfsmonitor = false
\tquotePath = false
[gc]
\tauto = 0
"""
# The highest level of attributes: whatever .gitattributes says, bytes stay as they are and no driver is asked.
ATTRIBUTES = b"* -text -eol -ident -filter !working-tree-encoding !diff -merge\n"


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The whole environment of a git command in the git directory `folder`: nothing of the user's but PATH."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "LC_ALL": "C",
        "GIT_DIR": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        **more,
    }


def user_setting(key: str, *options: str) -> str:
    """A setting of the user's own git configuration, "" where it is not set. The repository's is not read."""
    keep = ("PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL")
    env = {name: os.environ[name] for name in keep if name in os.environ}
    command = ["git", "config", "--global", "--includes", *options, "--get", key]
    return subprocess.run(command, capture_output=True, env=env, cwd="/", check=False).stdout.decode(errors="surrogateescape").rstrip("\n")


def write_file(path: Path, content: bytes) -> None:
    """Put a whole file in place at once, never through a symlink that stands there. Nothing is left where the disk is full."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with ExitStack() as undo:
        undo.callback(Path(name).unlink, missing_ok=True)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(name).replace(path)
        undo.pop_all()


def hold(folder: Path) -> int:
    """Say that the git directory is in use, for as long as the descriptor is open. Whoever is the only one removes drafts of the dead."""
    held = os.open(folder / "in-use", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pass
    else:
        for draft in (*folder.glob("tmp*"), *folder.glob("objects/pack/tmp*")):
            shutil.rmtree(draft) if draft.is_dir() else draft.unlink()
    fcntl.flock(held, fcntl.LOCK_SH)
    return held


def make_git_dir(folder: Path, objects: Path | None = None) -> None:
    """Make or mend a bare git directory that also reads `objects`. What is written here is never taken from the repository."""
    for name in ("objects/info", "objects/pack", "refs", "info"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    write_file(folder / "HEAD", b"ref: refs/heads/none\n")
    write_file(folder / "config", CONFIG)
    write_file(folder / "info/attributes", ATTRIBUTES)
    write_file(folder / "objects/info/alternates", os.fsencode(quoted(objects)) if objects else b"")


def quoted(objects: Path) -> str:
    """A path with any character in it as git reads it in a list of object directories."""
    plain = os.fspath(objects).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain}"'


class Git:
    """Git commands in one private git directory, with `env` laid over our environment, none longer than `seconds`."""

    def __init__(self, folder: Path, env: Mapping[str, str] | None = None, seconds: float = SECONDS) -> None:
        self.folder = folder
        self._env = env or {}
        self._seconds = seconds

    def run(self, *args: str, stdin: bytes = b"", cwd: Path | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """Run a command and return its stdout. Raises UsageError without git, StoreError where the command fails."""
        try:
            done = subprocess.run(
                ["git", *args],
                input=stdin,
                capture_output=True,
                cwd=cwd or self.folder,
                env=environment(self.folder, **self._env, **env or {}),
                timeout=self._seconds,
                check=False,
                process_group=0,  # Ctrl-C in the terminal is for us; we end what we started
            )
        except FileNotFoundError as error:
            raise UsageError("git was not found on this machine: install it first") from error
        except subprocess.TimeoutExpired as error:
            raise StoreError(f"git {args[0]} took more than {self._seconds:.0f} seconds") from error
        if done.returncode:
            raise StoreError(f"git {args[0]} failed: {done.stderr.decode(errors='replace').strip()[:300]}")
        return done.stdout


class Reader:
    """Objects read through one `git cat-file --batch` that lives as long as it is needed. Safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, id: str) -> tuple[str, bytes] | None:
        """Kind and content of an object, or None where there is none."""
        with self._lock:
            asked, answered = self._pipes()
            asked.write(id.encode() + b"\n")
            asked.flush()
            return _answer(answered)

    def close(self) -> None:
        """End the process. It is started again when it is needed."""
        with self._lock:
            if self._process:
                self._process.communicate()
            self._process = None

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                ["git", "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env=environment(self._folder),
                process_group=0,
            )
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout


def _answer(stream: IO[bytes]) -> tuple[str, bytes] | None:
    """One answer of `cat-file --batch`: "<id> <kind> <size>", the content, a line end; or "<id> missing"."""
    words = stream.readline().split()
    if len(words) != 3:
        if words[1:] == [b"missing"]:
            return None
        raise StoreError("git cat-file broke off: the object database cannot be read")
    content = stream.read(int(words[2]))
    stream.read(1)
    return words[1].decode(), content


def present(git: Git, ids: Iterable[str]) -> set[str]:
    """Which of these objects git can find."""
    lines = git.run("cat-file", "--batch-check=%(objectname)", stdin="".join(f"{id}\n" for id in ids).encode()).splitlines()
    return {line.decode() for line in lines if not line.endswith(b" missing")}
