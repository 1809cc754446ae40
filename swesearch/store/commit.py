"""Branches and commits in the user's repository, made without running its hooks, filters, or signing program.

Blobs, trees and the commit are made in a git directory of ours that writes into the repository's object database. Only four
commands run in the repository itself (rev-parse, symbolic-ref, update-ref, update-index --index-info): none reads a file's content,
and hooks and fsmonitor are off by the command line, which outranks the repository's configuration.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from git import Repo

from sandbox.base import File
from swesearch.base import SwesearchError, UsageError
from swesearch.store.gitsafe import Git, make_git_dir, user_setting, write_file
from swesearch.store.objects import EXECUTABLE, FILE, SYMLINK
from swesearch.store.paths import encode
from swesearch.store.worktree import WorkingCopy

OFF = ("--no-pager", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=", "-c", "gc.auto=0")
NOTHING = "0" * 40
UNDER_WAY = ("MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-merge", "rebase-apply")
CONVERSIONS = {"autocrlf": ("true", "false", "input"), "eol": ("lf", "crlf", "native")}  # settings that are only about line ends


class Commit:
    """What is to be done in the repository once the files are written: a new branch, a commit, or both."""

    def __init__(self, copy: WorkingCopy, *, branch: str | None, message: str | None) -> None:
        """Check what can be checked beforehand; `message` is None for no commit. Raises UsageError."""
        if copy.git_dir is None or copy.objects is None:
            raise UsageError(f"{copy.top} is not a git repository: there can be no branch or commit")
        if busy := [name for name in UNDER_WAY if (copy.git_dir / name).exists()]:
            raise UsageError(f"a merge, rebase or the like is under way in {copy.top} ({busy[0]}): finish it first")
        self._copy, self._message, self._git_dir, self._objects = copy, message, copy.git_dir, copy.objects
        self._branch = f"refs/heads/{branch}" if branch is not None else ""
        self._who = _identity() if message is not None else {}
        self._entries, self._commit = b"", ""
        self._head = self._try("rev-parse", "--verify", "--quiet", "HEAD")
        self._on = self._try("symbolic-ref", "--quiet", "HEAD")
        if self._branch:
            self._check_branch(branch or "")

    def prepare(self, changed: Mapping[str, File | None]) -> None:
        """Make the commit's objects; no ref knows of them yet. Raises UsageError where a file needs a filter that we do not run."""
        if self._message is None:
            return
        with _scratch(self._copy, self._objects) as git:
            _refuse_filters(git, self._copy, changed)
            self._entries = b"".join(self._index_line(git, path, file) for path, file in changed.items())
            if self._head:
                git.run("read-tree", self._head)
            git.run("update-index", "-z", "--index-info", stdin=self._entries)
            tree = git.run("write-tree").decode().strip()
            parents = ("-p", self._head) if self._head else ()
            self._commit = git.run("commit-tree", tree, *parents, stdin=self._message.encode(), env=self._who).decode().strip()

    def finish(self, undo: ExitStack) -> None:
        """Move the index, the branch and HEAD. What was done is put on `undo`, for the case that a later step fails."""
        if self._commit:
            index = self._git_dir / "index"
            before = index.read_bytes() if index.exists() else None
            undo.callback(_restore, index, before)
            self._run("update-index", "-z", "--index-info", stdin=self._entries)
        new = self._commit or self._head
        if self._branch:
            if new:
                self._run("update-ref", "-m", "swesearch apply", self._branch, new, NOTHING)
                undo.callback(self._run, "update-ref", "-d", self._branch, new)
            self._run("symbolic-ref", "-m", "swesearch apply", "HEAD", self._branch)
        elif self._commit:
            self._run("update-ref", "-m", "swesearch apply", "HEAD", new, self._head or NOTHING)

    def _check_branch(self, name: str) -> None:
        try:
            self._run("check-ref-format", self._branch)
        except SwesearchError as error:
            raise UsageError(f"{name!r} is not a name for a branch") from error
        if name.startswith("-"):
            raise UsageError(f"{name!r} is not a name for a branch")
        if self._try("rev-parse", "--verify", "--quiet", self._branch) or self._on == self._branch:
            raise UsageError(f"the branch {name} already exists: choose another name")

    def _index_line(self, git: Git, path: str, file: File | None) -> bytes:
        """One line for `update-index --index-info`. The blob is what `git add` would make: line ends as the repository wants them."""
        if file is None:
            return b"0 %s\t%s\0" % (NOTHING.encode(), encode(path))
        options = ("--no-filters",) if file.symlink else ("--path", path)
        blob = git.run("hash-object", "-w", "--stdin", *options, stdin=file.data, cwd=self._copy.top).strip()
        mode = SYMLINK if file.symlink else EXECUTABLE if file.executable else FILE
        return b"%o %s\t%s\0" % (mode, blob, encode(path))

    def _run(self, *args: str, stdin: bytes = b"") -> str:
        env = {"GIT_WORK_TREE": str(self._copy.top), **self._who}
        return Git(self._git_dir).run(*OFF, *args, stdin=stdin, cwd=self._copy.top, env=env).decode().strip()

    def _try(self, *args: str) -> str:
        try:
            return self._run(*args)
        except SwesearchError:
            return ""


@contextmanager
def _scratch(copy: WorkingCopy, objects: Path) -> Iterator[Git]:
    """A git directory of ours that writes into the user's objects and treats line ends as their repository does."""
    with tempfile.TemporaryDirectory(prefix="swesearch-") as name:
        folder = Path(name)
        make_git_dir(folder)
        own = (copy.common_dir or folder) / "info/attributes"
        (folder / "info/attributes").write_bytes(own.read_bytes() if own.is_file() else b"")
        env = {"GIT_OBJECT_DIRECTORY": str(objects), "GIT_WORK_TREE": str(copy.top), "GIT_INDEX_FILE": str(folder / "index")}
        git = Git(folder, env)
        for key, values in CONVERSIONS.items():
            value = str(Repo(copy.top, expand_vars=False).config_reader().get_value("core", key, "")).lower()
            if value in values:
                git.run("config", f"core.{key}", value)
        yield git


def _refuse_filters(git: Git, copy: WorkingCopy, paths: Iterable[str]) -> None:
    asked = b"".join(encode(path) + b"\0" for path in paths)
    words = git.run("check-attr", "-z", "--stdin", "filter", stdin=asked, cwd=copy.top).split(b"\0")
    plain = (b"unspecified", b"unset")
    filtered = [path.decode(errors="replace") for path, value in zip(words[::3], words[2::3], strict=False) if value not in plain]
    if filtered:
        names = ", ".join(filtered)
        raise UsageError(f"{names} must pass a filter of the repository, which is never run: apply without commit, and commit yourself")


def _identity() -> dict[str, str]:
    """Name and address of the user, from the environment or their own configuration. Raises UsageError where they are not set."""
    settings = {"NAME": user_setting("user.name"), "EMAIL": user_setting("user.email")}
    names = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in settings.items()}
    found = {name: os.environ.get(name) or value for name, value in names.items()}
    if not all(found.values()):
        raise UsageError("git does not know who you are: set user.name and user.email with `git config --global`")
    return found


def _restore(index: Path, content: bytes | None) -> None:
    if content is None:
        index.unlink(missing_ok=True)
    else:
        write_file(index, content)
