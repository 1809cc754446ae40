"""Write the result of a run into the user's working copy: all of it or nothing, and nothing over what the user has done since."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from sandbox.base import File
from swesearch.base import State, UsageError
from swesearch.store import SYMLINK, Store
from swesearch.store.commit import Commit
from swesearch.store.objects import EXECUTABLE
from swesearch.store.paths import refusal
from swesearch.store.worktree import Disk, WorkingCopy, find

Changed = Mapping[str, File | None]


def apply_patch(
    repo: Path, store: Store, root: State, result: State, *, commit: bool = False, branch: str | None = None, message: str = ""
) -> tuple[str, ...]:
    """Write what differs between `root` and `result` into the working copy at `repo`, and return the paths written.

    `branch` makes a new branch and switches to it; `commit` commits these paths and no others, with hooks and signing off.
    Raises UsageError, with nothing written, where a file is no longer as it was at the root or a path cannot be written safely.
    """
    copy = find(repo, plain=store.copy.git_dir is None)
    after, before = store.changed(root, result), store.changed(result, root)
    _check(copy, before)
    git = Commit(copy, branch=branch, message=message if commit else None) if commit or branch is not None else None
    if git:
        git.prepare(after)
    with ExitStack() as undo:
        for path, file in after.items():
            undo.callback(_put, copy.top, path, before[path])
            _put(copy.top, path, file)
        if git:
            git.finish(undo)
        undo.pop_all()
    return tuple(sorted(after))


def _check(copy: WorkingCopy, before: Changed) -> None:
    """Raises UsageError unless every file is on disk as it was at the root."""
    disk = Disk(copy.top)
    for path in before:
        if why := refusal(path) or _in_the_way(copy.top, path, before):
            raise UsageError(f"{path} cannot be written: {why}. Nothing was written")
    changed = [path for path, file in before.items() if not _as_it_was(disk, copy, path, file)]
    if changed:
        raise UsageError(
            f"changed since the run began: {', '.join(sorted(changed))}. Nothing was written: put them back, or start a new run"
        )


def _as_it_was(disk: Disk, copy: WorkingCopy, path: str, file: File | None) -> bool:
    seen = disk.read(path)
    if seen is None or file is None:
        return seen is None and file is None
    mode, data = seen
    same_mode = not copy.file_modes or (mode == EXECUTABLE) == file.executable
    return data == file.data and (mode == SYMLINK) == file.symlink and same_mode


def _in_the_way(top: Path, path: str, before: Changed) -> str:
    """Why a path cannot be reached or is taken: only what the result takes away itself may stand there."""
    names = path.split("/")
    for depth in range(1, len(names)):
        above = "/".join(names[:depth])
        if os.path.lexists(top / above) and not stat.S_ISDIR((top / above).lstat().st_mode) and before.get(above) is None:
            return f"{above} is not a folder but a link or a file"
    emptied = any(other.startswith(f"{path}/") for other in before)
    if before[path] is None and os.path.lexists(top / path) and not emptied:
        return "something of this name has come to stand there"
    return ""


def _put(top: Path, path: str, file: File | None) -> None:
    """Let `file`, or nothing, stand at `path`."""
    try:
        if file is None:
            _remove(top, top / path)
        else:
            _write(top / path, file)
    except OSError as error:
        raise UsageError(f"{top / path} cannot be written: {error.strerror}. What was written has been put back") from error


def _remove(top: Path, target: Path) -> None:
    """Remove a file, and the folders that it leaves empty."""
    target.unlink()
    with suppress(OSError):
        for folder in target.relative_to(top).parents[:-1]:
            (top / folder).rmdir()


def _write(target: Path, file: File) -> None:
    """Put a whole file in place at once. It keeps the permissions it had, unless it becomes or stops being executable."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".swesearch-{secrets.token_hex(8)}")
    try:
        if file.symlink:
            fresh.symlink_to(os.fsdecode(file.data))
        else:
            _write_new(fresh, target, file)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _write_new(fresh: Path, target: Path, file: File) -> None:
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o777 if file.executable else 0o666)
    with os.fdopen(handle, "wb") as out:
        out.write(file.data)
        if os.path.lexists(target) and stat.S_ISREG(old := target.lstat().st_mode) and bool(old & stat.S_IXUSR) == file.executable:
            os.fchmod(handle, stat.S_IMODE(old))
