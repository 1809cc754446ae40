"""Walks over trees: everything in one, what differs between two, and a tree made from a list of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from swesearch.store.log import New, Object
from swesearch.store.objects import FOLDER, SUBMODULE, Entry, Objects, format_tree

Change = tuple[str, Entry | None, Entry | None]  # a path, what stands there in one tree, and in the other


def lookup(objects: Objects, tree: str, path: str) -> Entry | None:
    """What stands at a path. Nothing stands behind a file, a link or a submodule."""
    entry: Entry | None = Entry(FOLDER, tree)
    for name in path.split("/"):
        entry = objects.tree(entry.id).get(name) if entry and entry.mode == FOLDER else None
    return entry


def walk(objects: Objects, tree: str, prefix: str = "") -> Iterator[tuple[str, Entry]]:
    """Everything in a tree by path, each folder before what it holds."""
    for name, entry in objects.tree(tree).items():
        yield prefix + name, entry
        if entry.mode == FOLDER:
            yield from walk(objects, entry.id, f"{prefix}{name}/")


def differences(objects: Objects, a: str, b: str, prefix: str = "") -> Iterator[Change]:
    """Where two trees differ, folders included; equal folders are not opened. The id "" stands for no tree."""
    before, after = (objects.tree(id) if id else {} for id in (a, b))
    for name in {**before, **after}:
        old, new = before.get(name), after.get(name)
        if old != new:
            yield prefix + name, old, new
            if _folder(old) or _folder(new):
                yield from differences(objects, _folder(old), _folder(new), f"{prefix}{name}/")


def changes(objects: Objects, a: str, b: str) -> Iterator[Change]:
    """Where two trees differ, files, links and submodules only."""
    for path, old, new in differences(objects, a, b):
        old, new = (None if entry and entry.mode == FOLDER else entry for entry in (old, new))
        if old or new:
            yield path, old, new


def differing(objects: Objects, a: str, b: str) -> set[str]:
    """Ids of all trees and blobs that are needed to compare two trees."""
    pairs = differences(objects, a, b)
    return {a, b} | {entry.id for _, *pair in pairs for entry in pair if entry and entry.mode != SUBMODULE}


def write(objects: Objects, files: Mapping[str, Entry]) -> str:
    """Make the trees of a list of files; only those that git lacks are written. Returns the top one's id."""
    folders: dict[str, dict[str, Entry]] = {"": {}}
    for path, entry in files.items():
        _folder_of(path, folders)[path.rpartition("/")[2]] = entry
    made = []
    for path in sorted(folders, key=_depth, reverse=True):
        tree = Object.of("tree", format_tree(folders[path]))
        made.append(New(tree))
        if path:
            _folder_of(path, folders)[path.rpartition("/")[2]] = Entry(FOLDER, tree.id)
    missing = objects.missing(new.object.id for new in made)
    objects.add([new for new in made if new.object.id in missing])
    return made[-1].object.id


def _folder_of(path: str, folders: dict[str, dict[str, Entry]]) -> dict[str, Entry]:
    """The folder that holds a path, made with all above it where it is new."""
    parent = path.rpartition("/")[0]
    if parent not in folders:
        folders[parent] = {}
        _folder_of(parent, folders)
    return folders[parent]


def _depth(path: str) -> int:
    return path.count("/") + 1 if path else 0


def _folder(entry: Entry | None) -> str:
    return entry.id if entry and entry.mode == FOLDER else ""
