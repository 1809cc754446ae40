"""A repository in a folder, and states made of its files."""

from __future__ import annotations

from pathlib import Path

from swesearch.base import Create, Delete, Edit, Replace, State
from swesearch.store import Store


class Project:
    """A repository in a folder, and its states."""

    def __init__(self, folder: Path, files: dict[str, str]) -> None:
        for path, text in files.items():
            (folder / "repo" / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "repo" / path).write_text(text)
        self.store = Store.open(folder / "repo", folder / "store", plain=True)
        self.root = self.store.root()

    def state(self, files: dict[str, str | None]) -> State:
        """The root with these files as given; None deletes."""
        return self.store.apply(self.root, [self._edit(path, text) for path, text in files.items()])

    def text(self, state: State, path: str) -> str:
        return self.store.read(state, path).decode()

    def _edit(self, path: str, text: str | None) -> Edit:
        if text is None:
            return Delete(path)
        if path not in self.store.files(self.root):
            return Create(path, text.encode())
        return Replace(path, self.store.read(self.root, path), text.encode(), start=0)
