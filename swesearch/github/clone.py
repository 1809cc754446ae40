"""Copies of repositories on GitHub: a partial clone in a cache, working copies made from it, one branch pushed back.

The token is in the environment of the git commands that talk to the server, and nowhere else: in no argument, no URL and no file.
"""

from __future__ import annotations

import base64
import fcntl
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from swesearch.base import SwesearchError, UsageError
from swesearch.github.base import Access, GitHubError, GitHubUnavailable, Repository
from swesearch.store.gitsafe import CONFIG, Git, make_git_dir, write_file

SECONDS = 3600.0  # the first clone of a large repository takes long
NETWORK = (
    *("http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "CURL_CA_BUNDLE"),
)
PARTIAL = """\
[core]
\trepositoryformatversion = 1
\tbare = {bare}
[extensions]
\tpartialClone = origin
[remote "origin"]
\turl = {url}
\tpromisor = true
\tpartialCloneFilter = blob:none
"""
UNREACHED = re.compile(r"Could not resolve|Failed to connect|Connection (?:refused|reset|timed)|timed out|error: 5\d\d|early EOF|SSL", re.I)
UNKNOWN = re.compile(r"could not read Username|Authentication failed|error: 40[14]|not found", re.IGNORECASE)
FORBIDDEN = re.compile(r"error: 403|denied|refusing to allow|protected branch|GH006|GH013", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clone:
    """A repository's history in a bare git directory of ours; contents of files come when they are needed."""

    access: Access
    repository: Repository
    folder: Path

    @classmethod
    def of(cls, access: Access, repository: Repository, home: Path) -> Clone:
        """The clone in the cache below `home`, made if it is not there yet. Raises UsageError where it cannot be written."""
        host = access.host.replace(":", "_")
        clone = cls(access, repository, home / "clones" / host / repository.owner.lower() / f"{repository.name.lower()}.git")
        try:
            clone.folder.mkdir(parents=True, exist_ok=True)
            with clone._alone():
                clone._prepare(clone.folder, None, bare=True)
        except OSError as error:
            raise UsageError(f"{clone.folder} cannot be written ({error.strerror}): choose another place with --home") from error
        return clone

    @property
    def url(self) -> str:
        """Where git finds it. No user, no password."""
        return f"{self.access.web_url}/{self.repository.full_name}.git"

    def fetch(self, ref: str) -> str:
        """Bring "refs/heads/main" or "refs/pull/5/head" here; returns its commit. Raises GitHubError, GitHubUnavailable."""
        here = f"refs/fetched/{ref.removeprefix('refs/')}"
        with self._alone():
            self._local("check-ref-format", ref)
            options = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-gc", "--filter=blob:none", "--quiet")
            self._remote("fetch", *options, "origin", f"+{ref}:{here}")
            return self._local("rev-parse", "--verify", f"{here}^{{commit}}")

    def check_out(self, commit: str, folder: Path) -> Path:
        """A working copy of `commit` in the new folder, with files exactly as they are in git."""
        own = folder / ".git"
        self._prepare(own, self.folder / "objects", bare=False)
        write_file(own / "HEAD", f"{commit}\n".encode())
        env = {"GIT_WORK_TREE": str(folder), "GIT_INDEX_FILE": str(own / "index")}
        self._remote("read-tree", "--reset", "-u", commit, cwd=folder, env=env)
        return folder

    def push(self, commit: str, branch: str) -> None:
        """Make a new branch on the server; one that is there already and differs is an error. Raises GitHubError, GitHubUnavailable."""
        self._remote("push", "--quiet", "--no-recurse-submodules", "origin", f"{commit}:refs/heads/{branch}")

    def git(self) -> Git:
        """Git in the clone, which asks nobody."""
        return Git(self.folder)

    def _prepare(self, folder: Path, objects: Path | None, *, bare: bool) -> None:
        """Make a git directory that knows where missing contents are. One that is there already is left alone: others may be using it."""
        config = CONFIG + PARTIAL.format(url=self.url, bare=str(bare).lower()).encode()
        if not (folder / "config").is_file() or (folder / "config").read_bytes() != config:
            make_git_dir(folder, objects)
            write_file(folder / "config", config)

    def _local(self, *args: str) -> str:
        return self.git().run(*args).decode().strip()

    def _remote(self, *args: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> None:
        """A command that may talk to the server."""
        try:
            Git(self.folder, {**network(self.access), **(env or {})}, SECONDS).run(*args, cwd=cwd)
        except SwesearchError as error:
            raise _told(str(error), self.repository, self.access) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One fetch at a time, over all processes."""
        with (self.folder / "lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            for left in self.folder.glob("refs/**/*.lock"):  # by a fetch that was killed: nobody else writes refs here
                left.unlink()
            yield


def network(access: Access) -> dict[str, str]:
    """What a git command needs to talk to this server: the token as a header, in memory only. No helper, no redirection."""
    settings = {"http.followRedirects": "false", "credential.helper": ""}
    if access.token:
        credentials = base64.b64encode(f"x-access-token:{access.token}".encode()).decode()
        settings[f"http.{access.web_url}/.extraHeader"] = f"Authorization: Basic {credentials}"
    env = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_NO_LAZY_FETCH": "0", "GIT_ALLOW_PROTOCOL": urlsplit(access.web_url).scheme}
    for number, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return env | {name: os.environ[name] for name in NETWORK if name in os.environ}


def new_folder(home: Path, repository: Repository, number: int) -> Path:
    """A folder of its own for a working copy; runs are named after it."""
    return home / "checkouts" / f"{repository.owner}-{repository.name}-{number}-{secrets.token_hex(2)}"


def _told(said: str, repository: Repository, access: Access) -> SwesearchError:
    """What git said, as what it means."""
    where = f"{repository.full_name} on {access.host}"
    if UNREACHED.search(said):
        return GitHubUnavailable(f"{where} cannot be reached ({said}): try again later")
    if FORBIDDEN.search(said):
        return GitHubError(f"{where} refuses it: the token needs to write contents there ({said})", 403)
    if UNKNOWN.search(said):
        more = "the token may be wrong, or may not read it" if access.token else "a private repository needs a token: set GITHUB_TOKEN"
        return GitHubError(f"{where} cannot be had: {more}", 404)
    return SwesearchError(said)
