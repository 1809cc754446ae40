"""What GitHub's answers look like: every field that its own description of the API requires, and those that we read."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]
WHEN = "2024-05-01T12:00:00Z"
USER_URLS = "followers following gists organizations received_events repos starred subscriptions events"
REPOSITORY_URLS = (
    "archive assignees blobs branches collaborators comments commits compare contents contributors deployments downloads events forks "
    "git_commits git_refs git_tags hooks issue_comment issue_events issues keys labels languages merges milestones notifications pulls "
    "releases stargazers statuses subscribers subscription tags teams trees"
)
COUNTS = "forks forks_count open_issues open_issues_count stargazers_count watchers watchers_count size network_count subscribers_count"
HAS = "has_issues has_projects has_wiki has_pages has_discussions has_downloads"


class Shapes:
    """Makes JSON objects of one server."""

    def __init__(self, web: str) -> None:
        self.web, self.api = web, f"{web}/api/v3"

    def user(self, login: str) -> Json:
        """A person, or a bot where the login says so."""
        url, ident = f"{self.api}/users/{login}", number(login)
        kind = "Bot" if login.endswith("[bot]") else "User"
        pages = {"html_url": f"{self.web}/{login}", "avatar_url": f"{self.web}/{login}.png", "gravatar_id": ""}
        more = _urls(url, USER_URLS.split())
        return {"login": login, "type": kind, "site_admin": False, "url": url, **node(ident), **pages, **more}

    def account(self, login: str) -> Json:
        """A person as they see themselves."""
        words = dict.fromkeys(("bio", "blog", "company", "email", "hireable", "location", "name"))
        names = "followers following public_gists public_repos collaborators disk_usage owned_private_repos private_gists"
        counts = dict.fromkeys((*names.split(), "total_private_repos"), 0)
        dates = {"created_at": WHEN, "updated_at": WHEN, "two_factor_authentication": True, "user_view_type": "private"}
        return {**self.user(login), **words, "blog": "", **counts, **dates}

    def repository(self, full_name: str, private: bool, branch: str, push: bool, **fields: Any) -> Json:
        """A repository as one with or without the right to push sees it."""
        owner, _, name = full_name.partition("/")
        url, page = f"{self.api}/repos/{full_name}", f"{self.web}/{full_name}"
        links = {"url": url, "html_url": page, "clone_url": f"{page}.git", "git_url": f"{page}.git", "svn_url": page}
        none = dict.fromkeys(("description", "homepage", "language", "license", "mirror_url"))
        flags = {"private": private, "fork": False, "archived": False, "disabled": False, **dict.fromkeys(HAS.split(), True)}
        may = {"admin": False, "maintain": False, "push": push, "triage": push, "pull": True}
        dates = {"created_at": WHEN, "updated_at": WHEN, "pushed_at": WHEN, "ssh_url": f"git@host:{full_name}.git"}
        return {
            **node(number(full_name)), **_urls(url, REPOSITORY_URLS.split()), **links, **none, **dict.fromkeys(COUNTS.split(), 0),
            **flags, **dates, "name": name, "full_name": full_name, "owner": self.user(owner), "default_branch": branch,
            "permissions": may, **fields,
        }  # fmt: skip

    def issue(self, full_name: str, ident: int, title: str, body: str, login: str, association: str) -> Json:
        """An open issue."""
        url, page = f"{self.api}/repos/{full_name}/issues/{ident}", f"{self.web}/{full_name}/issues/{ident}"
        links = {"url": url, "html_url": page, "repository_url": f"{self.api}/repos/{full_name}"}
        none = dict.fromkeys(("assignee", "closed_at", "milestone", "active_lock_reason", "performed_via_github_app"))
        return {
            **node(number(page)), **links, **_urls(url, ("comments", "events", "labels", "timeline")), **none, **dates(), "number": ident,
            "title": title, "body": body, "user": self.user(login), "author_association": association, "state": "open",
            "locked": False, "labels": [], "assignees": [], "comments": 0,
        }  # fmt: skip

    def comment(self, full_name: str, issue: int, ident: int, body: str, login: str, association: str) -> Json:
        """A comment on an issue or a pull request."""
        url, page = f"{self.api}/repos/{full_name}/issues/comments/{ident}", f"{self.web}/{full_name}/issues/{issue}#issuecomment-{ident}"
        links = {"url": url, "html_url": page, "issue_url": f"{self.api}/repos/{full_name}/issues/{issue}"}
        who = {"user": self.user(login), "author_association": association, "performed_via_github_app": None}
        return {**node(ident), **links, **dates(), **who, "body": body}

    def label(self, name: str) -> Json:
        """A label."""
        words = {"name": name, "color": "ffffff", "default": False, "description": None, "url": f"{self.api}/labels/{number(name)}"}
        return {**node(number(name)), **words}

    def mention(self, issue: Json) -> Json:
        """What the timeline of an issue says where another issue or a pull request names it."""
        source = {"type": "issue", "issue": issue}
        return {"event": "cross-referenced", "actor": issue["user"], "created_at": WHEN, "updated_at": WHEN, "source": source}

    def pull(self, base: Json, head: Json, shas: tuple[str, str], refs: tuple[str, str], ident: int, words: Json) -> Json:
        """A pull request: `words` are title, body, draft, user and author_association."""
        url, page = f"{base['url']}/pulls/{ident}", f"{base['html_url']}/pull/{ident}"
        issue = f"{base['url']}/issues/{ident}"
        names = ("self", "html", "issue", "comments", "review_comments", "review_comment", "commits", "statuses")
        none = ("assignee", "closed_at", "merge_commit_sha", "merged_at", "milestone", "auto_merge", "mergeable", "merged_by")
        counts = ("additions", "changed_files", "comments", "commits", "deletions", "review_comments")
        links = {"url": url, "html_url": page, "diff_url": f"{page}.diff", "patch_url": f"{page}.patch", "issue_url": issue}
        sides = {
            side: {"label": f"{repo['owner']['login']}:{ref}", "ref": ref, "sha": sha, "repo": repo, "user": repo["owner"]}
            for side, repo, sha, ref in zip(("base", "head"), (base, head), shas, refs, strict=True)
        }
        return {
            **node(number(page)), **links, **_urls(url, ("commits", "review_comments", "review_comment")),
            "comments_url": f"{issue}/comments",
            "statuses_url": f"{base['url']}/statuses/{shas[1]}", **dict.fromkeys(none), **dict.fromkeys(counts, 0), **dates(), **sides,
            "_links": {name: {"href": url} for name in names}, "number": ident, "state": "open", "locked": False, "labels": [],
            "assignees": [], "merged": False, "mergeable_state": "unknown", "maintainer_can_modify": False, **words,
        }  # fmt: skip

    def file(self, path: str, status: str, blob: str, counts: tuple[int, int], patch: str) -> Json:
        """A file of a pull request."""
        added, removed = counts
        links = {f"{name}_url": f"{self.api}/{name}/{path}" for name in ("blob", "raw", "contents")}
        numbers = {"additions": added, "deletions": removed, "changes": added + removed, "sha": blob}
        return {"filename": path, "status": status, "patch": patch, **numbers, **links}

    def review(self, pull: Json, ident: int, login: str, body: Mapping[str, Any]) -> Json:
        """A review of a pull request."""
        state = {"COMMENT": "COMMENTED", "APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED"}[body.get("event", "COMMENT")]
        links = {"html": {"href": pull["html_url"]}, "pull_request": {"href": pull["url"]}}
        where = {"html_url": pull["html_url"], "pull_request_url": pull["url"], "_links": links, "submitted_at": WHEN}
        what = {"user": self.user(login), "body": body.get("body", ""), "state": state, "author_association": "NONE"}
        return {**node(ident), **where, **what, "commit_id": body.get("commit_id", pull["head"]["sha"])}

    def check(self, full_name: str, ident: int, body: Mapping[str, Any]) -> Json:
        """A check run."""
        url = f"{self.api}/repos/{full_name}/check-runs/{ident}"
        given = body.get("output") or {}
        output = {name: given.get(name) for name in ("title", "summary", "text")}
        output |= {"annotations_count": len(given.get("annotations", ())), "annotations_url": f"{url}/annotations"}
        done = body.get("conclusion")
        words = {"name": body["name"], "head_sha": body["head_sha"], "status": body.get("status", "completed" if done else "queued")}
        ends = {"conclusion": done, "started_at": WHEN, "completed_at": WHEN if done else None}
        links = {"url": url, "html_url": f"{self.web}/{full_name}/runs/{ident}", "details_url": body.get("details_url")}
        none: Json = {"external_id": body.get("external_id"), "check_suite": None, "app": None, "pull_requests": []}
        return {**node(ident), **words, **ends, **links, **none, "output": output}


def node(ident: int) -> Json:
    """The two names that everything has."""
    return {"id": ident, "node_id": base64.b64encode(str(ident).encode()).decode()}


def number(name: str) -> int:
    """A number for a name, the same each time."""
    return zlib.crc32(name.encode())


def dates() -> Json:
    """Nothing here gets older."""
    return {"created_at": WHEN, "updated_at": WHEN}


def _urls(url: str, names: Iterable[str]) -> Json:
    return {f"{name}_url": f"{url}/{name}" for name in names}
