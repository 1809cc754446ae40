"""Post a report to its pull request. Everything in the report is hostile; what is current and who we are, GitHub says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from swesearch.github.base import Api, GitHubError, Repository
from swesearch.github.bot.base import Fix, Report
from swesearch.github.bot.diffs import shown_lines
from swesearch.github.bot.render import COMMENT, MARKED, comment, headline, healed, notices, stopped, summary

CHECK = "swesearch"
ACTIONS = "github-actions[bot]"  # who GITHUB_TOKEN stands for; it may not ask for its own name
REVIEWED = "<!-- swesearch:v1 suggestion:{} -->"
CONCLUSIONS = {"clean": "success", "untouched": "neutral", "unknown": "neutral"}
Conclusion = Literal["neutral", "failure"]


@dataclass(frozen=True, slots=True)
class Place:
    """The pull request to post to, and the head that it must still have."""

    api: Api
    repository: Repository
    number: int
    head: str

    @property
    def issue(self) -> str:
        """Its comments are those of an issue."""
        return f"{self.repository.path}/issues/{self.number}"

    @property
    def pull(self) -> str:
        """Where it is in the API."""
        return f"{self.repository.path}/pulls/{self.number}"


def post(place: Place, report: Report, conclusion: str = "neutral", *, pick: int = 0, forced: bool = False) -> str:
    """Say what there is to say, and nothing twice; returns what was done, in words. Raises GitHubError, GitHubUnavailable.

    Nothing is posted to a pull request that is closed, that has another head by now, or where somebody told us to stop.
    """
    if report.head != place.head:
        return f"nothing: the report is about {report.head[:12]}, and not about {place.head[:12]}"
    now = place.api.get(place.pull)
    if now["state"] != "open" or now["head"]["sha"] != place.head:
        return "nothing: the pull request is closed, or has another head by now"
    ours = sticky(place)
    said = reviewed_head(ours) if ours else ""
    if said == "stopped" and not forced:
        return "nothing: somebody told us to stop here"
    check(place, report, conclusion)
    if said == report.head and not forced:
        return "the check run; the comment is about this head already"
    if not report.findings:
        return _healed(place, report, ours)
    inline = _suggest(place, report, pick)
    _say(place, ours, comment(report, pick, inline))
    return "a comment" + (" and suggestions" if inline else "")


def sticky(place: Place) -> Mapping[str, Any] | None:
    """Our comment on the pull request. Somebody else's with our mark is none of ours."""
    us = whoami(place.api)
    for each in place.api.pages(f"{place.issue}/comments"):
        if each["user"] and each["user"]["login"] == us and MARKED.match(each["body"] or ""):
            found: Mapping[str, Any] = each
            return found
    return None


def reviewed_head(ours: Mapping[str, Any]) -> str:
    """The head that our comment is about, or "stopped"."""
    found = MARKED.match(ours["body"])
    assert found, "our comment has our mark"
    return found[1]


def stop(place: Place) -> None:
    """Leave word that nothing more is wanted here; it is kept in our comment."""
    _say(place, sticky(place), stopped())


def whoami(api: Api) -> str:
    """Our own login. Tokens of apps may not ask: then it is that of GitHub Actions."""
    try:
        return str(api.get("user")["login"])
    except GitHubError as error:
        if error.status not in (401, 403):
            raise
        return ACTIONS


def check(place: Place, report: Report, conclusion: str) -> None:
    """A check run on the head, with the findings as annotations; changed where there is one already. Left out where no right is given."""
    output = {"title": headline(report).replace("*", ""), "summary": summary(report)[:COMMENT], "annotations": notices(report)}
    ended = CONCLUSIONS.get(report.ending, conclusion)
    body = {"name": CHECK, "status": "completed", "conclusion": ended, "output": output}
    runs = place.api.pages(f"{place.repository.path}/commits/{report.head}/check-runs", check_name=CHECK)
    old = next((each for each in runs if each["name"] == CHECK), None)
    try:
        if old:
            place.api.send("PATCH", f"{place.repository.path}/check-runs/{old['id']}", {**body, "output": {**output, "annotations": []}})
        else:
            place.api.send("POST", f"{place.repository.path}/check-runs", {**body, "head_sha": report.head})
    except GitHubError as error:
        if error.status not in (403, 404):  # only apps may write check runs; the comment says it all
            raise


def _healed(place: Place, report: Report, ours: Mapping[str, Any] | None) -> str:
    if ours is None:
        return "the check run: there is nothing to say"
    _say(place, ours, healed(report))
    return "the comment says that what was found is gone" if report.ending == "clean" else "the comment says what is known of this head"


def _say(place: Place, ours: Mapping[str, Any] | None, body: str) -> None:
    if ours is None:
        place.api.send("POST", f"{place.issue}/comments", {"body": body})
    elif ours["body"] != body:
        place.api.send("PATCH", f"{place.repository.path}/issues/comments/{int(ours['id'])}", {"body": body})


def _suggest(place: Place, report: Report, pick: int) -> bool:
    """Put the first fix of each finding into the diff as suggestions, all of it or nothing; whether any stands there."""
    shown = {each["filename"]: shown_lines(each.get("patch") or "") for each in place.api.pages(f"{place.pull}/files")}
    fixes = [finding.fixes[min(pick, len(finding.fixes) - 1)] for finding in report.findings if finding.fixes]
    fitting = [fix for fix in fixes if fix.suggestions and all(_fits(fix, shown, n) for n in range(len(fix.suggestions)))]
    if not fitting:
        return False
    mark = REVIEWED.format(hashlib.sha256("".join([report.head, *(fix.patch for fix in fitting)]).encode()).hexdigest()[:16])
    if any(mark in (each["body"] or "") for each in place.api.pages(f"{place.pull}/reviews")):
        return True
    comments = [_inline(fix, n) for fix in fitting for n in range(len(fix.suggestions))]
    body = {"commit_id": report.head, "event": "COMMENT", "body": mark, "comments": comments}
    place.api.send("POST", f"{place.pull}/reviews", body)
    return True


def _fits(fix: Fix, shown: Mapping[str, frozenset[int]], number: int) -> bool:
    """Whether the lines of a suggestion all stand in the diff."""
    each = fix.suggestions[number]
    return 0 < each.first <= each.last < each.first + 100 and set(range(each.first, each.last + 1)) <= shown.get(each.path, frozenset())


def _inline(fix: Fix, number: int) -> dict[str, Any]:
    """One comment of a review, with a suggestion that its text cannot get out of."""
    each = fix.suggestions[number]
    fence = "`" * max(3, 1 + max((len(ticks) for ticks in re.findall("`+", each.text)), default=0))
    part = f" ({number + 1} of {len(fix.suggestions)}, they belong together)" if len(fix.suggestions) > 1 else ""
    first = {"start_line": each.first, "start_side": "RIGHT"} if each.first < each.last else {}
    body = f"Makes the failing test pass{part}.\n\n{fence}suggestion\n{each.text}{fence}"
    return {"path": each.path, "line": each.last, "side": "RIGHT", **first, "body": body}
