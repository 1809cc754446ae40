from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from swesearch.store import Store

Repo = Callable[..., Path]


@pytest.fixture
def open_store(repo: Repo, tmp_path: Path) -> Iterator[Callable[[Mapping[str, str | bytes]], Store]]:
    """A store of a repository with these files."""
    with ExitStack() as stack:
        yield lambda files: stack.enter_context(closing(Store.open(repo(files), tmp_path / "store.git")))
