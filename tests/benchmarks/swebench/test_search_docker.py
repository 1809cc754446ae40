"""An instance's image holds the project installed for development: what is tested is the candidate's tree all the same."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time

import pytest

from benchmarks.swebench.base import Instance, Place
from benchmarks.swebench.search import search_one
from swesearch.settings import Settings

pytestmark = pytest.mark.docker
BUGGY = "from tiny._version import version\n\n\ndef clamp(value, low, high):\n    return min(max(value, low), low)\n"
TESTS = """\
from tiny import clamp, version


def test_high():
    assert clamp(9, 1, 5) == 5


def test_version():
    assert version == "7"
"""
FILES = {"src/tiny/__init__.py": BUGGY, ".gitignore": "_version.py\n", "tests/test_old.py": "def test_old():\n    pass\n"}
BUILT = {"testbed/src/tiny/_version.py": "version = '7'\n", "testbed/src/tiny/__init__.py": BUGGY}
INSTALLED = {"usr/lib/python3/dist-packages/__editable__.tiny.pth": "/testbed/src\n"}


def tar(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, text in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.fixture
def image():
    """An image with the project's buggy tree in /testbed, installed for development, with a file that its build made."""
    import docker

    from sandbox.images import base_image

    client = docker.from_env()
    container = client.containers.create(base_image(client), ["true"], labels={"sandbox.test": "1"})
    try:
        container.put_archive("/", tar(BUILT | INSTALLED))
        made = container.commit("swesearch-test", "editable")
    finally:
        container.remove(force=True)
    yield made.id
    until = time.monotonic() + 20
    while not removed(client, made.id) and time.monotonic() < until:
        time.sleep(0.5)
    client.close()


def removed(client, image):
    """Whether an image is gone: not while the engine still removes, in the background, what ran in it."""
    from docker.errors import APIError

    try:
        client.images.remove(image, force=True)
    except APIError:
        return False
    return True


def test_the_candidates_tree_is_tested_and_not_the_one_that_the_image_has_installed(repo, tmp_path, image):
    folder = repo(FILES)
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()
    rows = "".join(f"+{line}\n" for line in TESTS.splitlines())
    patch = f"--- /dev/null\n+++ b/tests/test_new.py\n@@ -0,0 +1,{len(TESTS.splitlines())} @@\n{rows}"
    instance = Instance("tiny__tiny-1", "tiny/tiny", commit, "", "1", "2024", "", patch, ("tests/test_new.py::test_high",), ())
    settings = Settings().updated({"discriminator": {"patience": 1}, "search": {"workers": 1}}, "test")

    outcome = search_one(instance, Place(image, "/usr/bin/python3", folder), "check", settings, tmp_path / "home")

    assert (outcome.exit_status, outcome.error) == ("Submitted", "")
    assert "+    return min(max(value, low), high)" in outcome.patch
    assert "_version.py" not in outcome.patch
