"""Bundles: write one, replay one."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TextIO

from swesearch import runs, solve
from swesearch.base import Event, UsageError
from swesearch.cli.options import home_folder, is_url, repository
from swesearch.github.access import connect, find_access
from swesearch.github.base import Repository
from swesearch.github.body import carried
from swesearch.github.bundle import LARGEST, Bundle, make, pack, unpack
from swesearch.github.verify import replay
from swesearch.report.text import line, safe
from swesearch.settings import load
from swesearch.solve.proofs import Proof
from swesearch.store.log import Object
from swesearch.value.protect import is_test

PULL = re.compile(r"https?://([^/@]+)/([^/]+/[^/]+)/pull/(\d{1,9})(?:[/?#].*)?")


def bundle(name: str, number: int | None, output: Path | None, home: Path | None) -> None:
    """Write a bundle. Raises UsageError."""
    run = runs.open_run(home_folder(home, os.environ), name)
    target = output or Path(f"{run.id}.zip")
    data = pack(make(run, solve.picked(run) if number is None else number))
    try:
        target.write_bytes(data)
    except OSError as error:
        raise UsageError(f"{target} cannot be written: {error.strerror}") from error
    print(f"{safe(str(target))}: {len(data)} bytes; in a clone of the repository: swesearch verify {safe(str(target))}")


def verify(what: str, repo: Path, flags: Mapping[str, object], given: Sequence[str], api_url: str, home: Path | None) -> int:
    """Replay a bundle and say what holds. Returns the exit code."""
    folder = repository(repo)
    settings = load(folder, os.environ, given=given, flags=flags)
    found, first = _of_pull(what, api_url) if is_url(what) else (unpack(_read(Path(what))), [])
    print(f"the fix:  {line(str(found.about.get('why', '')), 400)}")
    steps = (replay(found, folder, settings, home_folder(home, os.environ), progress) for _ in range(all(proof.holds for proof in first)))
    return 0 if tell(chain(first, *steps), sys.stdout) else 1


def tell(found: Iterable[Proof], out: TextIO) -> list[Proof]:
    """Print proofs as they come; all of them where all hold, none where one does not."""
    seen = []
    for proof in found:
        print(f"{'holds:   ' if proof.holds else 'FAILS:   '} {line(proof.words, 400)}", file=out, flush=True)
        seen.append(proof)
    return seen if all(proof.holds for proof in seen) else []


def progress(event: Event) -> None:
    """What takes long, and what must be known, on stderr."""
    if event.kind == "warning" or (event.kind == "phase" and event.data.get("detail")):
        print(line(str(event.data.get("text") or event.data["detail"])), file=sys.stderr)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(LARGEST)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _of_pull(url: str, api_url: str) -> tuple[Bundle, list[Proof]]:
    """The bundle that a pull request carries, and whether it is about what the pull request changes."""
    match = PULL.fullmatch(url)
    if match is None:
        raise UsageError(f"{url} is not the address of a pull request: it looks like https://github.com/OWNER/NAME/pull/123")
    access = find_access(match[1], os.environ, api_url)
    api, path = connect(access), f"{Repository.of(match[2], access.host).path}/pulls/{match[3]}"
    found = carried(api.get(path)["body"] or "")
    there = {file["filename"]: None if file["status"] == "removed" else file["sha"] for file in api.pages(f"{path}/files")}
    ours = {change.path: None if change.content is None else Object.of("blob", change.content).id for change in found.after}
    if there != ours or not all(is_test(change.path) for change in found.before):
        return found, [Proof(False, "the pull request changes other files, or otherwise, than its bundle")]
    return found, [Proof(True, "the pull request changes what its bundle says, and nothing else")]
