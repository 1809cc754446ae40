"""Images for boxes: the official Python image where a registry can be reached, else one made of this machine's Debian packages."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound

from sandbox.base import SandboxError, SandboxUnavailable
from sandbox.owner import labels

PACKAGES = ("python3", "python3-venv", "git", "patch", "ca-certificates")
LEFT_OUT = (
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "usr/share/doc/*",
    "usr/share/man/*",
    "usr/share/locale/*",
    "proc/*",
    "sys/*",
    "dev/*",
)
OWN = "sandbox-base"
VERSION_LABEL = "sandbox.python"
PULL_SECONDS, BUILD_SECONDS, SETUP_SECONDS = 60, 1200, 3600
Tell = Callable[[str], None]


def quiet(_: str) -> None:
    """Tell nobody."""


def base_image(client: docker.DockerClient, version: str = "3.11", tell: Tell = quiet) -> str:
    """The image boxes run in unless the user names one. Raises SandboxUnavailable where none can be had."""
    if not re.fullmatch(r"3\.\d+", version):
        raise SandboxError(f"not a Python version: {version}")
    official = f"python:{version}-slim"
    for name in (official, _own_name()):
        if _exists(client, name):
            return name
    with _lock("base"):  # of two processes that want it, one makes it
        if _exists(client, _own_name()):
            return _own_name()
        reason = _pull(official, tell)
        return _build(client, f"{official} cannot be pulled ({reason})", tell) if reason else official


def pullable(client: docker.DockerClient, name: str, tell: Tell = quiet) -> bool:
    """Whether an image is here, or could be fetched now."""
    return _exists(client, name) or not _pull(name, tell)


def python_version(client: docker.DockerClient, image: str) -> str:
    """The version of a base image's Python, "3.11"."""
    official = re.fullmatch(r"python:(3\.\d+)-slim", image)
    return official.group(1) if official else str(client.images.get(image).labels[VERSION_LABEL])


def setup_image(client: docker.DockerClient, image: str, files: bytes, command: str, tell: Tell = quiet) -> str:
    """`image` after `command` was run once in /setup, which holds the tar `files`, with network. Kept under its content.

    Raises SandboxUnavailable where it does not end well, with its last words.
    """
    key = hashlib.sha256(json.dumps([_identity(client, image), hashlib.sha256(files).hexdigest(), command]).encode()).hexdigest()[:20]
    name = f"sandbox-setup:{key}"
    with _lock(key):
        if not _exists(client, name):
            tell(f"running once, with network: {command}")
            _set_up(client, image, files, command, key)
    return name


def _set_up(client: docker.DockerClient, image: str, files: bytes, command: str, key: str) -> None:
    container = client.containers.create(
        image, ["sh", "-ec", command], working_dir="/setup", entrypoint=[], user="0", labels=labels(f"setup-{key}")
    )
    try:
        container.put_archive("/setup", files)
        container.start()
        code = container.wait(timeout=SETUP_SECONDS)["StatusCode"]
        if code:
            words = container.logs(tail=20).decode("utf-8", "replace").strip()
            raise SandboxUnavailable(f"the setup command ended with {code}: {words}")
        container.commit("sandbox-setup", key, conf={"Cmd": [], "WorkingDir": "/"})
    except (DockerException, requests.RequestException) as error:
        raise SandboxUnavailable(f"the setup command could not be run: {error}") from error
    finally:
        container.remove(force=True)


def _exists(client: docker.DockerClient, name: str) -> bool:
    try:
        client.images.get(name)
    except ImageNotFound:
        return False
    return True


def _identity(client: docker.DockerClient, image: str) -> str:
    try:
        return str(client.images.get(image).id)
    except ImageNotFound as error:
        raise SandboxUnavailable(f"there is no Docker image {image}: build or pull it first") from error


