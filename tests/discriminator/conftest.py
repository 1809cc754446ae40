"""A real repository with a store, and a real sandbox."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.base import Environment
from sandbox.local import LocalSandbox
from tests.discriminator.project import Project


@pytest.fixture
def make_project(tmp_path: Path):
    def make(files: dict[str, str]) -> Project:
        return Project(tmp_path, files)

    return make


@pytest.fixture(scope="session")
def sandbox() -> Iterator[LocalSandbox]:
    box = LocalSandbox(Environment(python=sys.executable, why="the interpreter of the tests"), slots=1)
    yield box
    box.close()
