"""Clones over real HTTP: partial, cached, with a token that is in no file, and a push that makes one new branch."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from swesearch.base import SwesearchError
from swesearch.github.access import Access
from swesearch.github.base import GitHubError, GitHubUnavailable, Repository
from swesearch.github.clone import Clone, network
from swesearch.store import Store
from swesearch.testing.github import GitHub, Hub

Repo = Callable[..., Path]
TOKEN = "ghp_" + "T0ken" * 7
MAIN = "refs/heads/main"


@pytest.fixture
def clone(hub: Hub, access: Access, tmp_path: Path) -> Clone:
    return Clone.of(access, Repository("octo", "calc", access.host), tmp_path / "home")


def missing(folder: Path) -> int:
    """How many objects of the history a git directory does not have."""
    asked = ["git", "rev-list", "--objects", "--missing=print", "--all"]
    done = subprocess.run(
        asked, cwd=folder, check=True, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "GIT_NO_LAZY_FETCH": "1"}
    )
    return sum(row.startswith("?") for row in done.stdout.splitlines())


def test_a_clone_has_the_history_and_a_working_copy_the_files(clone: Clone, hub: Hub, tmp_path: Path) -> None:
    commit = clone.fetch(MAIN)
    assert commit == hub.git.sha("main")
    assert missing(clone.folder) == 2
    copy = clone.check_out(commit, tmp_path / "copy")
    assert "result -= item" in (copy / "calc.py").read_text()
    assert missing(clone.folder) == 0
    status = subprocess.run(["git", "status", "--porcelain"], cwd=copy, check=True, capture_output=True, text=True)
    assert status.stdout == ""


def test_the_files_of_a_working_copy_are_fetched_all_at_once(github: GitHub, access: Access, repo: Repo, tmp_path: Path) -> None:
    github.repository("octo/many", repo({f"f{n}.py": f"x = {n}\n" for n in range(50)}))
    clone = Clone.of(access, Repository("octo", "many", access.host), tmp_path / "home")
    commit = clone.fetch(MAIN)
    before = len(github.git_requests)
    clone.check_out(commit, tmp_path / "copy")
    assert len(github.git_requests) - before <= 3


def test_a_store_takes_a_working_copy_as_any_other(clone: Clone, hub: Hub, tmp_path: Path) -> None:
    commit = clone.fetch(MAIN)
    store = Store.open(clone.check_out(commit, tmp_path / "copy"), tmp_path / "store.git")
    assert store.root().tree == hub.git.git("rev-parse", "main^{tree}")
    store.close()


def test_what_is_there_is_not_fetched_again(clone: Clone, hub: Hub, github: GitHub, tmp_path: Path) -> None:
    clone.fetch(MAIN)
    before = len(github.git_requests)
    again = Clone.of(clone.access, clone.repository, tmp_path / "home")
    assert again.fetch(MAIN) == hub.git.sha("main")
    assert len(github.git_requests) - before == 2  # what the server has, and its refs: no pack


def test_what_a_killed_fetch_left_locked_is_free_again(clone: Clone, hub: Hub) -> None:
    (clone.folder / "refs/fetched/heads").mkdir(parents=True)
    (clone.folder / "refs/fetched/heads/main.lock").touch()
    assert clone.fetch(MAIN) == hub.git.sha("main")


def test_two_processes_may_use_a_clone_at_once(clone: Clone, hub: Hub, tmp_path: Path) -> None:
    clone.fetch(MAIN)
    config = clone.folder / "config"
    before = config.stat().st_ino
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(lambda _: Clone.of(clone.access, clone.repository, tmp_path / "home").fetch(MAIN), range(4)))
    assert again == [hub.git.sha("main")] * 4
    assert config.stat().st_ino == before


def test_the_head_of_a_pull_request_comes_from_the_repository_itself(clone: Clone, hub: Hub, github: GitHub, repo: Repo) -> None:
    fork = github.repository("stranger/calc", Path(hub.git.folder), branch="main")
    fork.git.git("branch", "mend", fork.git.git("commit-tree", "main^{tree}", "-p", "main", "-m", "mend"))
    number = hub.pull("Mend", "mend", "stranger", source=fork)
    assert clone.fetch(f"refs/pull/{number}/head") == fork.git.sha("mend")
    assert not any("stranger" in seen.path for seen in github.git_requests)


def test_the_token_is_in_no_file_and_in_no_argument(
    clone: Clone, tmp_path: Path, everywhere: Callable[[Path, str], list[str]], github: GitHub
) -> None:
    clone.check_out(clone.fetch(MAIN), tmp_path / "copy")
    secret = network(clone.access)["GIT_CONFIG_VALUE_2"].rpartition(" ")[2]
    assert any(secret in seen.headers.get("authorization", "") for seen in github.git_requests)
    for text in (TOKEN, secret):
        assert everywhere(tmp_path, text) == []
    assert TOKEN not in clone.url


def test_hooks_filters_and_links_of_a_repository_do_nothing(github: GitHub, access: Access, repo: Repo, tmp_path: Path) -> None:
    folder = repo({".gitattributes": "* filter=evil text eol=crlf ident\n", "a.py": "x = '$Id$'\n"})
    (folder / "link").symlink_to("/etc")
    for arguments in (("config", "filter.evil.smudge", "touch /tmp/evil-was-here"), ("add", "-A"), ("commit", "-qm", "more")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    github.repository("octo/evil", folder)
    clone = Clone.of(access, Repository("octo", "evil", access.host), tmp_path / "home")
    copy = clone.check_out(clone.fetch(MAIN), tmp_path / "copy")
    assert (copy / "a.py").read_bytes() == b"x = '$Id$'\n"
    assert (copy / "link").is_symlink()
    assert not Path("/tmp/evil-was-here").exists()


def commit_on(clone: Clone, parent: str, message: str) -> str:
    who = {f"GIT_{role}_{what}": "a@b" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    return clone.git().run("commit-tree", f"{parent}^{{tree}}", "-p", parent, "-m", message, env=who).decode().strip()


def test_a_push_makes_a_branch_and_never_moves_one(clone: Clone, hub: Hub) -> None:
    main = clone.fetch(MAIN)
    first, second = commit_on(clone, main, "one"), commit_on(clone, main, "two")
    clone.push(first, "swesearch/fix-1-abc")
    clone.push(first, "swesearch/fix-1-abc")  # again: nothing to do
    assert hub.git.sha("swesearch/fix-1-abc") == first
    with pytest.raises(SwesearchError):
        clone.push(second, "swesearch/fix-1-abc")
    assert hub.git.sha("swesearch/fix-1-abc") == first


@pytest.mark.parametrize(
    ("token", "name", "words"),
    [
        ("", "secret", "a private repository needs a token"),
        ("wrong", "secret", "the token may be wrong"),
        (TOKEN, "nothing", "the token may be wrong, or may not read it"),
    ],
)
def test_what_cannot_be_cloned_is_told_in_one_line(github: GitHub, hub: Hub, tmp_path: Path, token: str, name: str, words: str) -> None:
    github.repository("octo/secret", Path(hub.git.folder), private=True)
    access = Access(github.host, github.api_url, github.url, token)
    with pytest.raises(GitHubError, match=words):
        Clone.of(access, Repository("octo", name, github.host), tmp_path / "home").fetch(MAIN)


def test_a_push_without_the_right_to_is_told_as_such(github: GitHub, hub: Hub, tmp_path: Path) -> None:
    github.account("reader", "stranger")
    clone = Clone.of(Access(github.host, github.api_url, github.url, "reader"), Repository("octo", "calc", github.host), tmp_path)
    with pytest.raises(GitHubError, match="the token needs to write contents"):
        clone.push(clone.fetch(MAIN), "swesearch/fix-1-abc")


def test_no_network_is_no_refusal(tmp_path: Path) -> None:
    with pytest.raises(GitHubUnavailable, match="cannot be reached"):
        Clone.of(Access("127.0.0.1:9", "", "http://127.0.0.1:9"), Repository("octo", "calc", "127.0.0.1:9"), tmp_path).fetch(MAIN)


@pytest.mark.parametrize("ref", ["refs/heads/a b", "refs/heads/-x:y", "refs/heads/*", "--upload-pack=evil", "refs/heads/.."])
def test_a_branch_with_an_odd_name_is_not_asked_for(clone: Clone, ref: str, github: GitHub) -> None:
    with pytest.raises(SwesearchError):
        clone.fetch(ref)
    assert github.git_requests == []
