"""What the user sees in their working copy, read without writing to it and without running anything it brings."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from configparser import Error as ConfigError
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from git import InvalidGitRepositoryError, NoSuchPathError, Repo

from swesearch.base import UsageError
from swesearch.store.gitsafe import Git, user_setting
from swesearch.store.log import New, Object
from swesearch.store.objects import EXECUTABLE, FILE, SUBMODULE, SYMLINK, Entry, Objects
from swesearch.store.paths import decode, encode, refusal

# In a plain folder no .gitignore is believed (an sdist may hold files that it ignores); these are never source.
NOT_SOURCE = (
    *("__pycache__/", "*.pyc", ".venv/", "venv/", ".tox/", ".nox/", "node_modules/"),
    *(".hg/", ".svn/", ".mypy_cache/", ".pytest_cache/", ".ruff_cache/"),
)


@dataclass(frozen=True, slots=True)
class WorkingCopy:
    """Where a working copy is: its top folder, the subfolder that was named, and its git directories (None for a plain folder)."""

    top: Path
    prefix: str  # "" or "src/lib"
    git_dir: Path | None = None  # of this work tree: HEAD and index
    common_dir: Path | None = None  # of the repository: objects, refs and config
    file_modes: bool = True  # the file system keeps executable bits

    @property
    def objects(self) -> Path | None:
        """The repository's object database."""
        return self.common_dir / "objects" if self.common_dir else None


def find(path: Path, *, plain: bool = False) -> WorkingCopy:
    """The working copy that `path` lies in. Raises UsageError where there is none that can be used."""
    if not path.exists():
        raise UsageError(f"{path} does not exist")
    if not path.is_dir():
        raise UsageError(f"{path} is a file: name the folder of a repository")
    folder = path.resolve()
    if plain:
        return WorkingCopy(folder, "")
    top = next((p for p in (folder, *folder.parents) if os.path.lexists(p / ".git")), None)
    if top is None:
        raise UsageError(_no_working_copy(path, folder))
    if ".git" in folder.relative_to(top).parts:
        raise UsageError(f"{path} lies inside .git: name a folder of the working copy")
    repo = _repo(top)
    modes = repo.config_reader("repository").get_value("core", "filemode", True)
    prefix = folder.relative_to(top).as_posix()
    return WorkingCopy(top, "" if prefix == "." else prefix, Path(repo.git_dir), Path(repo.common_dir), bool(modes))


def _no_working_copy(path: Path, folder: Path) -> str:
    if any((p / "HEAD").is_file() and (p / "objects").is_dir() for p in (folder, *folder.parents)):
        return f"{path} is a bare git repository: name a working copy of it (git worktree add, or git clone)"
    return f"{path} is not a git repository: run `git init` there and commit its files first"


def _repo(top: Path) -> Repo:
    """The repository as gitpython sees it, in process. Its `core.worktree` is not followed: the top is where .git was found."""
    try:
        repo = Repo(top, expand_vars=False)
        kind = str(repo.config_reader("repository").get_value("extensions", "objectformat", "sha1"))
    except (InvalidGitRepositoryError, NoSuchPathError, ConfigError, OSError, ValueError) as error:
        raise UsageError(f"{top}/.git is damaged or no git directory: {error}") from error
    if kind.lower() != "sha1":
        raise UsageError(f"{top} keeps its objects by {kind}: only sha1 repositories are supported")
    return repo


def snapshot(copy: WorkingCopy, objects: Objects) -> dict[str, Entry]:
    """Every file the user sees, its bytes exactly as on disk, with what git lacks of them written to our log.

    Raises UsageError for a file that cannot be read and for a path that may not stand in a state.
    """
    disk = Disk(copy.top)
    found: dict[str, Entry] = {}
    for path, known in listed(copy, objects.git):
        if why := refusal(path):
            raise UsageError(f"{copy.top} holds a path that git refuses, {path!r}: {why}")
        if entry := known.entry if known.fixed else disk.entry(path):
            found[path] = Entry(known.mode(entry, copy.file_modes), entry.id)
        elif known.sparse and known.entry:
            found[path] = known.entry
    _keep(found, disk, objects)
    return found


def _keep(found: dict[str, Entry], disk: Disk, objects: Objects) -> None:
    """Write the files that git does not have. Each is read and named again, for it may have changed meanwhile.

    One that is neither in git nor on disk (a sparse and partial clone) is left out.
    """
    missing = objects.missing({entry.id for entry in found.values() if entry.mode != SUBMODULE})
    for path, entry in list(found.items()):
        if entry.id in missing:
            del found[path]
            if seen := disk.read(path):
                blob = Object.of("blob", seen[1])
                objects.add([New(blob)])
                found[path] = Entry(entry.mode, blob.id)


