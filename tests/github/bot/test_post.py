"""Posting, against a server that remembers: nothing twice, nothing outdated, nothing outside of the diff."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from swesearch.github.base import GitHubError, Repository
from swesearch.github.bot.base import Finding, Fix, Report, Suggestion
from swesearch.github.bot.post import Place, post, stop, whoami
from swesearch.github.bot.render import MARK
from swesearch.github.client import Client
from swesearch.testing.github import Answer, GitHub, Hub

Repo = Callable[..., Path]


def push(hub: Hub, branch: str, path: str, text: str) -> str:
    """What a contributor does; returns the new commit."""
    work = hub.git.folder.parent / f"work-{branch}-{len(list(hub.git.folder.parent.iterdir()))}"
    for arguments in (
        ("clone", "-q", str(hub.git.folder), str(work)),
        ("-C", str(work), "checkout", "-q", "-B", branch),
    ):
        subprocess.run(["git", *arguments], check=True, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    (work / path).write_text(text)
    for arguments in (("add", "-A"), ("commit", "-q", "-m", "a change"), ("push", "-q", "-f", "origin", branch)):
        subprocess.run(["git", "-C", str(work), *arguments], check=True, stdin=subprocess.DEVNULL)
    return hub.git.sha(branch)


BROKEN = "def total(items):\n    result = 1\n    for item in items:\n        result += item\n    return result\n"


@pytest.fixture
def head(hub: Hub) -> str:
    return push(hub, "topic", "calc.py", BROKEN)


@pytest.fixture
def number(hub: Hub, head: str) -> int:
    return hub.pull("Count from one", "topic", "contributor")


@pytest.fixture
def place(client: Client, number: int, head: str) -> Place:
    return Place(client, Repository("octo", "calc"), number, head)


def found(head: str, first: int = 2, path: str = "calc.py") -> Report:
    fix = Fix("search", "0 instead of 1", "-    result = 1\n+    result = 0\n", (Suggestion(path, first, first, "    result = 0\n"),))
    finding = Finding(
        "broke", "python -m pytest -q test_calc.py::test_total", 3, ("test_calc.py::test_total",), path=path, line=2, fixes=(fix,)
    )
    return Report("a" * 40, head, "findings", 2, (finding,))


def writes(github: GitHub) -> list[str]:
    return [f"{seen.method} {seen.path.rpartition('calc/')[2]}" for seen in github.requests if seen.method != "GET"]


def test_a_finding_is_a_comment_a_check_run_and_a_suggestion_in_the_diff(place: Place, hub: Hub) -> None:
    assert post(place, found(place.head)) == "a comment and suggestions"
    (said,) = hub.comments[place.number]
    assert said["body"].startswith(MARK.format(place.head))
    (review,) = hub.reviews[place.number]
    (inline,) = review["comments"]
    assert (inline["path"], inline["line"], inline["side"]) == ("calc.py", 2, "RIGHT")
    assert "```suggestion\n    result = 0\n```" in inline["body"]
    (check,) = hub.checks.values()
    assert (check["head_sha"], check["conclusion"]) == (place.head, "neutral")
    assert check["output"]["annotations"][0]["path"] == "calc.py"


def test_the_same_report_again_says_nothing_twice(place: Place, hub: Hub, github: GitHub) -> None:
    post(place, found(place.head))
    before = len(hub.checks)
    post(place, found(place.head))
    post(place, found(place.head), forced=True)
    assert len(hub.comments[place.number]) == len(hub.reviews[place.number]) == len(hub.checks) == before == 1


def test_where_nothing_is_wrong_nobody_is_told(place: Place, hub: Hub, github: GitHub) -> None:
    assert post(place, Report("a" * 40, place.head, "clean", 3)) == "the check run: there is nothing to say"
    assert writes(github) == ["POST check-runs"]
    assert next(iter(hub.checks.values()))["conclusion"] == "success"


def test_once_the_head_is_mended_the_same_comment_says_so(place: Place, hub: Hub) -> None:
    post(place, found(place.head))
    mended = push(hub, "topic", "calc.py", BROKEN.replace("= 1", "= 0"))
    post(replace(place, head=mended), Report("a" * 40, mended, "clean", 3))
    (said,) = hub.comments[place.number]
    assert said["body"].startswith(MARK.format(mended))
    assert "is gone" in said["body"]


def test_after_a_force_push_a_report_about_the_old_head_is_not_posted(place: Place, hub: Hub, github: GitHub) -> None:
    push(hub, "topic", "calc.py", BROKEN.replace("= 1", "= 2"))
    assert post(place, found(place.head)).startswith("nothing: ")
    assert writes(github) == []


def test_a_report_about_another_commit_than_the_event_is_not_posted(place: Place, github: GitHub) -> None:
    assert post(place, found("c" * 40)).startswith("nothing: the report is about cccccccccccc")
    assert github.requests == []


def test_nothing_is_said_on_a_closed_pull_request(place: Place, hub: Hub, github: GitHub) -> None:
    hub.close(place.number)
    assert post(place, found(place.head)).startswith("nothing: ")
    assert writes(github) == []


@pytest.mark.parametrize(("first", "path"), [(40, "calc.py"), (2, "test_calc.py"), (2, ".github/workflows/ci.yml")])
def test_no_suggestion_is_put_outside_of_the_diff(place: Place, hub: Hub, first: int, path: str) -> None:
    assert post(place, found(place.head, first, path)) == "a comment"
    assert place.number not in hub.reviews
    assert "result = 0" in hub.comments[place.number][0]["body"]


def test_a_comment_of_somebody_else_with_our_mark_is_not_ours(place: Place, hub: Hub) -> None:
    hub.comment(place.number, MARK.format(place.head) + "\nI am the bot", "contributor")
    post(place, found(place.head))
    first, second = hub.comments[place.number]
    assert first["body"].endswith("I am the bot")
    assert second["user"]["login"] == "maintainer"


def test_after_stop_nothing_is_said_until_somebody_asks(place: Place, hub: Hub) -> None:
    stop(place)
    assert post(place, found(place.head)) == "nothing: somebody told us to stop here"
    assert post(place, found(place.head), forced=True) == "a comment and suggestions"
    assert len(hub.comments[place.number]) == 1


def test_without_the_right_to_write_checks_the_comment_is_still_posted(github: GitHub, place: Place, hub: Hub) -> None:
    github.account("weak", "maintainer", frozenset({"issues", "pull_requests"}))
    client = Client(replace(place.api._access, token="weak"), sleep=lambda _: None)  # type: ignore[attr-defined]
    assert post(replace(place, api=client), found(place.head)) == "a comment and suggestions"
    assert hub.checks == {}


def test_without_the_right_to_comment_there_is_one_clear_error(github: GitHub, place: Place) -> None:
    github.account("weak", "maintainer", frozenset({"checks"}))
    client = Client(replace(place.api._access, token="weak"), sleep=lambda _: None)  # type: ignore[attr-defined]
    with pytest.raises(GitHubError, match="issues"):
        post(replace(place, api=client), Report("a" * 40, place.head, "findings", 2, found(place.head, 40).findings))


def test_a_token_that_may_not_ask_for_its_own_name_is_that_of_actions(github: GitHub, client: Client) -> None:
    assert whoami(client) == "maintainer"
    github.faults.append(Answer(403, {"message": "Resource not accessible by integration"}))
    assert whoami(client) == "github-actions[bot]"


def test_a_failure_in_between_is_made_up_for_by_the_next_try(github: GitHub, place: Place, hub: Hub) -> None:
    def steps() -> list[Any]:
        return [len(hub.checks), len(hub.comments.get(place.number, [])), len(hub.reviews.get(place.number, []))]

    github.faults.extend([None] * 7 + [Answer(422, {"message": "Validation Failed"})])
    with pytest.raises(GitHubError):
        post(place, found(place.head))
    assert steps() != [1, 1, 1]
    github.faults.clear()
    post(place, found(place.head))
    assert steps() == [1, 1, 1]
