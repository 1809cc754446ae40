"""Names for states, so that plain git finds its way about in the store of a run: one commit for each, one tag for its name.

The commits are the same however often they are made: who, when and why come from the run's record. Nobody's HEAD or index knows them.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from swesearch.base import UsageError
from swesearch.store.gitsafe import environment, quoted, write_file
from swesearch.store.log import New, Object, export
from swesearch.store.states import Store

WHO = "swesearch <swesearch@localhost>"
ALLOWED = ("diff", "show", "log", "ls-tree", "cat-file", "archive", "grep")  # read, and can be kept from running or writing anything
# Options that write files, read the user's, or run programs; git takes the beginning of one for the whole.
REFUSED = ("--output", "--ext-diff", "--textconv", "--no-index", "--open-files-in-pager", "--remote", "--exec", "--filters", "--add-file")
HARMLESS = ("--text",)  # whole, though one of those begins like it
SHORT: Mapping[str, str] = {"archive": "o", "grep": "O"}  # of them those with one letter, by command


@dataclass(frozen=True, slots=True)
class Named:
    """A state with a name, what came before it, and why it was made."""

    name: str
    tree: str
    parent: str | None  # a name that comes before this one
    message: str


def name_states(store: Store, states: Sequence[Named], when: float) -> None:
    """Let git know each state by its name, replacing all names that were given before. Safe while the run goes on."""
    ids: dict[str, str] = {}
    commits = []
    for each in states:
        parent = f"parent {ids[each.parent]}\n" if each.parent is not None else ""
        by = f"{WHO} {int(when)} +0000"
        text = f"tree {each.tree}\n{parent}author {by}\ncommitter {by}\n\n{each.message}\n".replace("\0", "")
        commits.append(Object.of("commit", text.encode("utf-8", "backslashreplace")))
        ids[each.name] = commits[-1].id
    missing = store.missing(commit.id for commit in commits)
    store.keep([New(commit) for commit in commits if commit.id in missing])
    rows = "".join(f"{id} refs/tags/{name}\n" for name, id in sorted(ids.items()))
    write_file(store.folder / "packed-refs", f"# pack-refs with: peeled fully-peeled sorted \n{rows}".encode())


def look(store: Store, arguments: Sequence[str], *, capture: bool = False) -> tuple[int, bytes]:
    """Run one of git's reading commands in the store: its exit code, and with `capture` what it printed. Raises UsageError."""
    refuse(arguments)
    with tempfile.TemporaryDirectory(prefix="swesearch-") as scratch:
        if hidden := store.unsealed():
            export(hidden, Path(scratch))
        more = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": quoted(Path(scratch))}
        if "TERM" in os.environ:
            more["TERM"] = os.environ["TERM"]
        try:
            done = subprocess.run(
                ["git", "--no-pager", *arguments],
                stdout=subprocess.PIPE if capture else None,
                stdin=subprocess.DEVNULL,
                env=environment(store.folder, **more),
                cwd=store.folder,
                check=False,
            )
        except FileNotFoundError as error:
            raise UsageError("git was not found on this machine: install it first") from error
    return done.returncode, done.stdout or b""


def refuse(arguments: Sequence[str]) -> None:
    """Raises UsageError for a command that does not only read."""
    command = arguments[0] if arguments else ""
    if command not in ALLOWED:
        raise UsageError(f"git {command or '(no command)'}: only commands that read are passed on: {', '.join(ALLOWED)}")
    for word in arguments[1:]:
        if word == "--":
            return
        name = word.partition("=")[0]
        long = len(name) > 2 and name not in HARMLESS and any(each.startswith(name) for each in REFUSED)
        short = word.startswith("-") and not word.startswith("--") and SHORT.get(command, "\0") in word
        if long or short:
            raise UsageError(f"git {command} {word}: it may only read here, and only from the run's own store")