@dataclass(frozen=True, slots=True)
class Known:
    """What the index knows of a path: its entry, and whether a sparse checkout may have left the file out."""

    entry: Entry | None = None
    sparse: bool = False

    @property
    def fixed(self) -> bool:
        """Submodules are left as the index has them, whatever lies in their folder."""
        return self.entry is not None and self.entry.mode == SUBMODULE

    def mode(self, seen: Entry, file_modes: bool) -> int:
        """The mode on disk, or the index's where the file system keeps no executable bit."""
        regular = (FILE, EXECUTABLE)
        return self.entry.mode if self.entry and not file_modes and self.entry.mode in regular and seen.mode in regular else seen.mode


class Disk:
    """Files below a top folder, never read through a symlink that stands for a folder."""

    def __init__(self, top: Path) -> None:
        self._top = os.fsencode(top) + b"/"  # joined by hand: names are bytes, and pathlib takes none
        self._real: dict[str, bool] = {}

    def entry(self, path: str) -> Entry | None:
        """Mode and blob id of a file or link, or None where there is neither."""
        seen = self.read(path)
        return Entry(seen[0], Object.of("blob", seen[1]).id) if seen else None

    def read(self, path: str) -> tuple[int, bytes] | None:
        """Mode and bytes of a file or link, or None where there is neither. Raises UsageError where it cannot be read."""
        folder, _, _ = path.rpartition("/")
        full = self._top + encode(path)
        try:
            return _read(full) if self._is_real(folder) else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise UsageError(f"{os.fsdecode(full)} cannot be read: {error.strerror}") from error

    def _is_real(self, folder: str) -> bool:
        if folder not in self._real:
            full = (self._top + encode(folder)).rstrip(b"/")
            self._real[folder] = os.path.realpath(full) == full
        return self._real[folder]


def _read(full: bytes) -> tuple[int, bytes] | None:
    mode = os.lstat(full).st_mode
    if stat.S_ISLNK(mode):
        return SYMLINK, os.readlink(full)  # noqa: PTH115  # pathlib takes no bytes
    if not stat.S_ISREG(mode):
        return None
    # Should something else have come to stand there in between, it is not followed and not waited for.
    with os.fdopen(os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
        return (EXECUTABLE if mode & stat.S_IXUSR else FILE), file.readall()


def listed(copy: WorkingCopy, git: Git) -> list[tuple[str, Known]]:
    """Paths of the working copy: what the index lists, and what is neither listed nor ignored."""
    with tempfile.TemporaryDirectory(dir=git.folder) as scratch:
        env = {"GIT_WORK_TREE": os.fspath(copy.top), "GIT_INDEX_FILE": _copy_index(copy, git, Path(scratch))}
        tracked = git.run("ls-files", "-t", "--stage", "-z", cwd=copy.top, env=env)
        others = git.run("ls-files", "--others", "-z", *_excludes(copy), cwd=copy.top, env=env)
    # A path that ends in a slash is a repository of its own.
    untracked = [(decode(path), Known()) for path in others.split(b"\0")[:-1] if not path.endswith(b"/")]
    return [_known(line) for line in tracked.split(b"\0")[:-1]] + untracked


def _known(line: bytes) -> tuple[str, Known]:
    """One line of `ls-files -t --stage`: "<tag> <mode> <id> <stage>", a tab, the path."""
    facts, path = line.split(b"\t", 1)
    tag, mode, id, _ = facts.split()
    return decode(path), Known(Entry(int(mode, 8), id.decode()), tag == b"S")


def _copy_index(copy: WorkingCopy, git: Git, scratch: Path) -> str:
    """A copy of the user's index for git to read, with the shared part that a split index has."""
    index = scratch / "index"
    if copy.git_dir:
        for name in copy.git_dir.glob("sharedindex.*"):
            shutil.copyfile(name, git.folder / name.name)
        with suppress(FileNotFoundError):
            shutil.copyfile(copy.git_dir / "index", index)
    return os.fspath(index)


def _excludes(copy: WorkingCopy) -> list[str]:
    """What is not to be seen, as options of ls-files; later files win."""
    if copy.common_dir is None:
        return [f"--exclude={pattern}" for pattern in NOT_SOURCE]
    own = user_setting("core.excludesFile", "--type=path")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or "~/.config").expanduser()
    files = (Path(own) if own else config / "git/ignore", copy.common_dir / "info/exclude")
    return ["--exclude-per-directory=.gitignore", *(f"--exclude-from={file}" for file in files if file.is_file())]
