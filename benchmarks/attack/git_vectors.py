"""Ways to have git run a program of the repository's choice. Each is shown to work with plain git before it is said to be stopped."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from swesearch.base import Create, Delete, Edit, Rename, Replace
from swesearch.store import Store

FILES = {"a.py": "one\ntwo\n", "data.bin": "\0\1\2", "pkg/b.py": "b\n", "gone.py": "g\n"}
ENVIRONMENT: Mapping[str, str] = {
    "PATH": os.environ.get("PATH", os.defpath), "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "true", "GIT_AUTHOR_NAME": "A Victim", "GIT_AUTHOR_EMAIL": "victim@example.com", "GIT_COMMITTER_NAME": "A Victim",
    "GIT_COMMITTER_EMAIL": "victim@example.com",
}  # fmt: skip


@dataclass(frozen=True)
class Vector:
    """A way to have git run a program: lines of .git/config ("{run}" is the program), attributes, a hook, and what sets it off."""

    config: str = ""
    attributes: str = ""
    hook: str = ""
    trigger: tuple[str, ...] = ("status",)
    terminal: bool = False
    stdin: bytes = b""


DIRTY = ("add", "a.py")
COMMIT = ("commit", "-q", "--allow-empty", "-m", "x")
VECTORS = {
    "hook-pre-commit": Vector(hook="pre-commit", trigger=COMMIT),
    "hook-prepare-commit-msg": Vector(hook="prepare-commit-msg", trigger=COMMIT),
    "hook-post-commit": Vector(hook="post-commit", trigger=COMMIT),
    "hook-post-index-change": Vector(hook="post-index-change", trigger=DIRTY),
    "hook-reference-transaction": Vector(hook="reference-transaction", trigger=("branch", "x")),
    "hook-post-checkout": Vector(hook="post-checkout", trigger=("checkout", "-q", "-b", "x")),
    "hooks-path": Vector(config="[core]\nhooksPath = {folder}/evil", trigger=COMMIT),
    "filter-clean": Vector(config='[filter "f"]\nclean = {run}; cat', attributes="* filter=f", trigger=DIRTY),
    "filter-smudge": Vector(config='[filter "f"]\nsmudge = {run}; cat', attributes="* filter=f", trigger=("checkout", "-q", "gone.py")),
    "filter-process": Vector(config='[filter "f"]\nprocess = {run}', attributes="* filter=f", trigger=DIRTY),
    "textconv": Vector(config='[diff "d"]\ntextconv = {run}; cat', attributes="* diff=d", trigger=("diff",)),
    "diff-driver": Vector(config='[diff "d"]\ncommand = {run}', attributes="* diff=d", trigger=("diff",)),
    "diff-external": Vector(config="[diff]\nexternal = {run}", trigger=("diff",)),
    "merge-driver": Vector(
        config='[merge "m"]\ndriver = {run}; true', attributes="* merge=m", trigger=("merge", "-q", "--no-edit", "other")
    ),
    "fsmonitor": Vector(config="[core]\nfsmonitor = {run}"),
    "fsmonitor-included": Vector(config="[include]\npath = {folder}/evil/included"),
    "ssh-command": Vector(config='[core]\nsshCommand = {run}\n[remote "origin"]\nurl = ssh://nowhere.invalid/x', trigger=("fetch",)),
    "upload-pack": Vector(config='[protocol "ext"]\nallow = always\n[remote "origin"]\nurl = ext::{run}', trigger=("fetch",)),
    "promisor": Vector(
        config='[core]\nrepositoryformatversion = 1\n[extensions]\npartialClone = origin\n[protocol "ext"]\nallow = always\n'
        '[remote "origin"]\nurl = ext::{run}\npromisor = true',
        trigger=("cat-file", "-p", "1" * 40),
    ),
    "pager": Vector(config="[core]\npager = {run}; cat", trigger=("-p", "log"), terminal=True),
    "editor": Vector(config="[core]\neditor = {run}", trigger=("commit", "--allow-empty")),
    "credential-helper": Vector(
        config='[credential]\nhelper = "!{run}"', trigger=("credential", "fill"), stdin=b"protocol=https\nhost=x.invalid\n\n"
    ),
    "alias": Vector(config="[alias]\nevil = !{run}", trigger=("evil",)),
    "gpg": Vector(config="[commit]\ngpgSign = true\n[gpg]\nprogram = {run}", trigger=COMMIT),
}


def git(folder: Path, *words: str, stdin: bytes = b"", check: bool = True) -> bytes:
    """Run plain git, with no settings of the user's."""
    return subprocess.run(["git", *words], cwd=folder, env=ENVIRONMENT, input=stdin, capture_output=True, check=check, timeout=30).stdout


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """A git repository with one commit."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "start")):
        git(folder, *words)
    return folder


def plant(folder: Path, vector: Vector, marker: Path) -> Path:
    """A dirty repository with a vector in it, and everything that our commands look at. Whoever runs the program makes `marker`."""
    repository(folder, FILES)
    _conflict(folder)
    evil = folder / ".git/evil"
    evil.mkdir()
    run = program(evil / "run", marker)
    program(evil / "pre-commit", marker)
    (evil / "included").write_text(f"[core]\nfsmonitor = {run}\n")
    with (folder / ".git/config").open("a") as config:
        config.write("\n" + vector.config.format(run=run, folder=folder / ".git") + "\n")
    if vector.attributes:
        (folder / ".gitattributes").write_text(vector.attributes + "\n")
    if vector.hook:
        program(folder / ".git/hooks" / vector.hook, marker)
    (folder / "a.py").write_text("one\n2\n")
    (folder / "new.py").write_text("new\n")
    (folder / "gone.py").unlink()
    return folder


def program(path: Path, marker: Path) -> str:
    """A program that makes `marker`."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch '{marker}'\n")
    path.chmod(0o755)
    return str(path)


def plain_git(folder: Path, vector: Vector) -> None:
    """Do what a careless tool would: run git in the repository."""
    if not vector.terminal:
        git(folder, *vector.trigger, stdin=vector.stdin, check=False)
        return
    ours, theirs = pty.openpty()
    subprocess.run(
        ["git", *vector.trigger], cwd=folder, env=ENVIRONMENT, stdin=theirs, stdout=theirs, stderr=theirs, check=False, timeout=30
    )
    os.close(theirs)
    os.close(ours)


def everything(folder: Path, store_folder: Path) -> None:
    """Every operation of the store."""
    store = Store.open(folder, store_folder)
    root = store.root()
    edits: list[Edit] = [Replace("a.py", b"one", b"1"), Create("made.py", b"m\n"), Delete("pkg/b.py"), Rename("data.bin", "moved.bin")]
    state = store.apply(root, edits)
    store.files(state)
    store.read(state, "a.py")
    store.diff(root, state)
    store.changed(root, state)
    store.texts(root, state)
    store.overlay(state, root, ["pkg/b.py"])
    store.archive(state)
    store.close()
    store.archive(root)
    store.close()


def _conflict(folder: Path) -> None:
    """A branch `other` that changes pkg/b.py in another way than `main` does."""
    for branch, text in (("other", "theirs\n"), ("main", "ours\n")):
        git(folder, "checkout", "-q", "-B", branch, "main~0")
        (folder / "pkg/b.py").write_text(text)
        git(folder, "commit", "-qam", text)
        if branch == "other":
            git(folder, "checkout", "-q", "main")
