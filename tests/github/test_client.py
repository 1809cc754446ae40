"""The REST client against a server on a real socket: pages, limits, and one clear message for everything that goes wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from swesearch.base import UsageError
from swesearch.github.access import Access, find_access
from swesearch.github.base import GitHubError, GitHubUnavailable, Repository, permission
from swesearch.github.client import Client
from swesearch.testing.github import Answer, GitHub, Hub

HERE = Repository("octo", "calc")
ISSUE = "repos/octo/calc/issues/1"


def test_a_list_is_read_over_all_its_pages(hub: Hub, client: Client, github: GitHub) -> None:
    number = hub.issue("It subtracts")
    for count in range(205):
        hub.comment(number, f"comment {count}")
    assert [said["body"] for said in client.pages(f"{ISSUE}/comments")] == [f"comment {count}" for count in range(205)]
    assert len(github.requests) == 3


def test_a_list_inside_an_object_is_read_too(hub: Hub, client: Client) -> None:
    sha = hub.git.sha("main")
    client.send("POST", "repos/octo/calc/check-runs", {"name": "swesearch", "head_sha": sha, "conclusion": "neutral"})
    assert [check["name"] for check in client.pages(f"repos/octo/calc/commits/{sha}/check-runs")] == ["swesearch"]


def test_public_things_are_read_without_a_token_and_none_is_sent(hub: Hub, github: GitHub) -> None:
    hub.issue("It subtracts")
    client = Client(Access(github.host, github.api_url, github.url))
    assert client.get(ISSUE)["title"] == "It subtracts"
    assert "authorization" not in github.requests[-1].headers


@pytest.mark.parametrize(
    ("status", "headers", "waited"),
    [
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}, 31.0),
        (429, {"retry-after": "7"}, 7.0),
        (403, {"retry-after": "5"}, 5.0),
        (429, {}, 60.0),
        (502, {}, 1.0),
    ],
)
def test_a_limit_is_waited_for_and_the_request_made_again(
    hub: Hub, github: GitHub, access: Access, status: int, headers: dict[str, str], waited: float
) -> None:
    hub.issue("It subtracts")
    slept: list[float] = []
    github.faults = [Answer(status, {"message": "slow down"}, headers)]
    client = Client(access, clock=lambda: 1000.0, sleep=slept.append)
    assert client.get(ISSUE)["number"] == 1
    assert slept == [waited]


def test_a_limit_that_lasts_too_long_says_until_when_and_how_to_get_a_higher_one(hub: Hub, github: GitHub) -> None:
    github.faults = [Answer(403, {"message": "no"}, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "7200"})]
    client = Client(Access(github.host, github.api_url, github.url), clock=lambda: 0.0)
    with pytest.raises(GitHubUnavailable, match=r"used up until 02:00:01 UTC: with a token .* 5,000") as failed:
        client.get(ISSUE)
    assert failed.value.exit_code == 5


def test_a_write_is_not_tried_again_where_it_may_have_happened(hub: Hub, github: GitHub, client: Client) -> None:
    number = hub.issue("It subtracts")
    github.faults = [Answer(502)]
    with pytest.raises(GitHubUnavailable, match="502"):
        client.send("POST", f"repos/octo/calc/issues/{number}/comments", {"body": "hello"})
    assert len(github.requests) == 1


def test_a_write_that_a_limit_kept_back_is_made_once_it_is_lifted(hub: Hub, github: GitHub, client: Client) -> None:
    number = hub.issue("It subtracts")
    github.faults = [Answer(403, {"message": "You have exceeded a secondary rate limit"}, {"retry-after": "1"})]
    client.send("POST", f"repos/octo/calc/issues/{number}/comments", {"body": "hello"})
    assert [said["body"] for said in hub.comments[number]] == ["hello"]


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (Answer(401, {"message": "Bad credentials"}), 401, "does not accept the token: it is wrong, expired or revoked"),
        (
            Answer(403, {"message": "Resource not accessible"}, {"x-accepted-github-permissions": "issues=write"}),
            403,
            "it needs issues=write",
        ),
        (Answer(403, {"message": "SAML"}, {"x-github-sso": "required; url=x"}), 403, "single sign-on"),
        (Answer(404, {"message": "Not Found"}), 404, "not there, or the token cannot see it"),
        (Answer(410, {"message": "This issue was deleted"}), 410, "it was deleted"),
        (Answer(422, {"message": "Validation Failed", "errors": [{"field": "head", "code": "invalid"}]}), 422, "Validation Failed"),
        (Answer(422, {"message": "Odd", "errors": "text"}), 422, "Odd"),
        (Answer(451, {"message": "DMCA"}), 451, "DMCA"),
    ],
)
def test_every_refusal_is_one_clear_message(github: GitHub, client: Client, answer: Answer, status: int, words: str) -> None:
    github.faults = [answer]
    with pytest.raises(GitHubError) as failed:
        client.get(ISSUE)
    assert (failed.value.status, failed.value.exit_code) == (status, 2)
    assert words in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_wrong_token_is_told_as_such(github: GitHub, hub: Hub) -> None:
    with pytest.raises(GitHubError, match="does not accept the token") as failed:
        Client(Access(github.host, github.api_url, github.url, "wrong")).get(ISSUE)
    assert "wrong," in str(failed.value)  # our word, not the token's
    assert repr(Access("h", "a", "w", "secret")) == "Access(host='h', api_url='a', web_url='w')"


def test_without_a_token_a_missing_repository_may_be_private(github: GitHub) -> None:
    with pytest.raises(GitHubError, match="Private repositories need a token"):
        Client(Access(github.host, github.api_url, github.url)).get("repos/octo/secret")


def test_a_server_that_does_not_speak_github_is_no_answer(github: GitHub, client: Client) -> None:
    with pytest.raises(GitHubUnavailable, match="does not speak"):
        Client(Access(github.host, f"{github.url}/user-attachments/assets", github.url)).get(github.attach("x", b"\xff").rpartition("/")[2])


def test_no_network_is_told_in_one_line() -> None:
    with pytest.raises(GitHubUnavailable, match=r"127\.0\.0\.1:9 cannot be reached \(no connection\)"):
        Client(Access("127.0.0.1:9", "http://127.0.0.1:9/api/v3", "http://127.0.0.1:9"), sleep=lambda _: None).get(ISSUE)


def test_a_repository_that_was_renamed_is_followed_on_the_same_server(hub: Hub, github: GitHub, client: Client, repo: object) -> None:
    hub.issue("It subtracts")
    github.world.hubs["octo/old"] = github.world.hubs["octo/calc"]
    old = Hub("octo/old", hub.git, hub.shapes, moved="octo/calc")
    github.world.hubs["octo/old"] = old
    assert client.get("repos/octo/old/issues/1")["title"] == "It subtracts"
    with pytest.raises(GitHubError, match="has moved"):
        client.send("POST", "repos/octo/old/issues/1/comments", {"body": "hello"})


@pytest.mark.parametrize("where", ["https://evil.example/api/v3/x", "http://127.0.0.1:1/api/v3/x", "//evil.example/x"])
def test_a_redirection_to_another_server_is_not_followed(github: GitHub, client: Client, where: str) -> None:
    github.faults = [Answer(302, {"message": "Found"}, {"location": where})]
    with pytest.raises(GitHubError, match="points to another server"):
        client.get(ISSUE)


def test_a_next_page_on_another_server_is_not_followed(github: GitHub, client: Client) -> None:
    github.faults = [Answer(200, [], {"link": '<https://evil.example/x>; rel="next"'})]
    with pytest.raises(GitHubError, match="points to another server"):
        list(client.pages(f"{ISSUE}/comments"))


def test_an_endless_redirection_ends(github: GitHub, client: Client) -> None:
    github.faults = [Answer(302, {"message": "Found"}, {"location": f"{github.api_url}/{ISSUE}"})] * 9
    with pytest.raises(GitHubError, match="has moved"):
        client.get(ISSUE)


def test_the_password_of_a_netrc_is_not_sent(hub: Hub, github: GitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.issue("It subtracts")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login me password hunter2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    Client(Access(github.host, github.api_url, github.url)).get(ISSUE)
    assert "authorization" not in github.requests[-1].headers


@pytest.mark.parametrize(
    ("login", "expected"), [("maintainer", "write"), ("octo", "admin"), ("stranger", "read"), ("../../x", "none"), ("a/b?c", "none")]
)
def test_who_may_push_is_githubs_word(hub: Hub, client: Client, login: str, expected: str) -> None:
    assert permission(client, HERE, login) == expected


@pytest.mark.parametrize(
    ("host", "environ", "api_url", "expected", "token"),
    [
        ("github.com", {"GITHUB_TOKEN": "t"}, "", "https://api.github.com", "t"),
        ("GitHub.com", {"GH_TOKEN": "t"}, "", "https://api.github.com", "t"),
        ("github.com", {"GITHUB_TOKEN": "t", "GITHUB_API_URL": "https://ghe.corp/api/v3"}, "", "https://api.github.com", "t"),
        ("ghe.corp", {"GITHUB_TOKEN": "t", "GITHUB_API_URL": "https://ghe.corp/api/v3"}, "", "https://ghe.corp/api/v3", "t"),
        ("evil.example", {"GITHUB_TOKEN": "t"}, "", "https://evil.example/api/v3", ""),
        ("evil.example", {"GITHUB_TOKEN": "t", "GITHUB_API_URL": "https://ghe.corp/api/v3"}, "", "https://evil.example/api/v3", ""),
        ("evil-github.com", {"GITHUB_TOKEN": "t"}, "", "https://evil-github.com/api/v3", ""),
        ("tenant.ghe.com", {"GITHUB_TOKEN": "t"}, "", "https://api.tenant.ghe.com", ""),
        ("ghe.corp", {"GITHUB_TOKEN": "t"}, "https://proxy.corp/gh/", "https://proxy.corp/gh", "t"),
    ],
)
def test_a_token_goes_to_its_own_server_only(
    host: str, environ: dict[str, str], api_url: str, expected: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")  # no gh
    found = find_access(host, environ, api_url)
    assert (found.api_url, found.token) == (expected, token)


def test_the_token_that_gh_keeps_for_the_host_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\n[ "$*" = "auth token --hostname ghe.corp" ] && [ -z "$GH_ENTERPRISE_TOKEN$GITHUB_TOKEN" ] && echo kept\n')
    gh.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("GH_ENTERPRISE_TOKEN", "another")
    assert find_access("ghe.corp", {"GITHUB_TOKEN": "mine"}).token == "kept"
    assert find_access("evil.example", {"GITHUB_TOKEN": "mine"}).token == ""


@pytest.mark.parametrize("bad", ["two words", "line\nbreak", "tökn"])
def test_a_token_that_cannot_be_one_is_refused_and_not_shown(bad: str) -> None:
    with pytest.raises(UsageError, match="characters that no token has") as failed:
        find_access("github.com", {"GITHUB_TOKEN": bad})
    assert bad not in str(failed.value)


@pytest.mark.parametrize("url", ["http://ghe.corp/api/v3", "ftp://x", "ghe.corp"])
def test_a_token_never_travels_in_the_open(url: str) -> None:
    with pytest.raises(UsageError, match="not an https address"):
        find_access("ghe.corp", {}, url)


@pytest.mark.parametrize(
    "name", ["octo", "octo/..", "octo/.", "../x", "octo/a b", "octo/a/b", "-o/x", "octo/", "/x", "octo/x?y", "octo/x#y"]
)
def test_what_is_no_name_of_a_repository_never_becomes_a_path(name: str) -> None:
    with pytest.raises(UsageError, match="is not the name of a GitHub repository"):
        Repository.of(name)


def test_the_stand_in_takes_no_unknown_account(github: GitHub, hub: Hub) -> None:
    private = github.repository("octo/secret", Path(hub.git.folder), private=True, roles={"maintainer": "read"})
    private.issue("hidden")
    with pytest.raises(GitHubError, match="not there, or private"):
        Client(Access(github.host, github.api_url, github.url)).get("repos/octo/secret/issues/1")


def test_without_the_extra_it_is_said_what_to_install() -> None:
    code = (
        "import sys; sys.modules['gidgethub'] = None\n"
        "from swesearch.github.access import connect, find_access\n"
        "try: connect(find_access('github.com', {}))\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "UsageError GitHub needs a package that is not installed, gidgethub: pip install 'swesearch[bot]'\n"
