"""An issue as it comes in: what a person reads of it, and what speaks against mending it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from swesearch.agents.clean import shortened
from swesearch.base import UsageError
from swesearch.github.base import Api, GitHubError, GitHubUnavailable, Repository
from swesearch.github.markdown import Seen, as_seen

HEARD = frozenset({"OWNER", "MEMBER", "COLLABORATOR", "CONTRIBUTOR"})  # whose comments matter, and the author's own
COMMENTS, BODY, COMMENT = 30, 30_000, 4_000  # at most so many, and so many characters
CLOSES = r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b:?\s+(?:{name})?(?:#|gh-|https?://\S{{1,200}}/issues/){number}\b"

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Issue:
    """An open question to a repository."""

    repository: Repository
    number: int
    url: str
    title: str
    text: str  # title, body, labels and the comments that matter, as a reader sees them
    labels: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()  # their addresses
    objections: tuple[str, ...] = ()  # why it may not want mending by us
    removed: Mapping[str, int] = field(default_factory=dict)  # what was hidden in it


def parse_url(url: str) -> tuple[Repository, int]:
    """The repository and the number in the address of an issue. Raises UsageError for every other address."""
    parts = urlsplit(url)
    words = parts.path.strip("/").split("/")
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or len(words) != 4 or not re.fullmatch(r"[1-9]\d{0,9}", words[3]):
        raise UsageError(f"{url} is not the address of an issue: it looks like https://github.com/OWNER/NAME/issues/123")
    if words[2] != "issues":
        raise UsageError(f"{url} is not an issue but one of the {words[2]}: name the issue itself")
    return Repository(words[0], words[1], parts.netloc.lower()), int(words[3])


def read_issue(api: Api, repository: Repository, number: int) -> Issue:
    """Read an issue with all that belongs to it. Raises UsageError, GitHubError (private, deleted, moved), GitHubUnavailable."""
    try:
        return _read(api, repository, number)
    except (KeyError, TypeError, AttributeError) as error:
        raise GitHubUnavailable(f"what answers at {repository.host} is not GitHub: there is something wrong with {error}") from error


def _read(api: Api, repository: Repository, number: int) -> Issue:
    path = f"{repository.path}/issues/{number}"
    data = api.get(path)
    _check_place(data, repository, number)
    comments = [each for each in api.pages(f"{path}/comments") if _matters(each, _login(data))][-COMMENTS:]
    said = [as_seen(data["body"] or ""), *(as_seen(each["body"] or "") for each in comments)]
    labels = tuple(as_seen(label["name"]).text for label in data["labels"])
    title = as_seen(data["title"]).text
    removed: Counter[str] = Counter()
    for seen in said:
        removed.update(seen.removed)
    return Issue(
        repository,
        number,
        data["html_url"],
        title,
        _text(title, labels, said[0], zip(map(_who, comments), said[1:], strict=True)),
        labels,
        tuple(picture for seen in said for picture in seen.pictures),
        tuple(_objections(data, api.pages(f"{path}/timeline"), repository, number)),
        removed,
    )


def closes(text: str, repository: Repository, number: int) -> bool:
    """Whether a pull request with this text closes the issue when it is merged."""
    return re.search(CLOSES.format(name=re.escape(repository.full_name), number=number), text, re.IGNORECASE) is not None


def _check_place(data: Json, repository: Repository, number: int) -> None:
    """Raises UsageError where this is no issue, GitHubError where it is no longer here."""
    url = str(data["html_url"])
    if "pull_request" in data:
        raise UsageError(f"{url} is a pull request: name the issue that it is about")
    if urlsplit(url).path.lower() != f"/{repository.full_name}/issues/{number}".lower():
        raise GitHubError(f"the issue has moved to {url}: give that address", 301)


def _matters(comment: Json, author: str) -> bool:
    """Whether a comment is by somebody who knows, and was not hidden by a moderator or written by a program."""
    if comment.get("minimized") or comment.get("performed_via_github_app") or (comment["user"] or {}).get("type") == "Bot":
        return False
    return comment.get("author_association") in HEARD or _login(comment) == author


def _login(data: Json) -> str:
    return str((data["user"] or {}).get("login", "ghost"))


def _who(comment: Json) -> str:
    return f"{_login(comment)} ({str(comment.get('author_association', 'none')).lower()})"


def _text(title: str, labels: Iterable[str], body: Seen, comments: Iterable[tuple[str, Seen]]) -> str:
    parts = [title, shortened(body.text, BODY)]
    if named := ", ".join(labels):
        parts.append(f"Labels: {named}")
    parts += [f"Comment by {who}:\n{shortened(seen.text, COMMENT)}" for who, seen in comments if seen.text]
    return "\n\n".join(filter(None, parts)) + "\n"


def _objections(data: Json, timeline: Iterable[Json], repository: Repository, number: int) -> Iterator[str]:
    if data["state"] != "open":
        yield "it is closed"
    if data["locked"]:
        yield "it is locked"
    if names := ", ".join(person["login"] for person in data["assignees"]):
        yield f"it is assigned to {names}"
    linked = 0
    for event in timeline:
        linked += {"connected": 1, "disconnected": -1}.get(event.get("event", ""), 0)
        source = (event.get("source") or {}).get("issue") or {}
        if "pull_request" in source and source["state"] == "open" and closes(source["body"] or "", repository, number):
            yield f"pull request #{source['number']} says that it mends it"
    if linked > 0:
        yield "a pull request is linked to it"
