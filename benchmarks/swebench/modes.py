"""What a search gets to see of an instance, by mode.

issue       the issue's text and the code at the base commit; no test of the instance exists in it
check       the test patch is laid over the code, and the failing tests are named: for program-repair studies, never a SWE-bench figure
recorded    as issue, and patches that others made
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

from benchmarks.swebench.base import BenchError, Instance, Mode, Place
from benchmarks.swebench.recorded_diff import changes, edits_of
from sandbox.base import SandboxUnavailable
from sandbox.docker import connect
from sandbox.images import read_folder
from swesearch.base import Check, Create, Delete, EditError, Rename, Replace, Task

LARGEST = 300 << 20  # bytes of build products that are taken from an image
NOT_BUILT = (".git", "__pycache__", ".pytest_cache", ".tox", ".eggs")
FUNCTION = re.compile(rb"^(?:async )?def (\w+)\(", re.MULTILINE)
DEFINED = re.compile(r"^[ +]\s*(?:async )?def (\w+)\(|^@@[^@]*@@.*\bdef (\w+)\(", re.MULTILINE)


def task_of(instance: Instance, place: Place, mode: Mode, folder: Path) -> Task:
    """The task, on a checkout of its own below `folder`. Raises BenchError, SandboxUnavailable."""
    tests = tested_files(instance, place.repo) if mode == "check" else {}
    checks = (Check(("python", "-m", "pytest", "-q", *test_ids(instance, tests))),) if mode == "check" else ()
    repo = checkout(place, folder / f"repo-{mode}", tests)
    return Task(repo, checks, "" if mode == "check" and not instance.issue.strip() else instance.issue)


def checkout(place: Place, target: Path, tests: Mapping[str, bytes | None]) -> Path:
    """A copy of the place's checkout, with what was built in the image, and `tests` laid over it. Made once, all or nothing."""
    if target.is_dir():
        return target
    draft = target.with_suffix(".new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(place.repo, draft, symlinks=True)
    built = dict(_built(place, draft)) if place.image else {}
    for path, content in {**built, **tests}.items():
        _put(draft / path, content)
    _force(draft, [*built, *(path for path, content in tests.items() if content is not None)])
    draft.rename(target)
    return target


def tested_files(instance: Instance, repo: Path) -> dict[str, bytes | None]:
    """The files of the test patch as it leaves them; None for one that it takes away. Raises BenchError where it does not fit."""

    def read(path: str) -> bytes | None:
        return (repo / path).read_bytes() if (repo / path).is_file() else None

    found: dict[str, bytes | None] = {}
    try:
        for change in changes(instance.test_patch):
            for edit in edits_of(change, read):
                match edit:
                    case Create(path, content):
                        found[path] = content
                    case Delete(path):
                        found[path] = None
                    case Rename(path, to):
                        found[to], found[path] = read(path), None
                    case Replace(path, before, after, start):
                        text = found[path] if path in found else read(path)
                        at = start or 0
                        found[path] = (text or b"")[:at] + after + (text or b"")[at + len(before) :]
    except EditError as error:
        raise BenchError(f"{instance.id}: the test patch does not fit its base commit: {error}") from error
    return found


def test_ids(instance: Instance, tests: Mapping[str, bytes | None]) -> tuple[str, ...]:
    """The failing tests as pytest names them; `tests` are the files of the test patch. Raises BenchError for names that cannot be told.

    Some rows have bare function names (sympy): the file whose change shows that name has it, else one that defines it. Some have ids that
    were cut at a space: the whole test stands for its parameters then.
    """
    homes = {name.decode(): path for path, text in tests.items() for name in FUNCTION.findall(text or b"")}
    homes.update((name, path) for path, name in _definitions(instance.test_patch))
    files = [path for change in changes(instance.test_patch) for path in change.paths if path.endswith(".py")]
    found = [_test_id(name, homes, files) for name in instance.fail_to_pass]
    if None in found or not found:
        unknown = [name for name, known in zip(instance.fail_to_pass, found, strict=True) if known is None]
        raise BenchError(f"{instance.id}: mode check needs tests that pytest can run, and cannot tell what {unknown[:3]} are")
    return tuple(dict.fromkeys(name for name in found if name))


test_ids.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever pytest thinks of the name


def _test_id(name: str, homes: Mapping[str, str], files: list[str]) -> str | None:
    if "::" in name or name.endswith(".py"):
        return name if "[" not in name or name.endswith("]") else name.partition("[")[0]
    if re.fullmatch(r"\w+", name):
        home = homes.get(name) or (files[0] if len(files) == 1 else None)
        return f"{home}::{name}" if home else None
    return None


def _definitions(patch: str) -> Iterator[tuple[str, str]]:
    """(path, function) for every function that a patch shows."""
    for part in re.split(r"^(?=diff --git )", patch, flags=re.MULTILINE):
        for change in changes(part):
            yield from ((change.new or "", one or other) for one, other in DEFINED.findall(part))


def _built(place: Place, repo: Path) -> Iterator[tuple[str, bytes]]:
    """Files that are in the image's work tree and not in the commit: version files, metadata, compiled modules."""
    with closing(connect()) as client:
        data = read_folder(client, place.image, place.workdir)
    total = 0
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            path = member.name.partition("/")[2]
            if member.isfile() and not {*path.split("/")} & {*NOT_BUILT} and not path.endswith(".pyc") and not os.path.lexists(repo / path):
                total += member.size
                if total > LARGEST:
                    raise SandboxUnavailable(f"{place.image} holds more than {LARGEST >> 20} MB of build products in {place.workdir}")
                file = tar.extractfile(member)
                yield path, file.read() if file else b""


def _put(path: Path, content: bytes | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _force(repo: Path, paths: list[str]) -> None:
    """Let the copy's git know files that its .gitignore hides: a search takes only what git knows."""
    if not paths:
        return
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(repo), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    options = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
    words = ["git", *options, "add", "-f", "--pathspec-from-file=-", "--pathspec-file-nul"]
    done = subprocess.run(words, input="\0".join(paths).encode(), cwd=repo, env=env, capture_output=True, check=False)
    if done.returncode:
        raise BenchError(f"git add failed in {repo}: {done.stderr.decode(errors='replace').strip()[:300]}")
