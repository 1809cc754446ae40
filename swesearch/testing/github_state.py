"""What the stand-in for GitHub knows: accounts, repositories, issues, pull requests, and who may do what."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .github_git import Bare
from .github_shapes import WHEN, Json, Shapes

RIGHTS = frozenset({"contents", "issues", "pull_requests", "checks", "statuses"})
WRITERS = ("admin", "maintain", "write")


@dataclass(frozen=True, slots=True)
class Account:
    """Who a token stands for, and what the token may write."""

    login: str
    rights: Collection[str] = RIGHTS


@dataclass(slots=True)
class Pull:
    """A pull request. Its shas are those of the branches, whenever somebody asks; `refs/pull/N/head` follows."""

    base: str
    head: str
    source: Hub  # where the head branch is: the repository or a fork
    words: Json
    state: Json = field(default_factory=dict)  # what was changed since
    last: str = ""  # the head while it was there: its branch may be deleted


@dataclass(slots=True)
class Hub:
    """A repository with its issues and pull requests."""

    name: str  # owner/name
    git: Bare
    shapes: Shapes
    private: bool = False
    branch: str = "main"
    roles: dict[str, str] = field(default_factory=dict)  # permission by login; everybody may read what is not private
    fields: Json = field(default_factory=dict)  # of the repository's JSON
    drafts: bool = True  # whether it takes draft pull requests
    moved: str = ""  # the name it goes by now
    issues: dict[int, Json] = field(default_factory=dict)
    gone: dict[int, str] = field(default_factory=dict)  # issues that were deleted (""), or the path in the API where they are now
    comments: dict[int, list[Json]] = field(default_factory=dict)  # by issue or pull request
    mentions: dict[int, list[int]] = field(default_factory=dict)  # of an issue, by others
    pulls: dict[int, Pull] = field(default_factory=dict)
    reviews: dict[int, list[Json]] = field(default_factory=dict)
    checks: dict[int, Json] = field(default_factory=dict)
    annotations: dict[int, list[Json]] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1000))

    def role(self, login: str) -> str:
        """admin, write, read or none."""
        return "admin" if login == self.name.partition("/")[0] else self.roles.get(login, "none" if self.private else "read")

    def json(self, login: str = "") -> Json:
        """The repository as this person sees it."""
        return self.shapes.repository(self.name, self.private, self.branch, self.role(login) in WRITERS, **self.fields)

    def association(self, login: str) -> str:
        """How somebody stands to the repository, as GitHub calls it."""
        owner = login == self.name.partition("/")[0]
        return "OWNER" if owner else "COLLABORATOR" if self.role(login) in WRITERS else "NONE"

    def issue(self, title: str, body: str = "", login: str = "reporter", **fields: Any) -> int:
        """Open an issue; returns its number. `fields` are of its JSON: state="closed", locked=True, assignees=[...]"""
        ident = next(self._numbers)
        found = self.shapes.issue(self.name, ident, title, body, login, self.association(login))
        labels = [self.shapes.label(name) for name in fields.pop("labels", ())]
        people = [self.shapes.user(name) for name in fields.pop("assignees", ())]
        self.issues[ident] = {**found, "labels": labels, "assignees": people, "assignee": people[0] if people else None, **fields}
        return ident

    def comment(self, issue: int, body: str, login: str = "reporter", **fields: Any) -> Json:
        """Say something on an issue or a pull request. `fields` are of its JSON: minimized={...}"""
        said = self.shapes.comment(self.name, issue, next(self._ids), body, login, self.association(login)) | fields
        self.comments.setdefault(issue, []).append(said)
        return said

    def mention(self, issue: int, by: int) -> None:
        """Let the timeline of an issue tell that another issue or pull request names it; one that is opened here does so by itself."""
        self.mentions.setdefault(issue, []).append(by)

    def timeline(self, issue: int) -> list[Json]:
        """What happened to an issue, as things are now."""
        by = self.mentions.get(issue, [])
        return [self.shapes.mention(self.pull_as_issue(each) if each in self.pulls else self.issues[each]) for each in by]

    def pull(self, title: str, head: str, login: str, source: Hub | None = None, **words: Any) -> int:
        """Open a pull request for branch `head`, of this repository or of the fork `source`; returns its number."""
        ident = next(self._numbers)
        said = {"title": title, "body": "", "draft": False, **words, "user": self.shapes.user(login)}
        base = said.pop("base", self.branch)
        self.pulls[ident] = Pull(base, head, source or self, said | {"author_association": self.association(login)})
        self.pull_json(ident)
        for named in re.findall(r"#(\d+)", said["body"] or ""):
            if int(named) in self.issues:
                self.mention(int(named), ident)
        return ident

    def pull_json(self, ident: int) -> Json:
        """A pull request as it is now."""
        pull = self.pulls[ident]
        pull.last = pull.source.git.sha(pull.head) or pull.last
        self.git.take(pull.source.git, pull.last)
        self.git.keep(f"refs/pull/{ident}/head", pull.last)
        shas = (self.git.sha(pull.base), pull.last)
        return self.shapes.pull(self.json(), pull.source.json(), shas, (pull.base, pull.head), ident, pull.words) | pull.state

    def pull_as_issue(self, ident: int) -> Json:
        """A pull request is an issue too."""
        pull = self.pull_json(ident)
        found = self.shapes.issue(self.name, ident, pull["title"], pull["body"], pull["user"]["login"], pull["author_association"])
        links = {name: pull[name] for name in ("url", "html_url", "diff_url", "patch_url")}
        return found | {"html_url": pull["html_url"], "state": pull["state"], "pull_request": links | {"merged_at": pull["merged_at"]}}

    def review(self, ident: int, login: str, body: Json) -> Json:
        """Review a pull request."""
        found = self.shapes.review(self.pull_json(ident), next(self._ids), login, body)
        self.reviews.setdefault(ident, []).append(found | {"comments": body.get("comments", [])})
        return found

    def check(self, body: Json, ident: int | None = None) -> Json:
        """Make a check run, or change one; annotations are added to those that are there."""
        ident = next(self._ids) if ident is None else ident
        self.checks[ident] = {**self.checks.get(ident, {}), **body}
        self.annotations.setdefault(ident, []).extend((body.get("output") or {}).get("annotations", ()))
        found = self.shapes.check(self.name, ident, self.checks[ident])
        found["output"]["annotations_count"] = len(self.annotations[ident])
        return found

    def close(self, ident: int) -> None:
        """Close an issue or a pull request."""
        self.issues.get(ident, self.pulls[ident].state if ident in self.pulls else {}).update(state="closed", closed_at=WHEN)


@dataclass(slots=True)
class World:
    """Everything on one server."""

    root: Path
    shapes: Shapes
    accounts: dict[str, Account] = field(default_factory=dict)  # by token
    hubs: dict[str, Hub] = field(default_factory=dict)
    attachments: dict[str, bytes] = field(default_factory=dict)

    def repository(self, name: str, source: Path, *, private: bool = False, branch: str = "main", roles: Json | None = None) -> Hub:
        """Put a copy of a git repository on the server."""
        bare = Bare.of(source, self.root / f"{name}.git")
        self.hubs[name] = Hub(name, bare, self.shapes, private, branch, dict(roles or {}))
        return self.hubs[name]

    def visible(self, name: str, account: Account | None) -> Hub | None:
        """The repository, None where this account cannot see it."""
        hub = self.hubs.get(name)
        return hub if hub and hub.role(account.login if account else "") != "none" else None
