"""Two revisions of a repository as working copies of our own. Nothing that the repository brings is run, and it is only read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from swesearch.base import State, SwesearchError, UsageError
from swesearch.store.gitsafe import Git, make_git_dir
from swesearch.store.worktree import find

NAME = re.compile(r"(?!-)[\w./@{}^~-]+")


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit, its tree, and a working copy of it."""

    commit: str
    state: State
    folder: Path


@dataclass(frozen=True, slots=True)
class Pair:
    """The head of a pull request, and the commit where it left its base branch."""

    base: Revision
    head: Revision


def check_out(repo: Path, base: str, head: str, folder: Path) -> Pair:
    """Working copies of both below `folder`. Raises UsageError where `repo` does not have them."""
    git = Git(_git_dir(repo))
    newest, tip = _commit(git, repo, head), _commit(git, repo, base)
    return Pair(_revision(git, _fork_point(git, tip, newest), folder / "base"), _revision(git, newest, folder / "head"))


def _git_dir(repo: Path) -> Path:
    """The git directory of a working copy or a bare repository."""
    if (repo / "HEAD").is_file() and (repo / "objects").is_dir():
        return repo.absolute()
    found = find(repo).common_dir
    assert found, "a working copy of git has a git directory"
    return found.absolute()


def _commit(git: Git, repo: Path, name: str) -> str:
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a commit")
    try:
        return git.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").decode().strip()
    except SwesearchError as error:
        raise UsageError(f"{repo} has no commit {name}: fetch it first (in Actions: fetch-depth: 0)") from error


def _fork_point(git: Git, base: str, head: str) -> str:
    """What the pull request is compared with: the base branch may have gone on since, and that is not the pull request's doing."""
    try:
        return git.run("merge-base", base, head).decode().split()[0]
    except SwesearchError as error:
        raise UsageError(f"{base[:12]} and {head[:12]} have no common ancestor here: fetch the whole history (fetch-depth: 0)") from error


def _revision(source: Git, commit: str, folder: Path) -> Revision:
    tree = source.run("rev-parse", f"{commit}^{{tree}}").decode().strip()
    own = folder / ".git"
    own.mkdir(parents=True, exist_ok=True)
    make_git_dir(own, source.folder / "objects")
    git = Git(own, {"GIT_WORK_TREE": str(folder)})
    git.run("read-tree", tree, cwd=folder)
    git.run("checkout-index", "--all", "--force", "--quiet", cwd=folder)
    return Revision(commit, State(tree), folder)
