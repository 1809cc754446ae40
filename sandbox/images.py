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
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound
from docker.models.containers import Container

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


def base_image(client: docker.DockerClient, version: str = "3.11", tell: Tell = quiet, tools: bool = False) -> str:
    """The image boxes run in unless the user names one; with `tools`, one that has git and patch too.

    Raises SandboxUnavailable where none can be had.
    """
    if not re.fullmatch(r"3\.\d+", version):
        raise SandboxError(f"not a Python version: {version}")
    official = f"python:{version}-{'bookworm' if tools else 'slim'}"
    for name in (official, _own_name()):
        if exists(client, name):
            return name
    with lock("base"):  # of two processes that want it, one makes it
        if exists(client, _own_name()):
            return _own_name()
        reason = pull(official, tell)
        return _build(client, f"{official} cannot be pulled ({reason})", tell) if reason else official


def pullable(client: docker.DockerClient, name: str, tell: Tell = quiet) -> bool:
    """Whether an image is here, or could be fetched now."""
    return exists(client, name) or not pull(name, tell)


def python_version(client: docker.DockerClient, image: str) -> str:
    """The version of a base image's Python, "3.11"."""
    official = re.fullmatch(r"python:(3\.\d+)-(slim|bookworm)", image)
    return official.group(1) if official else str(client.images.get(image).labels[VERSION_LABEL])


def interpreter(client: docker.DockerClient, image: str, python: str) -> tuple[str, bool]:
    """Version of `python` in an image, "3.9", and whether it has pytest. Raises SandboxUnavailable where it does not run."""
    ask = "import sys\ntry:\n import pytest\nexcept ImportError:\n pass\nprint('%d.%d' % sys.version_info[:2], 'pytest' in sys.modules)"
    try:
        told = client.containers.run(
            image, ["-I", "-c", ask], entrypoint=[python], network_mode="none", remove=True, labels=labels("look"), working_dir="/"
        )
    except (DockerException, requests.RequestException) as error:
        raise SandboxUnavailable(f"{python} does not run in the image {image}: {error}") from error
    version, complete = told.decode("utf-8", "replace").split()[-2:]
    return version, complete == "True"


def read_folder(client: docker.DockerClient, image: str, folder: str) -> bytes:
    """A folder of an image, as a tar. No code of the image is run. Raises SandboxUnavailable."""
    try:
        container = client.containers.create(image, ["true"], network_mode="none", labels=labels("read"))
        try:
            return b"".join(container.get_archive(folder)[0])
        finally:
            container.remove(force=True)
    except (DockerException, requests.RequestException) as error:
        raise SandboxUnavailable(f"{folder} cannot be read from the image {image}: {error}") from error


def setup_image(client: docker.DockerClient, image: str, files: bytes, command: str, tell: Tell = quiet) -> str:
    """`image` after `command` was run once in /setup, which holds the tar `files`, with network. Kept under its content.

    Raises SandboxUnavailable where it does not end well, with its last words.
    """
    key = hashlib.sha256(json.dumps([_identity(client, image), hashlib.sha256(files).hexdigest(), command]).encode()).hexdigest()[:20]
    name = f"sandbox-setup:{key}"
    with lock(key):
        if not exists(client, name):
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


def add_layer(
    client: docker.DockerClient, image: str, archive: IO[bytes], name: str, command: str = "", changes: Sequence[str] = ()
) -> None:
    """Make the image `name`: `image` with a tar laid over its root, then what `command` did there, in bash and without network.

    `changes` are lines of a Dockerfile. Raises SandboxUnavailable where it does not end well, with its last words.
    """
    repository, tag = name.rsplit(":", 1)
    try:
        with _preparing(client, image, command or "true", tag) as container:
            container.put_archive("/", archive)
            container.start()
            code = container.wait(timeout=SETUP_SECONDS)["StatusCode"]
            if code:
                words = container.logs(tail=20).decode("utf-8", "replace").strip()
                raise SandboxUnavailable(f"{name} could not be made: its setup ended with {code}: {words}")
            # an image hands its labels on: what is made of it has no owner until it is given one
            container.commit(repository, tag, changes=[*changes, *(f'LABEL {key}=""' for key in labels(""))], conf={"Cmd": []})
    except (DockerException, requests.RequestException) as error:
        raise SandboxUnavailable(f"{name} could not be made: {error}") from error


@contextlib.contextmanager
def _preparing(client: docker.DockerClient, image: str, command: str, run: str) -> Iterator[Container]:
    container = client.containers.create(
        image, ["bash", "-ec", command], entrypoint=[], user="0", working_dir="/", network_mode="none", pids_limit=1024,
        mem_limit="4g", security_opt=["no-new-privileges"], labels=labels(f"layer-{run}"),
    )  # fmt: skip
    try:
        yield container
    finally:
        container.remove(force=True)


def remove_image(client: docker.DockerClient, name: str) -> None:
    """Remove an image; nothing happens where there is none, or where a container still uses it."""
    try:
        client.images.remove(name)
    except APIError as error:
        if error.status_code not in (404, 409):
            raise SandboxUnavailable(f"the image {name} cannot be removed: {error}") from error


def need_space(client: docker.DockerClient, gigabytes: float) -> None:
    """Raise SandboxUnavailable where the disk of the engine's images is too full. Another machine's disk is not seen from here."""
    root = Path(str(client.info()["DockerRootDir"]))
    free = shutil.disk_usage(root).free / 1e9 if root.is_dir() else gigabytes
    if free < gigabytes:
        raise SandboxUnavailable(
            f"no space for images: {root} has {free:.1f} GB free and {gigabytes:.1f} GB are needed. "
            "Mend: docker image prune, or move the engine's data-root to a larger disk"
        )


def exists(client: docker.DockerClient, name: str) -> bool:
    """Whether the engine has this image."""
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


def pull(name: str, tell: Tell = quiet) -> str:
    """Pull an image, by the tag `latest` where the name says none. Returns why not, or nothing."""
    client = docker.from_env(timeout=PULL_SECONDS)
    try:
        tell(f"pulling {name}")
        for event in client.api.pull(name, stream=True, decode=True):
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
def lock(name: str) -> Iterator[None]:
    """Held by one process at a time."""
    path = Path(tempfile.gettempdir()) / f"sandbox-{os.getuid()}-{name}.lock"
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
