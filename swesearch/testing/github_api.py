"""The REST endpoints that the stand-in for GitHub answers, and how it says no."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from .github_shapes import Json
from .github_state import WRITERS, Account, Hub, World


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, the JSON value of the body (None: no body), and headers."""

    status: int
    body: object = None
    headers: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request: who asks for what, in which repository."""

    hub: Hub
    account: Account | None
    words: tuple[str, ...]  # of the path, as its pattern names them
    body: Json
    query: Mapping[str, str]

    @property
    def login(self) -> str:
        """Who asks, "" for nobody."""
        return self.account.login if self.account else ""

    @property
    def number(self) -> int:
        """The first word of the path as a number."""
        return int(self.words[0])


Handler = Callable[[Call], Answer]
ROUTES: list[tuple[str, re.Pattern[str], str, Handler]] = []


def route(method: str, pattern: str, right: str = "") -> Callable[[Handler], Handler]:
    """An endpoint below repos/owner/name. `right`: what a token needs to call it."""

    def keep(handler: Handler) -> Handler:
        ROUTES.append((method, re.compile(pattern), right, handler))
        return handler

    return keep


def answer(world: World, method: str, target: str, account: Account | None, body: Json) -> Answer:
    """What is said to a request whose token, if any, is good."""
    parts = urlsplit(target)
    path, query = parts.path.removeprefix("/api/v3/"), {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if path == "user":
        return Answer(200, world.shapes.account(account.login)) if account else refusal(401, "Requires authentication")
    found = re.fullmatch(r"repos/([^/]+/[^/]+)(?:/(.*))?", path)
    hub = world.visible(found[1], account) if found else None
    if hub is None or found is None:
        return refusal(404, "Not Found")
    if hub.moved:
        return Answer(
            301, {"message": "Moved Permanently"}, {"location": f"{world.shapes.api}/repos/{hub.moved}/{found[2] or ''}".rstrip("/")}
        )
    for verb, pattern, right, handler in ROUTES:
        if verb == method and (match := pattern.fullmatch(found[2] or "")):
            words = tuple(unquote(word) for word in match.groups())
            return _denied(hub, account, right) or _paged(handler(Call(hub, account, words, body, query)), parts.path, query, world)
    return refusal(404, "Not Found")


def refusal(status: int, message: str, **headers: str) -> Answer:
    """An error as GitHub puts it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"message": message, "documentation_url": "https://docs.github.com/rest"}, named)


def _denied(hub: Hub, account: Account | None, right: str) -> Answer | None:
    if not right:
        return None
    if account is None:
        return refusal(401, "Requires authentication")
    if right not in account.rights:
        return refusal(403, "Resource not accessible by personal access token", x_accepted_github_permissions=f"{right}=write")
    if right in ("contents", "checks") and hub.role(account.login) not in WRITERS:
        return refusal(403, "Must have push access to the repository")
    return None


def _paged(whole: Answer, path: str, query: Mapping[str, str], world: World) -> Answer:
    """A list by pages, with a link to the next."""
    if not isinstance(whole.body, list):
        return whole
    size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
    headers = {}
    if len(whole.body) > size * page:
        headers["link"] = f'<{world.shapes.web}{path}?per_page={size}&page={page + 1}>; rel="next"'
    return Answer(whole.status, whole.body[size * (page - 1) : size * page], headers)


@route("GET", "")
def _repository(call: Call) -> Answer:
    return Answer(200, call.hub.json(call.login))


@route("GET", r"collaborators/([^/]+)/permission", "issues")
def _permission(call: Call) -> Answer:
    role = call.hub.role(call.words[0])
    return Answer(200, {"permission": role, "role_name": role, "user": call.hub.shapes.user(call.words[0]) | {"role_name": role}})


@route("GET", r"issues/(\d+)")
def _issue(call: Call) -> Answer:
    hub, ident = call.hub, call.number
    if ident in hub.gone:
        moved = hub.gone[ident]
        return Answer(301, {"message": "Moved Permanently"}, {"location": moved}) if moved else refusal(410, "This issue was deleted")
    if ident in hub.pulls:
        return Answer(200, hub.pull_as_issue(ident))
    return Answer(200, hub.issues[ident]) if ident in hub.issues else refusal(404, "Not Found")