def _pull(name: str, tell: Tell) -> str:
    """Pull an image. Returns why not, or nothing."""
    repository, tag = name.split(":")
    client = docker.from_env(timeout=PULL_SECONDS)
    try:
        tell(f"pulling {name}")
        for event in client.api.pull(repository, tag, stream=True, decode=True):
            if "error" in event:
                return str(event["error"])
    except (APIError, requests.RequestException) as error:
        return str(getattr(error, "explanation", None) or error)
    finally:
        client.close()
    return ""


def _build(client: docker.DockerClient, why: str, tell: Tell) -> str:
    """Make the own base image. Raises SandboxUnavailable."""
    mend = "load an image with `docker load`, name one with --image, or install debootstrap and run this once as root"
    source = apt_source()
    if not shutil.which("debootstrap") or os.geteuid() != 0 or source is None:
        raise SandboxUnavailable(f"there is no base image: {why}, and none can be made here. Mend: {mend}")
    tell("making a base image from Debian packages (about a minute, once)")
    with tempfile.TemporaryDirectory(prefix="sandbox-base-") as folder:
        tree = Path(folder) / "tree"
        suite, mirror = source
        _debootstrap(suite, str(tree), mirror, why)
        _import(client, tree)
    return _own_name()


def _debootstrap(suite: str, tree: str, mirror: str, why: str) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", suite, tree, mirror]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise SandboxUnavailable(f"there is no base image: {why}, and debootstrap did not end") from error
    if done.returncode:
        words = done.stdout.decode("utf-8", "replace").strip()[-500:]
        raise SandboxUnavailable(f"there is no base image: {why}, and debootstrap failed: {words}")


def _import(client: docker.DockerClient, tree: Path) -> None:
    excluded = [f"--exclude=./{pattern}" for pattern in LEFT_OUT]
    repository, tag = _own_name().split(":")
    with tempfile.TemporaryFile() as archive:
        subprocess.run(["tar", "-C", str(tree), *excluded, "-c", "."], stdout=archive, check=True)
        archive.seek(0)
        version = (tree / "usr/bin/python3").readlink().name.removeprefix("python")
        answer = client.api.import_image(src=archive, repository=repository, tag=tag, changes=[f"LABEL {VERSION_LABEL}={version}"])
    if '"error"' in answer:
        raise SandboxUnavailable(f"the Docker engine does not take the base image: {answer[-500:]}")


def _own_name() -> str:
    """The own image's name: the same recipe gives the same name."""
    suite, _ = apt_source() or ("", "")
    recipe = json.dumps([PACKAGES, LEFT_OUT, VERSION_LABEL, suite])
    return f"{OWN}:{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def apt_source(root: Path = Path("/")) -> tuple[str, str] | None:
    """(suite, mirror) of the distribution this machine's apt uses, or None."""
    release = root / "etc/os-release"
    found = re.search(r"^VERSION_CODENAME=(\S+)$", release.read_text(), re.MULTILINE) if release.exists() else None
    if not found:
        return None
    suite = found.group(1).strip('"')
    folder = root / "etc/apt"
    for path in (folder / "sources.list", *sorted((folder / "sources.list.d").glob("*"))):
        for mirror, suites in _entries(path):
            if suite in suites:
                return suite, mirror
    return None


def _entries(path: Path) -> Iterator[tuple[str, list[str]]]:
    """(mirror, suites) of every binary source in a .list or .sources file."""
    if not path.is_file():
        return
    text = path.read_text("utf-8", "replace")
    if path.suffix == ".sources":
        for paragraph in re.split(r"\n\s*\n", text):
            fields: Mapping[str, str] = dict(re.findall(r"^(\w+):[ \t]*(.*)$", paragraph, re.MULTILINE))
            for mirror in fields.get("URIs", "").split():
                yield mirror, fields.get("Suites", "").split()
    else:
        for mirror, suite in re.findall(r"^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)", text, re.MULTILINE):
            yield mirror, [suite]


@contextlib.contextmanager
def _lock(name: str) -> Iterator[None]:
    path = Path(tempfile.gettempdir()) / f"sandbox-{os.getuid()}-{name}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
