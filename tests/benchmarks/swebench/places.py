"""A small project with a past and a future, and an image of it made as the official ones are: real git, real pytest."""

from __future__ import annotations

import importlib.metadata
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import docker

from benchmarks.swebench.base import Instance
from benchmarks.swebench.data import instance
from benchmarks.swebench.images import official_name
from benchmarks.swebench.layers import archive
from sandbox.images import add_layer, base_image, remove_image

TOOL = "def double(number):\n    return number + number + 1\n"
FIXED = TOOL.replace(" + 1", "")
TEST = "from tool import double\n\n\ndef test_zero():\n    assert double(0) == 0\n\n\ndef test_type():\n    assert type(double(1)) is int\n"
DEPENDENCIES = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
# as in the official images: conda's script puts the environment's programs first
ACTIVATE = "export PATH=/opt/tools/bin:$PATH PYTHONPATH=/opt/tools:/testbed\nconda() { :; }\n"
PYTEST = '#!/bin/sh\nexec python3 -m pytest -p no:cacheprovider "$@"\n'


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def diff(folder: Path, path: str, text: str) -> str:
    """The patch that gives a file of the work tree another text."""
    before = (folder / path).read_text() if (folder / path).exists() else None
    (folder / path).write_text(text)
    git(folder, "add", "-N", path)
    patch = git(folder, "diff") + "\n"
    git(folder, "reset", "-q", "--hard")
    if before is None:
        (folder / path).unlink(missing_ok=True)
    return patch


def installed(names: Sequence[str]) -> set[Path]:
    """The packages of this interpreter by these names, and their metadata."""
    files = [file for name in names for file in importlib.metadata.files(name) or []]
    site = Path(str(importlib.metadata.distribution(names[0]).locate_file("")))
    return {site / file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}


def project(folder: Path) -> Instance:
    """Three commits in a bare clone, FOLDER/acme__tool: the instance is about the one in the middle."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    git(tree, "init", "-q", "-b", "main")
    commits = []
    for text in ("def double(number):\n    return 0\n", TOOL, "# the future\n" + FIXED):
        (tree / "tool.py").write_text(text)
        git(tree, "add", "-A")
        git(tree, "commit", "-q", "-m", f"commit {len(commits)}")
        commits.append(git(tree, "rev-parse", "HEAD"))
    git(folder, "clone", "-q", "--bare", "tree", "pallets__flask")
    git(tree, "reset", "-q", "--hard", commits[1])
    row = {
        "instance_id": f"pallets__flask-{commits[1][:8]}", "repo": "pallets/flask", "base_commit": commits[1], "version": "2.3",
        "problem_statement": "double(0) is 1", "patch": diff(tree, "tool.py", FIXED), "test_patch": diff(tree, "test_tool.py", TEST),
        "FAIL_TO_PASS": ["test_tool.py::test_zero"], "PASS_TO_PASS": ["test_tool.py::test_type"],
    }  # fmt: skip
    return instance(row)


@contextmanager
def prebuilt(client: docker.DockerClient, one: Instance, tree: Path) -> Iterator[str]:
    """An image under the official name, whose /testbed has all three commits."""
    name = official_name(one)
    with archive() as tar:
        tar.add(tree, "testbed")
        tar.write("opt/miniconda3/bin/activate", ACTIVATE)
        tar.write("opt/tools/bin/pytest", PYTEST)
        for source in installed(DEPENDENCIES):
            tar.add(source, f"opt/tools/{source.name}", lambda path: "__pycache__" not in path)
        add_layer(client, base_image(client), tar.done(), name, "chmod +x /opt/tools/bin/pytest; git -C /testbed checkout -q main")
    try:
        yield name
    finally:
        remove_image(client, name)
