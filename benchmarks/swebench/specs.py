"""What the official harness installs for an instance, as steps: its table of specifications is data, and is read, not run."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

from benchmarks.swebench.base import BenchError, Instance
from sandbox.declared import running

# The official images were built in October 2024, and what passed in them is what the rows list. An older date would also lack
# the releases that the specifications pin.
BUILT = "2024-10-25"
ALWAYS = ("pip", "setuptools", "wheel")  # what a new conda environment holds

Read = Callable[[str, str], str | None]  # (commit, path) -> the file's text


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make an instance's environment: one installation after the other, each allowed to change what came before."""

    python: str  # "3.9"
    steps: tuple[tuple[str, ...], ...]  # requirements, in the harness's order
    build: tuple[str, ...]  # build-system.requires of the project
    setup: tuple[str, ...]  # bash, in /testbed
    date: str  # no release is newer


def specification(instance: Instance) -> Mapping[str, Any]:
    """The official harness's entry for an instance. Raises BenchError where it has none."""
    from swebench.harness.constants import MAP_REPO_VERSION_TO_SPECS  # swebench takes seconds to import

    if instance.kind not in ("swebench", "multilingual"):
        raise BenchError(f"{instance.id}: rows in the form of SWE-bench-{instance.kind} are built and graded by their own harness only")
    try:
        found: Mapping[str, Any] = MAP_REPO_VERSION_TO_SPECS[instance.repo][instance.version]
    except KeyError:
        raise BenchError(f"{instance.id}: swebench knows no specification for {instance.repo} {instance.version!r}") from None
    return found


def recipe(instance: Instance, tree: Path, read: Read) -> Recipe:
    """The steps for an instance whose base commit lies in `tree`. Raises BenchError where only its prebuilt image will do."""
    entry = specification(instance)
    if "python" not in entry:
        raise BenchError(f"{instance.id}: only Python environments are made here; its prebuilt image could not be pulled")
    steps = (ALWAYS, _packages(instance, entry, read), tuple(entry.get("pip_packages", ())), running(tree))
    setup = (*entry.get("pre_install", ()), *([entry["install"]] if "install" in entry else []))
    created = re.match(r"\d{4}-\d\d-\d\d", instance.created)
    date = max(BUILT, created[0] if created else "")
    return Recipe(entry["python"], tuple(filter(None, steps)), _build_requires(tree), setup, date)


def _packages(instance: Instance, entry: Mapping[str, Any], read: Read) -> tuple[str, ...]:
    packages = str(entry.get("packages", ""))
    if packages == "environment.yml":
        raise BenchError(f"{instance.id}: its environment is conda's, and its prebuilt image could not be pulled")
    if packages != "requirements.txt":
        return tuple(shlex.split(packages))
    from swebench.harness.constants import MAP_REPO_TO_REQS_PATHS
    from swebench.harness.test_spec.python import clean_requirements  # replaces what PyPI no longer has

    commit = str(instance.row.get("environment_setup_commit") or instance.base_commit)
    for path in MAP_REPO_TO_REQS_PATHS[instance.repo]:
        if read(commit, path) is not None:
            return tuple(dict.fromkeys(_requirements(lambda name: clean_requirements(read(commit, name) or ""), path, set())))
    raise BenchError(f"{instance.id}: no requirements file of {instance.repo} at {commit[:12]}")


def _requirements(read: Callable[[str], str], path: str, seen: set[str]) -> Iterator[str]:
    """Plain requirements of a file and of those it includes. Paths, addresses and options would fetch or run what the file names."""
    seen.add(path)
    for line in read(path).splitlines():
        line = line.partition(" #")[0].strip()
        included = re.fullmatch(r"(?:-r|--requirement)[\s=]*(\S+)", line)
        if included and (other := str(Path(path).parent / included[1])) not in seen:
            yield from _requirements(read, other, seen)
        elif line and not line.startswith(("-", "#")) and _plain(line):
            yield line


def _plain(line: str) -> bool:
    try:
        return not Requirement(line).url
    except InvalidRequirement:
        return False


def _build_requires(tree: Path) -> tuple[str, ...]:
    """What the project says it is built with; nothing where it does not say: then the environment's own setuptools builds it."""
    path = tree / "pyproject.toml"
    try:
        system = tomllib.loads(path.read_text("utf-8")).get("build-system") if path.is_file() and not path.is_symlink() else None
    except (ValueError, OSError):
        return ()
    requires = system.get("requires") if isinstance(system, dict) else None
    return tuple(line for line in requires if isinstance(line, str) and _plain(line)) if isinstance(requires, list) else ()
