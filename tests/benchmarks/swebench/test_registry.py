"""Prebuilt images, pulled by a real engine from a registry of our own."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from benchmarks.swebench.base import Instance
from benchmarks.swebench.grade import grade
from benchmarks.swebench.images import Environments
from benchmarks.swebench.layers import archive
from sandbox.docker import connect
from sandbox.images import add_layer, base_image, exists, pull, remove_image
from tests.benchmarks.swebench.places import prebuilt, project
from tests.benchmarks.swebench.registry import LIMITED, Registry, registry

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(sys.platform != "linux", reason="an engine in a virtual machine does not reach this machine's own address"),
]


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    found = connect()
    yield found
    found.close()


def imaged(one: Instance, name: str) -> Instance:
    """The instance as SWE-rebench and SWE-bench-Live would have it: its row names its image."""
    return replace(one, kind="rebench", row={**one.row, "docker_image": name})


def test_a_prebuilt_image_is_pulled_used_for_grading_and_removed_when_done(tmp_path: Path, client: docker.DockerClient) -> None:
    instance = project(tmp_path / "repos")
    with registry() as hub:
        name = f"{hub.address}/acme/tool"  # the tag is `latest`, as nothing else is said
        one = imaged(instance, name)
        with prebuilt(client, imaged(instance, f"{name}:latest"), tmp_path / "repos" / "tree"):
            hub.add(client, f"{name}:latest")
        assert not exists(client, name)
        told: list[str] = []
        environments = Environments(tmp_path / "cache", tmp_path / "repos", tell=told.append)
        place = environments.ready(one)
        assert told[0] == f"pulling {name}"
        verdict = grade(place, instance, instance.patch, tmp_path, 60)
        environments.done(one, place)
        environments.close()
        assert verdict.status == "resolved", verdict
        assert not exists(client, name)
        assert not exists(client, place.image)


@pytest.fixture
def handed_out(client: docker.DockerClient) -> Iterator[tuple[Registry, str]]:
    """A registry, and the name of an image in it that the engine does not have."""
    with registry() as hub:
        name = f"{hub.address}/acme/tool:1.0"
        with archive() as tar:
            tar.write("own", os.urandom(1_000_000).hex())
            add_layer(client, base_image(client), tar.done(), name, "true")
        hub.add(client, name)
        remove_image(client, name)
        yield hub, name
        remove_image(client, name)


def test_why_an_image_cannot_be_pulled_is_what_the_registry_says(client: docker.DockerClient, handed_out: tuple[Registry, str]) -> None:
    hub, name = handed_out
    assert "manifest unknown" in pull(f"{hub.address}/acme/none:1.0")
    hub.missing = LIMITED
    assert "rate limit" in pull(f"{hub.address}/acme/none:1.0")
    hub.broken = True
    assert "unexpected EOF" in pull(name)
    assert not exists(client, name)
    hub.broken = False
    assert pull(name) == ""
    assert exists(client, name)


def test_a_registry_that_is_gone_is_no_such_image(handed_out: tuple[Registry, str]) -> None:
    hub, name = handed_out
    hub.close()
    assert "connection refused" in pull(name)
