"""What every test shares: no secrets, real git repositories, and the rules of the `docker` marker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from benchmarks.browser import Browser, BrowserMissing, browser
from sandbox.owner import abandoned

GIT_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "A Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.com",
    "GIT_AUTHOR_DATE": "2024-01-01T00:00:00+0000",
    "GIT_COMMITTER_NAME": "A Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.com",
    "GIT_COMMITTER_DATE": "2024-01-01T00:00:00+0000",
}
SECRET_ENDINGS = ("_API_KEY", "_AUTH_TOKEN", "_SECRET", "_PASSWORD")
SECRETS = {"GITHUB_TOKEN", "GH_TOKEN"}


# A busy machine is no finding: how long an example takes says nothing here.
settings.register_profile("swesearch", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
settings.load_profile("swesearch")


def pytest_configure(config: pytest.Config) -> None:
    """No test can use a key, or the settings of whoever runs it. Ctrl-C ends what they start, also in a background job."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in list(os.environ):
        if name in SECRETS or name.endswith(SECRET_ENDINGS) or name.startswith("SWESEARCH_"):
            del os.environ[name]
    os.environ.update(GIT_ENVIRONMENT, SWESEARCH_CONFIG=os.devnull)


@pytest.fixture(autouse=True, scope="session")
def _no_container_is_left() -> Iterator[None]:
    """Set up before every other fixture and torn down after it: what is there then would stay."""
    before = {name for name, _ in containers()}
    yield
    until = time.monotonic() + 10  # the engine removes in the background
    while (left := [name for name, labels in containers() if name not in before and left_by_us(labels)]) and time.monotonic() < until:
        time.sleep(0.5)
    assert left == [], "containers of this session are left"


def containers() -> list[tuple[str, dict[str, str]]]:
    """Name and labels of every box on the engine; none where the engine was not needed so far, or does not answer."""
    if not engine_problem.cache_info().currsize or engine_problem():
        return []
    import docker

    client = docker.from_env(timeout=30)
    try:
        return [(entry["Names"][0], entry["Labels"]) for entry in client.api.containers(all=True, filters={"label": "sandbox.owner"})]
    finally:
        client.close()


def left_by_us(labels: dict[str, str]) -> bool:
    """Whether a box is this process's, or that of a process that is gone. Others may be testing on the same engine."""
    owner = labels["sandbox.owner"]  # empty on what runs from a committed image of ours without being a box
    return bool(owner) and (json.loads(owner)["pid"] == os.getpid() or abandoned(labels))


@pytest.fixture(autouse=True, scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep runs out of the user's own folder."""
    os.environ["SWESEARCH_HOME"] = str(tmp_path_factory.mktemp("home"))


@cache
def engine_problem() -> str:
    """Why no Docker engine can be used; empty where one answers. Asked in a process of its own: a client that fails leaks its socket."""
    ask = "import docker; docker.from_env(timeout=30).ping()"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", ask], capture_output=True, text=True, timeout=60, check=False)
    return f"no Docker engine answers: {done.stderr.strip().splitlines()[-1]}" if done.returncode else ""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip Docker tests where there is no engine, saying why. In CI that is a failure: nothing is skipped silently."""
    if item.get_closest_marker("docker") and (problem := engine_problem()):
        if os.environ.get("CI") == "true":
            pytest.fail(problem, pytrace=False)
        pytest.skip(problem)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser, one for all tests of pages. Where none is installed they are skipped; in CI that is a failure."""
    try:
        with browser() as started:
            yield started
    except BrowserMissing as error:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(str(error))


@pytest.fixture
def repo(tmp_path: Path) -> Callable[..., Path]:
    """Make a real git repository with one commit: `repo({"a.py": "x = 1\\n"})`. A name gives another folder."""

    def make(files: Mapping[str, str | bytes], name: str = "repo") -> Path:
        folder = tmp_path / name
        make_repository(folder, files)
        return folder

    return make


@pytest.fixture
def open_store(repo: Callable[..., Path], tmp_path: Path) -> Iterator[Callable[[Mapping[str, str | bytes]], Any]]:
    """A store of a repository with these files."""
    from swesearch.store import Store

    with ExitStack() as stack:
        yield lambda files: stack.enter_context(closing(Store.open(repo(files), tmp_path / "store.git")))


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run that has ended with several results, for tests that only look: nobody may change it."""
    from tests.solve.project import FILES, WEAK

    return searched(
        tmp_path_factory.mktemp("finished"), FILES | {"tests/test_core.py": WEAK}, {"discriminator": {"patience": 8, "finalists": 2}}
    )


@pytest.fixture(scope="session")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run whose budget has ended before anything was found, for tests that only look: nobody may change it."""
    from tests.solve.project import HOPELESS

    return searched(tmp_path_factory.mktemp("stopped"), HOPELESS, {"budget": {"evaluations": 4}})


def searched(folder: Path, files: Mapping[str, str | bytes], wanted: Mapping[str, object]) -> Any:
    """A run on a small repository, as far as it goes."""
    from swesearch import runs, solve
    from swesearch.base import Check, Task
    from swesearch.settings import Settings

    make_repository(folder / "repo", files)
    cheap = {"sandbox": {"kind": "local", "python": sys.executable}, "search": {"workers": 1}}
    check = Check(("pytest", "-q", "tests/test_core.py"))
    settings = Settings().updated(cheap, "test").updated(wanted, "test")
    run = runs.begin(Task(folder / "repo", (check,), "clamp lets too much through"), settings, folder / "home")
    solve.search(run, lambda _: None, threading.Event())
    return run


def make_repository(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """A real git repository with one commit."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    folder.mkdir(parents=True, exist_ok=True)
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "--allow-empty", "-m", "start")):
        subprocess.run(["git", *arguments], cwd=folder, check=True, stdin=subprocess.DEVNULL)
