"""In a runner: which pull request, and who may know the token."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from swesearch.base import UsageError
from swesearch.github.base import Refused, Repository
from swesearch.github.bot.events import place, read_event, revisions, server
from swesearch.github.bot.worker import child_environment
from swesearch.github.client import Client
from swesearch.testing.github import GitHub, Hub

Repo = Callable[..., Path]
PULL = {"number": 7, "base": {"sha": "a" * 40}, "head": {"sha": "b" * 40}}
OCTO = Repository("octo", "calc")


def run_of(hub: Hub, number: int, **changes: Any) -> dict[str, Any]:
    """What a workflow_run event says of a pull request, whose own list of pull requests is empty for forks."""
    head = hub.pull_json(number)["head"]
    found = {"event": "pull_request", "head_sha": head["sha"], "head_branch": head["ref"], "head_repository": head["repo"]}
    return {"workflow_run": {**found, "pull_requests": [], **changes}}


@pytest.fixture
def number(hub: Hub, github: GitHub, repo: Repo) -> int:
    fork = github.repository("stranger/calc", repo({"calc.py": "x = 1\n"}, "fork"))
    return hub.pull("From a fork", "main", "stranger", source=fork)


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "GH_TOKEN", "INPUT_GITHUB_TOKEN"])
def test_the_step_that_runs_code_refuses_to_hold_a_token(name: str) -> None:
    with pytest.raises(Refused, match=f"{name} is set"):
        revisions({"pull_request": PULL}, {name: "ghs_x"})


def test_what_to_review_is_what_the_event_says() -> None:
    assert revisions({"pull_request": PULL}, {}) == ("a" * 40, "b" * 40)


@pytest.mark.parametrize("event", [{}, {"pull_request": None}, {"pull_request": {"base": {"sha": "main"}, "head": {}}}])
def test_an_event_without_a_pull_request_is_refused_in_one_line(event: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="the event"):
        revisions(event, {})


def test_a_fork_is_found_by_its_branch_and_head(hub: Hub, client: Client, number: int) -> None:
    found = place(run_of(hub, number), client, OCTO)
    assert (found.number, found.head) == (number, hub.pull_json(number)["head"]["sha"])


@pytest.mark.parametrize(
    "changes",
    [
        {"head_sha": "c" * 40},
        {"head_branch": "other"},
        {"event": "push"},
        {"head_repository": {"full_name": "stranger/other", "owner": {"login": "stranger"}}},
    ],
)
def test_what_is_not_exactly_one_open_pull_request_is_refused(hub: Hub, client: Client, number: int, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        place(run_of(hub, number, **changes), client, OCTO)


def test_a_closed_pull_request_is_refused(hub: Hub, client: Client, number: int) -> None:
    event = run_of(hub, number)
    hub.close(number)
    with pytest.raises(Refused, match="0 open pull requests"):
        place(event, client, OCTO)


@pytest.mark.parametrize("content", [None, "", "[]", "{"])
def test_without_a_readable_event_there_is_one_clear_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "event").write_text(content)
    with pytest.raises(UsageError, match="the event"):
        read_event({"GITHUB_EVENT_PATH": str(tmp_path / "event")})
    with pytest.raises(UsageError, match="swesearch bot review"):
        read_event({})


def test_the_server_and_the_repository_are_the_runners(tmp_path: Path) -> None:
    assert server({"GITHUB_REPOSITORY": "octo/calc"}) == OCTO
    ours = {"GITHUB_REPOSITORY": "octo/calc", "GITHUB_SERVER_URL": "https://git.example.com"}
    assert server(ours) == Repository("octo", "calc", "git.example.com")
    (tmp_path / "event").write_text(json.dumps({"number": 1}))
    assert read_event({"GITHUB_EVENT_PATH": str(tmp_path / "event")}) == {"number": 1}


def test_the_process_that_runs_code_for_the_server_gets_no_token() -> None:
    secrets = ("GITHUB_TOKEN", "GH_TOKEN", "SWESEARCH_WEBHOOK_SECRET", "AWS_SECRET_ACCESS_KEY", "ANTHROPIC_API_KEY")
    environ = {**dict.fromkeys(secrets, "s3cret"), "PATH": "/bin", "SWESEARCH_BOT_RERUNS": "2", "UV_INDEX_URL": "https://index"}
    plain = {"PATH": "/bin", "SWESEARCH_BOT_RERUNS": "2", "UV_INDEX_URL": "https://index"}
    assert child_environment(environ, model=False) == plain
    assert child_environment(environ, model=True) == {**plain, "ANTHROPIC_API_KEY": "s3cret"}
