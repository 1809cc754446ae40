"""How to run a repository's Python inside a box: the user's interpreter, the repository's own, or one that we make.

Nothing that a repository brings is executed here. Its virtual environment is read as data and mounted read-only; what it
declares to need is installed on the host from wheels only. The project itself needs no install: the work tree's root and
its `src` are first on the import path of the test runner.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from sandbox import uv
from sandbox.base import Environment, SandboxError, SandboxUnavailable
from sandbox.declared import Declared, declared
from sandbox.venvs import SYSTEM, Interpreter, ask, read_venv

MISSING = re.compile(r"No module named '?([A-Za-z_][\w.]*)'?")


@dataclass(frozen=True, slots=True)
class Box:
    """What the boxes of this run bring along: their own Python, and whether they see the host's /usr or an image's."""

    version: str = "3.11"
    native: bool = False  # bubblewrap, local: the host's own files
    pullable: Callable[[str], bool] = lambda _image: False  # whether an official image can be had
    look: Callable[[str, str], tuple[str, bool]] | None = None  # image, Python in it -> its version, and whether it has pytest


def host_box() -> Box:
    """The box of the backends that run the host's own Python."""
    return Box(uv.HOST_VERSION, native=True)


def find(
    repo: Path,
    *,
    python: str | None,
    image: str | None,
    cache: Path,
    tracked: Callable[[str], bool],
    say: Callable[[str], None],
    box: Box = Box(),
    environ: Mapping[str, str] = os.environ,
) -> Environment:
    """The environment for the checks of `repo`. Raises SandboxError on a wrong --python, SandboxUnavailable when none can be made."""
    if image:
        return _of_image(image, python, cache, say, box)
    interpreter = ask(python) if python else _own(repo, tracked, say, environ)
    placed = _place(interpreter, box, say) if interpreter else None
    if interpreter and placed and interpreter.has_pytest:
        return placed
    return _with_declared(repo, placed or _bare(box, cache), cache, say, box)


def missing_module(detail: str, repo: Path | None = None) -> str | None:
    """The top-level module that a collection error says is not installed. None when it is none, or one of `repo`'s own."""
    match = MISSING.search(detail)
    if not match:
        return None
    name = match[1].partition(".")[0]
    homes = (repo, repo / "src") if repo else ()
    return None if any((home / name).exists() or (home / f"{name}.py").exists() for home in homes) else name


def _of_image(image: str, python: str | None, cache: Path, say: Callable[[str], None], box: Box) -> Environment:
    """The image's own Python, or the one that was named in it, with pytest after its packages where it has none."""
    if not python or box.look is None:
        return Environment(image=image, why=f"--image {image}")
    version, complete = box.look(image, python)
    named = Environment(image=image, python=python, version=version, why=f"{python} of --image {image}")
    if complete:
        return named
    made = str(uv.layer(["pytest"], version=version, platform=_platform(box), cache=cache, say=say))
    return replace(named, mounts=(made,), site=(made,), why=f"{named.why} with pytest")


def _own(repo: Path, tracked: Callable[[str], bool], say: Callable[[str], None], environ: Mapping[str, str]) -> Interpreter | None:
    """The first usable virtual environment inside the repository."""
    for folder in _candidates(repo, environ):
        if not (folder / "pyvenv.cfg").is_file():
            continue
        try:
            return _untracked(folder, repo, tracked)
        except SandboxError as error:
            say(f"Not using the virtual environment {folder}: {error}. To use it all the same: --python {folder}")
    return None


def _candidates(repo: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    active = Path(environ.get("VIRTUAL_ENV") or "/")
    if active.resolve().is_relative_to(repo.resolve()):
        yield active
    yield from (repo / name for name in (".venv", "venv", "env"))
    for tool in (".tox", ".nox"):
        yield from sorted((repo / tool).glob("*"), reverse=True)


def _untracked(folder: Path, repo: Path, tracked: Callable[[str], bool]) -> Interpreter:
    if not folder.resolve().is_relative_to(repo.resolve()):
        raise SandboxError("it leads out of the repository")
    inside = Path(os.path.relpath(folder.resolve(), repo.resolve()))
    if tracked(str(inside)) or tracked(str(inside / "pyvenv.cfg")):
        raise SandboxError("it is part of the repository's history, so whoever wrote that history chose it")
    return read_venv(folder, repo)


def _place(found: Interpreter, box: Box, say: Callable[[str], None]) -> Environment | None:
    """`found` as a box can run it; None where the box has no such Python."""
    inside = Environment(version=found.version, mounts=tuple(map(str, found.folders)), why=found.why)
    if box.native or (sys.platform == "linux" and not found.system):
        return replace(inside, python=str(found.executable))
    packages = tuple(map(str, found.site))
    inside = replace(inside, mounts=packages, site=packages)
    if sys.platform == "linux" and found.version == box.version:
        return inside
    official = f"python:{found.version}-slim"
    if sys.platform == "linux" and box.pullable(official):
        return replace(inside, image=official)
    say(f"{found.why} has Python {found.version}, the box has {box.version}: an environment of our own takes its place.")
    return None


def _bare(box: Box, cache: Path) -> Environment:
    """The box's own Python with nothing installed."""
    if not box.native:
        return Environment(version=box.version, why=f"Python {box.version} of the base image")
    python = Path(sys.base_prefix) / "bin" / f"python{box.version}"
    venv = uv.empty_venv(python, version=box.version, cache=cache)
    prefix = Path(sys.base_prefix).resolve()
    mounts = (str(venv),) if prefix == SYSTEM else (str(prefix), str(venv))
    return Environment(python=str(venv / "bin" / "python"), version=box.version, mounts=mounts, why=f"Python {box.version} of this machine")


def _with_declared(repo: Path, base: Environment, cache: Path, say: Callable[[str], None], box: Box) -> Environment:
    """`base` with what the repository declares, and pytest, after its own packages."""
    wants = declared(repo)
    _tell(wants, base.version, say)

    def layered(requirements: Sequence[str], source: str) -> Environment:
        made = str(uv.layer(requirements, version=base.version, platform=_platform(box), cache=cache, say=say))
        return replace(base, mounts=(*base.mounts, made), site=(*base.site, made), why=f"{base.why} with {source}")

    if not wants.requirements:
        return layered(["pytest"], "pytest")
    pytest = [] if any(canonicalize_name(Requirement(r).name) == "pytest" for r in wants.requirements) else ["pytest"]
    try:
        return layered([*wants.requirements, *pytest], f"what {', '.join(wants.sources)} declares")
    except SandboxUnavailable as error:
        alone = layered(["pytest"], "pytest alone")  # the check may need no more, and --setup may bring the rest
        say(f"{error} Going on without what {', '.join(wants.sources)} declares.")
        return alone


def _tell(wants: Declared, version: str, say: Callable[[str], None]) -> None:
    if wants.dropped:
        say(f"Left out of the environment, as installing it would run code or trust a foreign place: {'; '.join(wants.dropped[:10])}")
    try:
        fits = version in SpecifierSet(wants.requires_python)
    except InvalidSpecifier:
        return
    if not fits:
        say(f"The project asks for Python {wants.requires_python}, the box has {version}. Another one: --python PATH or --image NAME.")


def _platform(box: Box) -> str | None:
    """uv's name for the base image's platform: Debian 12 has glibc 2.36. None for this host itself."""
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return None if box.native else f"{machine}-manylinux_2_36"
