"""A fix with its proof in one file: what is needed to see the check fail, pass, and fail again, on the code it is about.

A zip archive: manifest.json, patch.diff for people, and the files that differ, under names of ours. Nothing in it is ever unpacked to
disk: contents become git objects, paths are checked as those of any edit, and the trees must have the ids that the manifest says.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from swesearch import __version__
from swesearch.base import Check, Create, Delete, Edit, EditError, State, SwesearchError, UsageError
from swesearch.runs import Run
from swesearch.settings import Settings
from swesearch.solve import candidate, placed, root_of
from swesearch.store import Store
from swesearch.store.gitsafe import Git

FORMAT = 1
MANIFEST, PATCH = "manifest.json", "patch.diff"
LARGEST, MOST = 64 << 20, 2_000  # bytes in all, unpacked; files
WHEN = (1980, 1, 1, 0, 0, 0)  # equal bundles are equal bytes
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Change:
    """A file as it is afterwards; `content` is None where it is gone."""

    path: str
    content: bytes | None
    executable: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """A fix, the code it is about, and the checks that show it."""

    commit: str  # in the history of the repository
    before: tuple[Change, ...]  # what `root` has besides: tests written for the issue, changes not committed
    after: tuple[Change, ...]  # the fix
    root: str  # tree ids
    result: str
    checks: tuple[Check, ...]
    patch: bytes
    about: Mapping[str, Any] = field(default_factory=dict)  # for whoever reads it; nothing depends on it


def make(run: Run, number: int = 0) -> Bundle:
    """The bundle of a run's result. Raises UsageError where there is no such result or the repository has no commit."""
    chosen = candidate(run, number)
    store = Store.open(run.task.repo, run.store)
    try:
        root, result = root_of(run.events()), chosen.attempt.state
        commit = head(store)
        before, after = _changes(store, tree_of(store, commit), root), _changes(store, root, result)
        about = {**_about(run), "why": chosen.attempt.action.why if chosen.attempt.action else "", "reasons": list(chosen.reasons)}
        return Bundle(commit, before, after, root.tree, result.tree, _checks(run, store), store.diff(root, result), about)
    finally:
        store.close()


def lay(store: Store, state: State, changes: Iterable[Change]) -> State:
    """The state with these files as they are afterwards. Raises UsageError for a path that may not be changed."""
    there = store.files(state)
    edits: list[Edit] = []
    for change in changes:
        edits += [Delete(change.path)] if change.path in there else []
        edits += [Create(change.path, change.content, change.executable)] if change.content is not None else []
    try:
        return store.apply(state, edits) if edits else state
    except EditError as error:
        raise UsageError(f"the bundle cannot be laid over the code: {error}") from error


def head(store: Store) -> str:
    """The commit that the working copy is on. Raises UsageError where it has none."""
    assert store.copy.git_dir
    try:
        return Git(store.copy.git_dir).run("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()
    except SwesearchError as error:
        raise UsageError(f"{store.copy.top} has no commit yet: commit the code that the fix is about") from error


def tree_of(store: Store, commit: str) -> State:
    """The code of a commit. Raises UsageError where the repository does not have it."""
    assert store.copy.common_dir
    try:
        return State(Git(store.copy.common_dir).run("rev-parse", "--verify", "--quiet", f"{commit}^{{tree}}").decode().strip())
    except SwesearchError as error:
        raise UsageError(f"{store.copy.top} does not have the commit {commit}: fetch it, or name another clone with --repo") from error


def pack(bundle: Bundle) -> bytes:
    """The bundle as a file."""
    files: dict[str, bytes] = {}
    sides = {side: [_row(change, f"{side}/{n}", files) for n, change in enumerate(getattr(bundle, side))] for side in ("before", "after")}
    manifest = {
        "format": FORMAT, "commit": bundle.commit, "root": bundle.root, "result": bundle.result,
        "checks": [list(check.command) for check in bundle.checks], **sides, "about": dict(bundle.about),
    }  # fmt: skip
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        for name, content in {MANIFEST: text.encode(), PATCH: bundle.patch, **files}.items():
            archive.writestr(zipfile.ZipInfo(name, WHEN), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def unpack(data: bytes) -> Bundle:
    """The bundle in a file that anybody may have made. Raises UsageError where it is none."""
    try:
        files = _read(data)
        manifest = json.loads(files[MANIFEST])
        if manifest["format"] != FORMAT:
            raise UsageError(f"the bundle has format {manifest['format']!r}, this version of swesearch reads {FORMAT}")
        before, after = (tuple(_change(row, files) for row in manifest[side]) for side in ("before", "after"))
        ids = {name: _is(COMMIT.fullmatch(manifest[name]), manifest[name]) for name in ("commit", "root", "result")}
        checks = tuple(Check(tuple(map(_text, command))) for command in manifest["checks"])
        _is(checks and all(check.command for check in checks) and isinstance(manifest["about"], dict), "the manifest")
        return Bundle(before=before, after=after, checks=checks, patch=files[PATCH], about=manifest["about"], **ids)
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise UsageError(f"this is not a bundle of swesearch: {type(error).__name__}: {error}") from error


def _about(run: Run) -> dict[str, Any]:
    settings: Settings = run.settings
    sandbox = {name: value for name, value in asdict(settings.sandbox).items() if name in ("kind", "image", "setup")}
    return {"swesearch": __version__, "run": run.id, "issue": run.task.url, "seed": settings.search.seed, "sandbox": sandbox}


def _checks(run: Run, store: Store) -> tuple[Check, ...]:
    """The checks as seen from the top of the repository."""
    written = [event.data["tests"][0]["path"] for event in run.events() if event.kind == "reproduced"]
    return (Check(("pytest", "-q", written[-1])),) if written else placed(run.task.checks, store, root_of(run.events()))


def _changes(store: Store, a: State, b: State) -> tuple[Change, ...]:
    found = store.changed(a, b)
    if odd := [path for path, file in found.items() if file and file.symlink]:
        raise UsageError(f"{odd[0]} is a symbolic link that was changed: a bundle holds plain files only")
    return tuple(Change(path, file.data if file else None, bool(file and file.executable)) for path, file in found.items())


def _row(change: Change, name: str, files: dict[str, bytes]) -> dict[str, Any]:
    if change.content is None:
        return {"path": change.path, "deleted": True}
    files[name] = change.content
    return {"path": change.path, "file": name, "executable": change.executable}


def _change(row: Mapping[str, Any], files: Mapping[str, bytes]) -> Change:
    return Change(_text(row["path"]), None if row.get("deleted") else files[row["file"]], bool(row.get("executable")))


def _read(data: bytes) -> dict[str, bytes]:
    """Every file of the archive. Raises ValueError where it says to be too large, or is."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if len(archive.infolist()) > MOST:
            raise ValueError("too many files")
        files: dict[str, bytes] = {}
        left = LARGEST
        for info in archive.infolist():
            with archive.open(info) as file:
                files[info.filename] = file.read(left + 1)
            left -= len(files[info.filename])
            if left < 0:
                raise ValueError(f"more than {LARGEST >> 20} MB")
        return files


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError("a text is expected")
    return value


def _is(fine: object, value: Any) -> Any:
    if not fine:
        raise ValueError(f"{value!r} is not what it should be")
    return value
