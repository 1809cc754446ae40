"""What a GitHub runner says of the event: which pull request to review, and, in the job that posts, which head it must be."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from swesearch.base import UsageError
from swesearch.github.base import Api, Refused, Repository
from swesearch.github.bot.post import Place

SHA = re.compile(r"[0-9a-f]{40}")
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "INPUT_GITHUB_TOKEN", "INPUT_GITHUB-TOKEN")


def read_event(environ: Mapping[str, str]) -> Mapping[str, Any]:
    """The event that the runner was started by. Raises UsageError outside of a runner."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not path:
        raise UsageError("GITHUB_EVENT_PATH is not set: this is for GitHub Actions; elsewhere there is `swesearch bot review`")
    try:
        event = json.loads(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(f"the event in {path} cannot be read: {error}") from error
    if not isinstance(event, dict):
        raise UsageError(f"the event in {path} is no object")
    return event


def revisions(event: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[str, str]:
    """Base and head of the pull request to review. Raises Refused where this process holds a token: it is going to run code."""
    if held := [name for name in TOKENS if environ.get(name)]:
        raise Refused(f"{held[0]} is set, and this step runs code of the pull request: give the token to `swesearch bot post` only")
    pull = _of(event, "pull_request")
    return _sha(pull, "base"), _sha(pull, "head")


def place(event: Mapping[str, Any], api: Api, repository: Repository) -> Place:
    """Where to post, told by the event alone and not by the report. Raises Refused where that is not one open pull request."""
    if "workflow_run" in event:
        return _of_run(_of(event, "workflow_run"), api, repository)
    pull = _of(event, "pull_request")
    return Place(api, repository, int(pull["number"]), _sha(pull, "head"))


def server(environ: Mapping[str, str]) -> Repository:
    """The repository that the runner works for. Raises UsageError."""
    host = urlsplit(environ.get("GITHUB_SERVER_URL", "https://github.com")).netloc
    return Repository.of(environ.get("GITHUB_REPOSITORY", ""), host)


def _of_run(run: Mapping[str, Any], api: Api, repository: Repository) -> Place:
    """The open pull request whose head the run was about: the list in the event is empty for forks, so GitHub is asked."""
    if run.get("event") != "pull_request":
        raise Refused("the workflow was not run for a pull request")
    head, source = str(run["head_sha"]), run["head_repository"]
    label = f"{source['owner']['login']}:{run['head_branch']}"
    found = [
        each
        for each in api.pages(f"{repository.path}/pulls", state="open", head=label)
        if each["head"]["sha"] == head and each["head"]["repo"] and each["head"]["repo"]["full_name"] == source["full_name"]
    ]
    if len(found) != 1:
        raise Refused(f"{len(found)} open pull requests have the head {head[:12]}: nothing is posted")
    return Place(api, repository, int(found[0]["number"]), head)


def _of(event: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = event.get(key)
    if not isinstance(found, dict):
        raise UsageError(f"the event has no {key}: run this on pull_request (to review) or workflow_run (to post)")
    return found


def _sha(pull: Mapping[str, Any], side: str) -> str:
    found = str(_of(pull, side).get("sha"))
    if not SHA.fullmatch(found):
        raise UsageError(f"the event's {side} is no commit")
    return found
