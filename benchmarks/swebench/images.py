"""Environments of instances: the official image where it can be pulled, else one made here.

base image -> interpreter -> packages (shared by all whose versions are the same) -> /testbed at the base commit, no later one.
Each image is named after what is in it, so that nothing stale is ever used.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import docker
from docker.errors import DockerException
from requests import RequestException

from benchmarks.swebench.base import Instance, Place
from benchmarks.swebench.checkout import Repositories
from benchmarks.swebench.httpbin import LABEL, NEEDED_BY, RECIPE, SETUP, START, TARPIT, add_httpbin
from benchmarks.swebench.layers import (
    ACTIVATE,
    PACKAGES,
    PYTHONS,
    SEARCHED,
    Archive,
    activation,
    add_interpreter,
    add_packages,
    archive,
    digest,
)
from benchmarks.swebench.locks import Uv
from benchmarks.swebench.specs import Recipe, recipe
from sandbox.base import SandboxUnavailable
from sandbox.docker import connect, sweep
from sandbox.images import add_layer, base_image, exists, lock, need_space, pull, python_version, remove_image

FORMAT = 2  # raise it when the layout of the images changes
SPACE, OFFICIAL_SPACE = 4.0, 12.0  # gigabytes that must be free before an image is made, or pulled
NO_SUCH_IMAGE = ("not found", "manifest unknown", "does not exist", "denied")  # says a registry that does answer
CHECK = f"/{PACKAGES}/bin/python -c 'import ctypes, hashlib, lzma, sqlite3, ssl, zlib'"  # does the base have what Python needs?
COMMIT = "git -c user.email=setup@swebench.config -c user.name=SWE-bench commit --quiet --allow-empty -am SWE-bench"

Tell = Callable[[str], None]


class Environments:
    """Makes instances ready. What is made is kept until `done`; several processes may make the same at the same time."""

    def __init__(
        self,
        cache: Path,
        repos: Path | None = None,
        python_root: Path | None = None,
        pull_images: bool = True,
        tell: Tell = lambda _: None,
    ) -> None:
        self._client: docker.DockerClient | None = None
        self._connecting = threading.Lock()
        self._cache = cache
        self._repositories, self._uv, self._tell = Repositories(cache, repos), Uv(cache, python_root), tell
        self._registry = pull_images  # False once it did not answer: it is asked no more in this run
        self.places: dict[str, Place] = {}  # what this object has made ready

    def ready(self, instance: Instance) -> Place:
        """An image and a checkout of `instance`. Raises SandboxUnavailable with how to mend it, and BenchError."""
        try:
            place = self.places.get(instance.id)
            if place is None or not exists(self._engine(), place.image):
                place = self.places[instance.id] = self._ready(instance)
            return place
        except (DockerException, RequestException) as error:
            raise SandboxUnavailable(f"{instance.id}: the Docker engine failed: {error}") from error
        except OSError as error:
            raise SandboxUnavailable(f"{instance.id}: its files cannot be kept: {error}") from error

    def done(self, instance: Instance, place: Place, left: Iterable[Instance] = ()) -> None:
        """Remove the image of `instance`, and what it stands on where no instance `left` is of the same project and version."""
        if not exists(self._engine(), place.image):
            return
        below = self._engine().images.get(place.image).labels.get("swebench.below", "")
        remove_image(self._engine(), place.image)
        shared = any((other.repo, other.version) == (instance.repo, instance.version) for other in left)
        if self._pulled(below).exists() or (below.startswith("swebench-environment:") and not shared):
            remove_image(self._engine(), below)
            self._pulled(below).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the engine. Images stay."""
        if self._client:
            self._client.close()
        self._client = None

    def _engine(self) -> docker.DockerClient:
        with self._connecting:
            if self._client is None:
                self._client = connect()
                sweep(self._client)  # what a run that was killed has left
        return self._client

    def _ready(self, instance: Instance) -> Place:
        repo, official = self._repositories.checkout(instance), self._official(instance)
        if official:
            setup = ["rm -rf /testbed/.git", "mv /testbed.git /testbed/.git", "cd /testbed", COMMIT]
            return Place(self._testbed(instance, official, "", setup), "/opt/miniconda3/envs/testbed/bin/python", repo)
        steps = recipe(instance, repo, lambda commit, path: self._repositories.read(instance.repo, commit, path))
        below = self._environment(steps, instance.id)
        setup = ["cd /testbed", f"source /{ACTIVATE}", *steps.setup, COMMIT]
        return Place(self._testbed(instance, below, activation(instance), setup), f"/{PACKAGES}/bin/python", repo)

    def _official(self, instance: Instance) -> str:
        """The prebuilt image, "" where it cannot be pulled."""
        name = official_name(instance)
        if exists(self._engine(), name):
            return name
        if not self._registry:
            return ""
        need_space(self._engine(), OFFICIAL_SPACE)
        if why := pull(name, self._tell):
            self._registry = any(words in why for words in NO_SUCH_IMAGE)
            self._tell(f"{name} cannot be pulled ({why[:200]}): making it here")
            return ""
        self._pulled(name).parent.mkdir(parents=True, exist_ok=True)
        self._pulled(name).touch()
        return name

    def _pulled(self, name: str) -> Path:
        """Is there where we pulled an image: what was there before stays."""
        return self._cache / "pulled" / _hash(name)

    def _environment(self, steps: Recipe, who: str) -> str:
        """The image with the packages that `steps` lead to."""
        versions = self._uv.resolve(steps)
        below, interpreter = self._interpreter(versions.python)

        def fill(tar: Archive) -> None:
            with self._uv.installed(versions) as (venv, build):
                add_packages(tar, venv, build, interpreter)

        say = f"{who}: installing {len(versions.packages)} packages for Python {versions.python}"
        name = f"swebench-environment:{_hash(FORMAT, below, versions.key)}"
        return self._layer(name, below, say, fill, CHECK, [f"ENV PATH={SEARCHED}"])

    def _interpreter(self, version: str) -> tuple[str, Path]:
        """An image with a Python of `version`, and where that is: the base image's own, else one laid over it."""
        base = base_image(self._engine(), tell=self._tell, tools=True)
        if self._uv.own(version) and python_version(self._engine(), base) == version:
            return base, Path("/usr/local/bin" if base.startswith("python:") else "/usr/bin", f"python{version}")
        prefix = self._uv.interpreter(version)
        name = f"swebench-python:{_hash(FORMAT, base, digest(prefix / 'bin' / f'python{version}'))}"
        shared = f"echo /{PYTHONS}/{version}/lib > /etc/ld.so.conf.d/python.conf && ldconfig"
        image = self._layer(name, base, f"making Python {version}", lambda tar: add_interpreter(tar, prefix, version), shared)
        return image, Path("/", PYTHONS, version, "bin", f"python{version}")

    def _testbed(self, instance: Instance, below: str, script: str, setup: list[str]) -> str:
        """The image of `instance` on top of `below`."""
        httpbin = self._httpbin() if instance.repo in NEEDED_BY else ""
        content = _hash(FORMAT, below, script, *setup, instance.repo, instance.base_commit, *filter(None, [httpbin]))

        def fill(tar: Archive) -> None:
            with tempfile.TemporaryDirectory(prefix="swebench-") as folder:
                fresh = self._repositories.fresh(instance, Path(folder) / "repo")
                if script:
                    tar.add(fresh, "testbed")
                    tar.write(ACTIVATE, script)
                else:  # the official image has the files already, and may have a longer history
                    tar.add(fresh / ".git", "testbed.git")

        changes = ["WORKDIR /testbed", f"LABEL swebench.below={below} {LABEL}={httpbin}"]
        name = f"swebench-instance:{instance.id.lower()[:80]}-{content}"
        return self._layer(name, below, f"{instance.id}: making its image", fill, "\n".join(setup), changes)

    def _httpbin(self) -> str:
        """The image of what stands in for httpbin.org."""
        below = self._environment(RECIPE, "httpbin")
        name = f"swebench-httpbin:{_hash(FORMAT, below, START, SETUP, TARPIT)}"
        return self._layer(name, below, "making a stand-in for httpbin.org", add_httpbin, SETUP)

    def _layer(
        self, name: str, below: str, say: str, fill: Callable[[Archive], None], command: str = "", changes: Sequence[str] = ()
    ) -> str:
        """The image `name`, made where it is not there. Of several that want it, one makes it."""
        with lock(name):
            if not exists(self._engine(), name):
                need_space(self._engine(), SPACE)
                self._tell(say)
                with archive() as tar:
                    fill(tar)
                    add_layer(self._engine(), below, tar.done(), name, command, changes)
        return name


def official_name(instance: Instance) -> str:
    """How the makers of a data set call an instance's image."""
    if instance.kind in ("rebench", "live") and instance.row.get("docker_image"):
        return str(instance.row["docker_image"])
    if instance.kind == "pro":
        return f"jefzda/sweap-images:{instance.row.get('dockerhub_tag')}"
    return f"swebench/sweb.eval.x86_64.{instance.id.lower().replace('__', '_1776_')}:latest"


def _hash(*content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
