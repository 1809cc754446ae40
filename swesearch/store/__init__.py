"""States as git trees: root, read, apply, diff, archive. The user's working copy is only read."""

from swesearch.store.objects import EXECUTABLE, FILE, SUBMODULE, SYMLINK, Entry
from swesearch.store.states import Store

__all__ = ["EXECUTABLE", "FILE", "SUBMODULE", "SYMLINK", "Entry", "Store"]
