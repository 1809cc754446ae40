"""What our client sends, and what our stand-in answers, against GitHub's own description of its API (npm package @octokit/openapi).

The package is fetched with npm when the test runs, 29 MB; SWESEARCH_OPENAPI names a copy of its api.github.com.json instead.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonschema import Draft4Validator
from jsonschema.validators import extend

from swesearch.github.base import GitHubError, Repository, permission
from swesearch.github.bot.base import Finding, Fix, Report, Suggestion
from swesearch.github.bot.post import Place, post, stop
from swesearch.github.client import Client
from swesearch.github.issue import read_issue
from swesearch.testing.github import GitHub, Hub

PACKAGE = "@octokit/openapi@23"
MEMBER = "package/generated/api.github.com.json"
Json = dict[str, Any]


def nullable(keyword: str) -> Callable[..., Iterator[Any]]:
    """OpenAPI 3.0 says `nullable: true` where JSON Schema lists the type null."""
    plain = Draft4Validator.VALIDATORS[keyword]

    def check(validator: Any, value: Any, instance: Any, schema: Json) -> Iterator[Any]:
        if instance is not None or not schema.get("nullable"):
            yield from plain(validator, value, instance, schema) or ()

    return check


Validator = extend(Draft4Validator, {word: nullable(word) for word in ("type", "enum", "anyOf", "oneOf", "allOf")})


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Json:
    if named := os.environ.get("SWESEARCH_OPENAPI"):
        return dict(json.loads(Path(named).read_bytes()))
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("GitHub's description of its API comes by npm, which is not here (or name it with SWESEARCH_OPENAPI)")
    folder = tmp_path_factory.mktemp("openapi")
    command = ["timeout", "120", npm, "pack", "--silent", PACKAGE]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"npm pack {PACKAGE} failed ({done.returncode}): {done.stderr.strip()[-200:]}")
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        member = archive.extractfile(MEMBER)
        assert member
        return dict(json.loads(member.read()))


def problems(description: Json, seen: Any) -> Iterator[str]:
    """What is wrong with a request and its answer."""
    parts = urlsplit(seen.path)
    path = parts.path.removeprefix("/api/v3")
    template, operation = operation_of(description, seen.method.lower(), path)
    name = f"{seen.method} {template}"
    known = {
        each["name"] for each in map(lambda given: resolved(description, given), operation.get("parameters", ())) if each["in"] == "query"
    }
    yield from (f"{name}: no parameter {unknown}" for unknown in parse_qs(parts.query).keys() - known)
    if seen.method != "GET":
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        yield from (f"{name}: {words}" for words in invalid(description, schema, seen.body))
        fields = set(schema.get("properties", ())) | {field for each in schema.get("oneOf", ()) for field in each.get("properties", ())}
        yield from (f"{name}: no field {unknown}" for unknown in seen.body.keys() - fields if fields)
    answered = resolved(description, operation["responses"][str(seen.status)])
    yield from (
        f"{name}: answer: {words}" for words in invalid(description, answered["content"]["application/json"]["schema"], seen.answer)
    )


def operation_of(description: Json, method: str, path: str) -> tuple[str, Json]:
    """The operation with the most literal template that fits."""
    fitting = [
        template
        for template, operations in description["paths"].items()
        if method in operations and re.fullmatch(re.sub(r"\\?\{[^}]*\\?\}", "[^/]+", re.escape(template)), path)
    ]
    assert fitting, f"GitHub knows no {method} {path}"
    best = min(fitting, key=lambda template: template.count("{"))
    return best, description["paths"][best][method]


def resolved(description: Json, value: Json) -> Json:
    for name in value.get("$ref", "#").split("/")[1:]:
        description = description[name]
    return description if "$ref" in value else value


def invalid(description: Json, schema: Json, value: Any) -> list[str]:
    validator = Validator({**schema, "components": description["components"]})
    return [f"{'.'.join(map(str, error.path))}: {error.message[:200]}" for error in validator.iter_errors(value)]


@pytest.mark.slow
def test_every_request_and_every_answer_is_as_github_describes_it(description: Json, github: GitHub, hub: Hub, client: Client) -> None:
    here = Repository("octo", "calc", github.host)
    number = hub.issue("It subtracts", "body", labels=("bug",), assignees=("octo",))
    sha = hub.git.sha("main")
    hub.git.git("branch", "mend", hub.git.git("commit-tree", "main^{tree}", "-p", "main", "-m", "mend"))
    comment = client.send("POST", f"{here.path}/issues/{number}/comments", {"body": "hello"})
    client.send("PATCH", f"{here.path}/issues/comments/{comment['id']}", {"body": "hello again"})
    words = {"title": "Mend", "body": "Fixes #1", "head": "mend", "base": "main", "draft": True}
    pull = client.send("POST", f"{here.path}/pulls", words)
    read_issue(client, here, number)
    client.get("user")
    client.get(here.path)
    permission(client, here, "maintainer")
    list(client.pages(f"{here.path}/pulls", state="all", head="octo:mend"))
    client.get(f"{here.path}/pulls/{pull['number']}")
    list(client.pages(f"{here.path}/pulls/{pull['number']}/files"))
    suggestion = {"path": "calc.py", "line": 1, "side": "RIGHT", "body": "```suggestion\nx\n```"}
    review = {"commit_id": sha, "event": "COMMENT", "body": "look", "comments": [suggestion]}
    client.send("POST", f"{here.path}/pulls/{pull['number']}/reviews", review)
    list(client.pages(f"{here.path}/pulls/{pull['number']}/reviews"))
    note = {"path": "calc.py", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "look"}
    output = {"title": "t", "summary": "s", "annotations": [note]}
    check = client.send("POST", f"{here.path}/check-runs", {"name": "swesearch", "head_sha": sha, "status": "in_progress"})
    client.send("PATCH", f"{here.path}/check-runs/{check['id']}", {"conclusion": "neutral", "output": output})
    list(client.pages(f"{here.path}/commits/{sha}/check-runs"))
    for path in (f"{here.path}/issues/99", "repos/octo/nothing"):
        with pytest.raises(GitHubError):
            client.get(path)
    assert [words for seen in github.requests for words in problems(description, seen)] == []
    assert len({(seen.method, re.sub(r"\d+|[0-9a-f]{40}", "N", seen.path.partition("?")[0])) for seen in github.requests}) >= 17


@pytest.mark.slow
def test_what_the_bot_posts_is_as_github_describes_it(description: Json, github: GitHub, hub: Hub, client: Client) -> None:
    hub.git.git("read-tree", "main")
    hub.git.git("update-index", "--cacheinfo", f"100644,{hub.git.git('rev-parse', 'main:test_calc.py')},calc.py")
    head = hub.git.git("commit-tree", hub.git.git("write-tree"), "-p", "main", "-m", "topic")
    hub.git.git("branch", "topic", head)
    place = Place(client, Repository("octo", "calc", github.host), hub.pull("A topic", "topic", "contributor"), head)
    fix = Fix("search", "0 instead of 1", "+    result = 0\n", (Suggestion("calc.py", 1, 2, "    result = 0\n"),))
    finding = Finding("broke", "python -m pytest -q test_calc.py", 3, ("test_calc.py::test_total",), path="calc.py", line=2, fixes=(fix,))
    for forced in (False, True):
        post(place, Report("a" * 40, head, "findings", 2, (finding,)), forced=forced)
    stop(place)
    assert [words for seen in github.requests for words in problems(description, seen)] == []
    assert len(hub.reviews[place.number]) == 1


def test_what_is_not_as_described_is_found(description: Json, github: GitHub, hub: Hub, client: Client) -> None:
    number = hub.issue("It subtracts")
    hub.issues[number]["locked"] = "no"
    client.get(f"repos/octo/calc/issues/{number}", surprise=1)
    client.send("POST", f"repos/octo/calc/issues/{number}/comments", {"body": "x", "surprise": 1})
    found = "\n".join(words for seen in github.requests for words in problems(description, seen))
    assert "no parameter surprise" in found
    assert "answer: locked: 'no' is not of type 'boolean'" in found
    assert "no field surprise" in found
