"""The words of GitHub: where things are, who wrote them, and one small way to talk to the REST API.

    GitHubError         exit 2    GitHub says no: a bad token, a missing permission, nothing there. Says what to do
    GitHubUnavailable   exit 5    we could not ask: no network, a used-up rate limit, a server that fails. Try again later
    Refused             exit 6    a policy of ours says no: a closed issue without --force, a workflow file in a patch

For whoever builds on this: `swesearch.github.access` has `find_access` (which server, which token) and `connect`, which gives an
`Api`; tests use `swesearch.testing.github.GitHub`, a stateful stand-in that answers over HTTP and speaks git (see its docstring).
Everything that comes back is as hostile as whoever wrote it, except ids, shas and permissions, which are GitHub's own words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from swesearch.base import SwesearchError, UsageError

WRITERS = frozenset({"admin", "maintain", "write"})  # who may push
OWNER, NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*", r"(?!\.\.?(?:/|$))[A-Za-z0-9._-]+"


class GitHubError(UsageError):
    """GitHub refuses what was asked. `status` is the HTTP status."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class GitHubUnavailable(SwesearchError):
    """GitHub could not be asked, and waiting did not help. Nothing is lost: the same command can be given again."""

    exit_code: ClassVar[int] = 5


class Refused(SwesearchError):
    """A policy forbids it. Says which, and what would lift it if anything does."""

    exit_code: ClassVar[int] = 6


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on a GitHub server. Raises UsageError where owner or name could be anything else than a name."""

    owner: str
    name: str
    host: str = "github.com"  # with its port, where that is not the usual one

    def __post_init__(self) -> None:
        if not re.fullmatch(OWNER, self.owner) or not re.fullmatch(NAME, self.name):
            raise UsageError(f"{self.owner}/{self.name} is not the name of a GitHub repository")

    @classmethod
    def of(cls, full_name: str, host: str = "github.com") -> Repository:
        """The repository called "owner/name". Raises UsageError."""
        owner, _, name = full_name.partition("/")
        return cls(owner, name, host)

    @property
    def full_name(self) -> str:
        """As GitHub writes it: owner/name."""
        return f"{self.owner}/{self.name}"

    @property
    def path(self) -> str:
        """Where it is in the API: the beginning of the paths that `Api` takes."""
        return f"repos/{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Access:
    """A GitHub server and the account to use there, none where `token` is empty."""

    host: str
    api_url: str
    web_url: str  # of pages and of git
    token: str = field(default="", repr=False)


class Api(Protocol):
    """The REST API of one GitHub server, with one account or none. Paths are relative: "repos/o/r/issues/1".

    Each method raises GitHubError (with its `status`: 401, 403, 404, 410, 422 ...) or GitHubUnavailable. Rate limits are waited for
    up to a limit, reads are tried again, writes are not: they may have happened.
    """

    anonymous: bool  # without a token: public things can be read, nothing can be written

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON value at `path`."""
        ...

    def pages(self, path: str, **query: str | int) -> Iterator[Any]:
        """Every item of a list, over all its pages; where the answer is an object, its one list is meant (check runs, for example)."""
        ...

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """POST, PATCH, PUT or DELETE `body`; the JSON value that comes back, None where nothing does."""
        ...


def permission(api: Api, repository: Repository, login: str) -> str:
    """What GitHub lets `login` do in the repository: admin, write, read or none. Never believe an author association instead."""
    if not re.fullmatch(rf"{OWNER}(?:\[bot\])?", login):
        return "none"
    try:
        return str(api.get(f"{repository.path}/collaborators/{login}/permission")["permission"])
    except GitHubError as error:
        if error.status == 404:  # nobody that the repository knows
            return "none"
        raise
