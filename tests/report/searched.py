"""A whole run with a scripted model on the small project, for whoever looks at runs."""

import subprocess
import sys
import threading

import pytest

from swesearch import runs, solve
from swesearch.base import Check, Task
from swesearch.settings import Settings
from swesearch.testing import FakeProvider
from tests.solve.brain import ISSUE, Brain
from tests.solve.project import CHECK, FILES


def searched(folder, files=FILES, issue=ISSUE, brain=None):
    """Begin a run on a repository of these files and search; `folder` holds both. Returns the finished run."""
    repo = folder / "repo"
    for path, text in files.items():
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(text)
    for arguments in (("init", "-q"), ("add", "-A"), ("commit", "-q", "-m", "start")):
        subprocess.run(["git", *arguments], cwd=repo, check=True, stdin=subprocess.DEVNULL)
    with pytest.MonkeyPatch.context() as patch, FakeProvider(brain or Brain()) as provider:
        patch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
        run = runs.begin(Task(repo, (Check(tuple(CHECK.split())),), issue), _settings(provider.url), folder / "home")
        solve.search(run, lambda _: None, threading.Event())
    return run


def _settings(url):
    sandbox = {"kind": "local", "python": sys.executable}
    return Settings().updated({"sandbox": sandbox, "model": {"name": "claude-sonnet-5-5", "base_url": url}}, "test")
