"""What GitHub delivers: is it from GitHub, and is there anything to do? Pure, but for asking who may give commands."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from swesearch.base import UsageError
from swesearch.github.base import WRITERS, Repository
from swesearch.github.bot.queue import Job

LARGEST = 25 << 20  # bytes: GitHub sends no more
PULLS = frozenset({"opened", "reopened", "synchronize", "ready_for_review"})
OURS = "swesearch/fix-"  # branches of our own pull requests
COMMAND = re.compile(r"^/swesearch[ \t]+(?P<word>stop|retry|pick|continue)(?:[ \t]+(?P<what>[^\r\n]*?))?[ \t]*$", re.MULTILINE)
MORE = re.compile(r"\+\$(\d{1,3}(?:\.\d{1,2})?)")
SHA = re.compile(r"[0-9a-f]{40}")
May = Callable[[Repository, str], bool]  # whether somebody may give commands


def genuine(secret: bytes, body: bytes, signature: str) -> bool:
    """Whether the holder of the secret signed this body; compared in constant time."""
    expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))


def job_of(event: str, body: bytes, may_command: May) -> Job | None:
    """What a delivery asks for, None where it is nothing. Raises UsageError where it is not of the form that GitHub sends."""
    try:
        payload = json.loads(body)
        if event == "pull_request":
            return _of_pull(payload)
        return _of_comment(payload, may_command) if event == "issue_comment" else None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"a {event} event that is not of the form that GitHub sends: {type(error).__name__}") from error


def _of_pull(payload: Mapping[str, Any]) -> Job | None:
    pull = payload["pull_request"]
    if payload["action"] == "closed":
        return Job(_name(payload), int(pull["number"]), kind="close")
    ours = str(pull["head"]["ref"]).startswith(OURS)
    if payload["action"] not in PULLS or pull["state"] != "open" or pull.get("draft") or ours or _is_bot(payload["sender"]):
        return None
    head = str(pull["head"]["sha"])
    if not SHA.fullmatch(head):
        raise UsageError("a pull_request event whose head is no commit")
    return Job(_name(payload), int(pull["number"]), head, str(pull["base"]["ref"]))


def _of_comment(payload: Mapping[str, Any], may_command: May) -> Job | None:
    """A command of somebody who may push. All other comments, whatever they say, are nothing to us."""
    issue, said = payload["issue"], payload["comment"]
    found = COMMAND.search(str(said["body"] or ""))
    if payload["action"] != "created" or "pull_request" not in issue or issue["state"] != "open" or not found:
        return None
    if _is_bot(payload["sender"]) or _is_bot(said["user"]) or said["user"]["login"] != payload["sender"]["login"]:
        return None
    job = command(found["word"], found["what"] or "", Job(_name(payload), int(issue["number"]), forced=True))
    return job if job and may_command(Repository.of(job.repo), str(said["user"]["login"])) else None


def command(word: str, what: str, job: Job) -> Job | None:
    """The job that a command makes, None where its words make no sense."""
    if word == "pick":
        return replace(job, kind="pick", pick="ABC".index(what.upper())) if what.upper() in ("A", "B", "C") else None
    if word == "continue":
        amount = MORE.fullmatch(what) if what else None
        return replace(job, more=1, dollars=float(amount[1]) if amount else 0.0) if amount or not what else None
    return replace(job, kind="stop" if word == "stop" else "review") if not what else None


def writers(permission: Callable[[Repository, str], str]) -> May:
    """Those who may push, as GitHub's API says: an author association says too little."""
    return lambda repository, login: permission(repository, login) in WRITERS


def _name(payload: Mapping[str, Any]) -> str:
    return Repository.of(str(payload["repository"]["full_name"])).full_name


def _is_bot(user: Mapping[str, Any]) -> bool:
    return user["type"] != "User" or str(user["login"]).endswith("[bot]")
