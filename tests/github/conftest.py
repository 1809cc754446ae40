from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from swesearch.github.access import Access
from swesearch.github.client import Client
from swesearch.testing.github import GitHub, Hub

Repo = Callable[..., Path]
TOKEN = "ghp_" + "T0ken" * 7  # what nobody may ever see
BUGGY = {
    "calc.py": "def total(items):\n    result = 0\n    for item in items:\n        result -= item\n    return result\n",
    "test_calc.py": (
        "from calc import total\n\n\ndef test_total():\n    assert total([1, 2, 3]) == 6\n\n\n"
        "def test_nothing():\n    assert total([]) == 0\n"
    ),
}


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A server with one account, `maintainer`, whose token is TOKEN."""
    with GitHub(tmp_path / "server") as server:
        server.account(TOKEN, "maintainer")
        yield server


@pytest.fixture
def hub(github: GitHub, repo: Repo) -> Hub:
    """octo/calc, where `maintainer` may push."""
    return github.repository("octo/calc", repo(BUGGY), roles={"maintainer": "write"})


@pytest.fixture
def access(github: GitHub) -> Access:
    """As `maintainer`."""
    return Access(github.host, github.api_url, github.url, TOKEN)


@pytest.fixture
def client(access: Access) -> Client:
    """As `maintainer`, never waiting."""
    return Client(access, sleep=lambda _: None)


@pytest.fixture
def everywhere() -> Callable[[Path, str], list[str]]:
    """The files below a folder that hold a text, packed git objects unpacked: for what must be nowhere."""

    def search(folder: Path, text: str) -> list[str]:
        plain = [str(path) for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
        for git in {path.parent for path in folder.rglob("HEAD") if (path.parent / "objects").is_dir()}:
            env = {**os.environ, "GIT_DIR": str(git), "GIT_NO_LAZY_FETCH": "1"}
            every = subprocess.run(
                ["git", "cat-file", "--batch-all-objects", "--batch"], env=env, capture_output=True, check=True, stdin=subprocess.DEVNULL
            )
            plain += [str(git)] if text.encode() in every.stdout else []
        return plain

    return search
