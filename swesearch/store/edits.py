"""Edits on a tree: checked, carried out in memory, and handed over as the few objects that are new."""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatchmethod

from swesearch.base import Create, Delete, Edit, EditError, Rename, Replace
from swesearch.store.fit import replaced
from swesearch.store.log import New, Object
from swesearch.store.objects import EXECUTABLE, FILE, FOLDER, SUBMODULE, SYMLINK, Entry, Objects, format_tree
from swesearch.store.paths import edit_refusal

WHAT = {FOLDER: "a folder", SYMLINK: "a symbolic link", SUBMODULE: "a submodule"}


class Folder:
    """A folder that is being edited: its entries, and those of its folders that were opened on the way to an edit."""

    def __init__(self, entries: dict[str, Entry], base: Object | None) -> None:
        self.entries = entries
        self.base = base
        self.opened: dict[str, Folder] = {}


class Draft:
    """A tree with edits laid over it."""

    def __init__(self, objects: Objects, tree: str) -> None:
        self._objects = objects
        self._top = self._open(tree)
        self._new: dict[str, New] = {}  # blobs that the edits made, and what each was made from

    def edit(self, edit: Edit) -> None:
        """Carry out one edit. Raises EditError, which says why it does not fit."""
        for path in (edit.path, edit.to) if isinstance(edit, Rename) else (edit.path,):
            if why := edit_refusal(path):
                raise EditError(f"{path!r}: {why}")
        self._do(edit)

    def put(self, path: str, entry: Entry | None) -> None:
        """Let `entry` (a file or a folder) stand at `path`, or nothing. Raises EditError where the path goes through a file."""
        self._set(*self._parent(path, make=True), entry)

    def lay(self, path: str, entry: Entry | None) -> None:
        """Let `entry` stand at `path` whatever stands in the way, or nothing."""
        *names, last = path.split("/")
        folder = self._top
        for name in names:
            there = folder.entries.get(name)
            if there and there.mode != FOLDER:
                if entry is None:
                    return
                there = None
            folder = self._step(folder, name, there, make=True)
        self._set(folder, last, entry)

    def find(self, path: str) -> Entry | None:
        """What stands at `path`. Raises EditError where the path goes through a file, a link or a submodule."""
        folder, name = self._parent(path, make=False)
        entry = folder.entries.get(name)
        return None if entry and entry.mode == FOLDER and not _alive(folder, name) else entry

    def finish(self) -> tuple[str, list[New]]:
        """The new tree's id, and the objects it needs that did not exist before."""
        made: list[New] = []
        return self._finish(self._top, made), made

    @singledispatchmethod
    def _do(self, edit: Edit) -> None:
        raise TypeError(f"not an edit: {edit!r}")

    @_do.register
    def _(self, edit: Replace) -> None:
        entry = self._file(edit.path)
        before = self._content(entry)
        after = Object.of("blob", replaced(edit, before.content))
        base = self._new[entry.id].base if entry.id in self._new else before
        self._new[after.id] = New(after, base)
        self.put(edit.path, Entry(entry.mode, after.id))

    @_do.register
    def _(self, edit: Create) -> None:
        self._must_be_free(edit.path)
        blob = Object.of("blob", edit.content)
        self._new[blob.id] = New(blob)
        self.put(edit.path, Entry(EXECUTABLE if edit.executable else FILE, blob.id))

    @_do.register
    def _(self, edit: Delete) -> None:
        self._movable(edit.path)
        self.put(edit.path, None)

    @_do.register
    def _(self, edit: Rename) -> None:
        if edit.path == edit.to:
            raise EditError(f"{edit.path}: the edit makes no difference: both names are the same")
        entry = self._movable(edit.path)
        self.put(edit.path, None)
        self._must_be_free(edit.to)
        if entry.mode == SYMLINK and edit.to.rsplit("/", 1)[-1].casefold().startswith(".git"):
            raise EditError(f"{edit.to}: git refuses a symbolic link of this name")
        self.put(edit.to, entry)

    def _must_be_free(self, path: str) -> None:
        if entry := self.find(path):
            raise EditError(f"{path}: {WHAT.get(entry.mode, 'a file')} of this name already exists")

    def _movable(self, path: str) -> Entry:
        """The file or link at `path`."""
        entry = self.find(path)
        if entry is None:
            raise EditError(f"{path}: there is no such file")
        if entry.mode in (FOLDER, SUBMODULE):
            raise EditError(f"{path}: this is {WHAT[entry.mode]}, not a file")
        return entry

    def _file(self, path: str) -> Entry:
        entry = self._movable(path)
        if entry.mode == SYMLINK:
            raise EditError(f"{path}: this is a symbolic link; edit the file it points to")
        return entry

    def _content(self, entry: Entry) -> Object:
        return self._new[entry.id].object if entry.id in self._new else self._objects.read(entry.id)

    def _parent(self, path: str, *, make: bool) -> tuple[Folder, str]:
        """The folder that holds the path's last name. Where it is missing: a new one if `make`, else an empty one of no effect."""
        *names, last = path.split("/")
        folder = self._top
        for depth, name in enumerate(names, 1):
            entry = folder.entries.get(name)
            if entry and entry.mode != FOLDER:
                raise EditError(f"{path}: {'/'.join(names[:depth])} is {WHAT.get(entry.mode, 'a file')}, not a folder")
            folder = self._step(folder, name, entry, make=make)
        return folder, last

    def _step(self, folder: Folder, name: str, entry: Entry | None, *, make: bool) -> Folder:
        if name in folder.opened:
            return folder.opened[name]
        below = self._open(entry.id) if entry else Folder({}, None)
        if entry or make:
            folder.opened[name] = below
            folder.entries[name] = entry or Entry(FOLDER, "")
        return below

    def _set(self, folder: Folder, name: str, entry: Entry | None) -> None:
        folder.opened.pop(name, None)
        if entry:
            folder.entries[name] = entry
        else:
            folder.entries.pop(name, None)

    def _open(self, tree: str) -> Folder:
        return Folder(dict(self._objects.tree(tree)), self._objects.read(tree))

    def _finish(self, folder: Folder, made: list[New]) -> str:
        for name, below in folder.opened.items():
            if _alive(folder, name):
                folder.entries[name] = Entry(FOLDER, self._finish(below, made))
            else:
                del folder.entries[name]  # git keeps no empty folders
        made += (self._new[entry.id] for entry in folder.entries.values() if entry.id in self._new)
        tree = Object.of("tree", format_tree(folder.entries))
        made.append(New(tree, folder.base))
        return tree.id


def _alive(folder: Folder, name: str) -> bool:
    """Whether any file is left in this folder of `folder`."""
    below = folder.opened.get(name)
    return below is None or any(entry.mode != FOLDER or _alive(below, inner) for inner, entry in below.entries.items())


def carry_out(objects: Objects, tree: str, edits: Sequence[Edit]) -> tuple[str, list[New]]:
    """The tree that the edits make of `tree`, and its new objects. Raises EditError where one does not fit or all make no difference."""
    draft = Draft(objects, tree)
    for edit in edits:
        draft.edit(edit)
    result, made = draft.finish()
    if result == tree:
        raise EditError("the edits make no difference: the code is as it was")
    return result, made