@route("GET", r"issues/(\d+)/comments")
def _comments(call: Call) -> Answer:
    return Answer(200, call.hub.comments.get(call.number, []))


@route("POST", r"issues/(\d+)/comments", "issues")
def _say(call: Call) -> Answer:
    return Answer(201, call.hub.comment(call.number, call.body["body"], call.login))


@route("PATCH", r"issues/comments/(\d+)", "issues")
def _change_comment(call: Call) -> Answer:
    for said in (each for several in call.hub.comments.values() for each in several):
        if said["id"] == call.number:
            said["body"] = call.body["body"]
            return Answer(200, said)
    return refusal(404, "Not Found")


@route("GET", r"issues/(\d+)/timeline")
def _timeline(call: Call) -> Answer:
    return Answer(200, call.hub.timeline(call.number))


@route("GET", "pulls")
def _pulls(call: Call) -> Answer:
    found = map(call.hub.pull_json, call.hub.pulls)
    state, head = call.query.get("state", "open"), call.query.get("head")
    return Answer(200, [each for each in found if state in (each["state"], "all") and head in (None, each["head"]["label"])])


@route("POST", "pulls", "pull_requests")
def _open(call: Call) -> Answer:
    hub, body = call.hub, call.body
    if not hub.git.sha(body["head"]) or not hub.git.sha(body["base"]):
        return _invalid("head" if not hub.git.sha(body["head"]) else "base", "invalid")
    if body.get("draft") and not hub.drafts:
        return Answer(422, {"message": "Draft pull requests are not supported in this repository."})
    if any(pull.head == body["head"] and pull.state.get("state") != "closed" for pull in hub.pulls.values()):
        return _invalid("head", "custom", f"A pull request already exists for {body['head']}.")
    words = {name: value for name, value in body.items() if name not in ("title", "head")}
    return Answer(201, hub.pull_json(hub.pull(body["title"], body["head"], call.login, **words)))


@route("GET", r"pulls/(\d+)")
def _pull(call: Call) -> Answer:
    return Answer(200, call.hub.pull_json(call.number)) if call.number in call.hub.pulls else refusal(404, "Not Found")


@route("GET", r"pulls/(\d+)/files")
def _files(call: Call) -> Answer:
    pull = call.hub.pull_json(call.number)
    return Answer(200, [call.hub.shapes.file(*each) for each in call.hub.git.changed(pull["base"]["sha"], pull["head"]["sha"])])


@route("POST", r"pulls/(\d+)/reviews", "pull_requests")
def _review(call: Call) -> Answer:
    return Answer(200, call.hub.review(call.number, call.login, call.body))


@route("GET", r"pulls/(\d+)/reviews")
def _reviews(call: Call) -> Answer:
    return Answer(
        200, [{name: value for name, value in each.items() if name != "comments"} for each in call.hub.reviews.get(call.number, [])]
    )


@route("POST", "check-runs", "checks")
def _check(call: Call) -> Answer:
    if len((call.body.get("output") or {}).get("annotations", ())) > 50:
        return _invalid("annotations", "invalid")
    return Answer(201, call.hub.check(call.body))


@route("PATCH", r"check-runs/(\d+)", "checks")
def _change_check(call: Call) -> Answer:
    return Answer(200, call.hub.check(call.body, call.number)) if call.number in call.hub.checks else refusal(404, "Not Found")


@route("GET", r"commits/([^/]+)/check-runs")
def _checks(call: Call) -> Answer:
    found = [call.hub.check({}, ident) for ident, body in call.hub.checks.items() if body["head_sha"] == call.words[0]]
    return Answer(200, {"total_count": len(found), "check_runs": found})


def _invalid(field: str, code: str, message: str = "") -> Answer:
    problem = {"resource": "PullRequest", "field": field, "code": code} | ({"message": message} if message else {})
    return Answer(422, {"message": "Validation Failed", "errors": [problem]})
