"""A fix goes out as a draft pull request: a new branch, one commit with the fix and nothing else, and a text that can be checked."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swesearch.base import SwesearchError, UsageError
from swesearch.github.base import Api, GitHubError, Refused
from swesearch.github.body import pull_body, pull_title
from swesearch.github.bundle import Bundle, Change
from swesearch.github.clone import Clone
from swesearch.github.issue import Issue
from swesearch.github.markdown import title as plain
from swesearch.runs import Run
from swesearch.solve import candidate, solution
from swesearch.solve.proofs import Proof
from swesearch.store.paths import encode
from swesearch.value.protect import is_test

PREFIX = "swesearch/fix"
FORBIDDEN = ".github/"  # what is there runs with the rights of the repository


@dataclass(frozen=True, slots=True)
class Place:
    """Where a pull request can be opened."""

    clone: Clone
    branch: str  # that it wants to go to


@dataclass(frozen=True, slots=True)
class Proposal:
    """A commit that could go out on a branch; `url` is that of the pull request which it has already, if any."""

    where: Place
    issue: Issue
    commit: str
    branch: str
    url: str


def place(api: Api, clone: Clone) -> Place:
    """Check beforehand what would make the pull request fail. Raises UsageError without a token, GitHubError, Refused."""
    repository = clone.repository
    if api.anonymous:
        raise UsageError(f"a pull request needs a token: set GITHUB_TOKEN, or `gh auth login --hostname {repository.host}`")
    data = api.get(repository.path)
    if data["archived"]:
        raise Refused(f"{repository.full_name} is archived: nothing can be pushed there")
    if not (data.get("permissions") or {}).get("push", True):
        raise GitHubError(f"the account may not push to {repository.full_name}: apply the fix in a fork, or use another token", 403)
    return Place(clone, data["default_branch"])


def refuse_forbidden(changes: Iterable[Change]) -> None:
    """Raises Refused where a fix changes what GitHub itself would run."""
    if found := [change.path for change in changes if change.path.lower().startswith(FORBIDDEN)]:
        raise Refused(f"the fix changes {found[0]}: nothing below {FORBIDDEN} goes into a pull request of ours")


def propose(api: Api, where: Place, issue: Issue, run: Run, bundle: Bundle) -> Proposal:
    """Make the commit, here only: the same each time. Raises Refused, UsageError, GitHubError, GitHubUnavailable."""
    refuse_forbidden(bundle.after)
    if besides := [change.path for change in bundle.before if not is_test(change.path)]:
        raise UsageError(
            f"the fix was found with {besides[0]} changed beforehand, which is not in {where.branch}: there is no proof without it"
        )
    commit = _commit(api, where, issue, run, bundle)
    branch = f"{PREFIX}-{issue.number}-{commit[:10]}"
    if branch == where.branch:
        raise Refused(f"{branch} is the default branch of the repository")
    return Proposal(where, issue, commit, branch, _known(api, where, branch))


def open_pull_request(api: Api, proposal: Proposal, run: Run, number: int, bundle: Bundle, found: Sequence[Proof]) -> str:
    """Push the branch and open a draft; returns its address. Raises GitHubError, GitHubUnavailable.

    May be called again after each of them: what was done is not done twice.
    """
    solved, issue, branch = solution(run), proposal.issue, proposal.branch
    assert solved
    proposal.where.clone.push(proposal.commit, branch)
    body = pull_body(issue.number, run, solved, candidate(run, number), bundle, found)
    title = pull_title(issue.number, issue.title)
    words = {"title": title, "body": body, "head": branch, "base": proposal.where.branch, "draft": True}
    try:
        return str(api.send("POST", f"{issue.repository.path}/pulls", words)["html_url"])
    except GitHubError as error:
        raise GitHubError(f"the branch {branch} is pushed, but the draft could not be opened: {error}", error.status) from error


def _known(api: Api, where: Place, branch: str) -> str:
    """The address of the pull request of this branch, "" where there is none. Raises Refused where somebody closed it."""
    repository = where.clone.repository
    for pull in api.pages(f"{repository.path}/pulls", state="all", head=f"{repository.owner}:{branch}"):
        if pull["state"] != "open":
            raise Refused(f"{pull['html_url']} had the same fix, and was closed")
        return str(pull["html_url"])
    return ""


def _commit(api: Api, where: Place, issue: Issue, run: Run, bundle: Bundle) -> str:
    """The commit of the fix upon the one it was found for: the same each time. Raises UsageError where that one is not upstream."""
    clone = where.clone
    tip = clone.fetch(f"refs/heads/{where.branch}")
    git = clone.git()
    try:
        git.run("merge-base", "--is-ancestor", bundle.commit, tip)
    except SwesearchError as error:
        raise UsageError(f"the fix is for {bundle.commit[:12]}, which is not in {where.branch} of {issue.repository.full_name}") from error
    begun = next(event.data["time"] for event in run.events() if event.kind == "begun")
    who = _identity(api, issue.repository.host) | {f"GIT_{role}_DATE": f"{int(begun)} +0000" for role in ("AUTHOR", "COMMITTER")}
    why = plain(str(bundle.about.get("why", "")), 400)
    message = f"{pull_title(issue.number, issue.title)}\n\n{why}\n\nFound and verified by swesearch, run {run.id}.\n"
    with tempfile.TemporaryDirectory(prefix="swesearch-") as scratch:
        env = {"GIT_INDEX_FILE": str(Path(scratch) / "index"), **who}
        git.run("read-tree", bundle.commit, env=env)
        rows = b"".join(_index_row(clone, change) for change in bundle.after)
        git.run("update-index", "-z", "--index-info", stdin=rows, env=env)
        tree = git.run("write-tree", "--missing-ok", env=env).decode().strip()
        return git.run("commit-tree", tree, "-p", bundle.commit, stdin=message.encode(), env=env).decode().strip()


def _index_row(clone: Clone, change: Change) -> bytes:
    """One line for `update-index --index-info`."""
    if change.content is None:
        return b"0 %s\t%s\0" % (b"0" * 40, encode(change.path))
    blob = clone.git().run("hash-object", "-w", "--stdin", "--no-filters", stdin=change.content).strip()
    return b"%o %s\t%s\0" % (0o100755 if change.executable else 0o100644, blob, encode(change.path))


def _identity(api: Api, host: str) -> dict[str, str]:
    """Who commits: the account of the token; the token of a workflow has none."""
    try:
        user: dict[str, Any] = api.get("user")
        name, address = str(user["login"]), f"{user['id']}+{user['login']}@users.noreply.{host.partition(':')[0]}"
    except GitHubError:
        name, address = "swesearch", "noreply@swesearch.invalid"
    return {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in (("NAME", name), ("EMAIL", address))}
