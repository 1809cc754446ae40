"""Interpreters of the host: which Python, which prefix, which site folders.

What a repository brings is read as data, never executed; what the user names is trusted and may be asked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sandbox.base import SandboxError

ASK = (
    "import json, site, sys; print(json.dumps({'version': '%d.%d' % sys.version_info[:2], 'executable': sys.executable, "
    "'prefix': sys.prefix, 'base': sys.base_prefix, 'site': site.getsitepackages()}))"
)
SYSTEM = Path("/usr")
TOP = ("", "home", "root", "etc", "var", "tmp", "opt", "mnt", "srv", "run", "dev", "proc", "sys", "boot")
NEVER = frozenset(Path("/", name) for name in TOP)  # never mounted, whatever lies in them
LARGEST = 64 << 10  # bytes read of a pyvenv.cfg


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python of the host with its packages, all of it as seen from the host."""

    executable: Path
    version: str
    prefix: Path  # of the base interpreter, links resolved
    also: tuple[Path, ...] = ()  # other names of `prefix` that links go through
    venv: Path | None = None
    site: tuple[Path, ...] = ()
    why: str = ""

    @property
    def system(self) -> bool:
        """Whether this is the operating system's own Python, which a box has or has not, but which is never mounted."""
        return self.prefix == SYSTEM

    @property
    def folders(self) -> tuple[Path, ...]:
        """What a box needs to see to run it."""
        prefixes = () if self.system else (self.prefix, *self.also)
        return tuple(dict.fromkeys((*prefixes, *((self.venv,) if self.venv else ()))))

    @property
    def has_pytest(self) -> bool:
        """Whether pytest is in its site folders."""
        return any((folder / "_pytest").is_dir() for folder in self.site)


def read_venv(folder: Path, repo: Path) -> Interpreter:
    """The virtual environment at `folder`, read as data. Raises SandboxError saying why it cannot be used."""
    venv = folder.resolve()
    settings = _pyvenv(venv / "pyvenv.cfg")
    version = _version(settings, venv)
    home = Path(settings.get("home", ""))
    prefix = real_prefix(home, version, repo)
    site = venv / "lib" / f"python{version}" / "site-packages"
    if not site.resolve().is_relative_to(venv):
        raise SandboxError("its site-packages lead out of it")
    also = (home.parent,) if home.parent != prefix and home.parent.resolve() == prefix else ()
    executable = venv / "bin" / "python"
    if not _stays_within(executable, (venv, prefix, *also)):
        raise SandboxError("its interpreter is not the one that pyvenv.cfg names")
    return Interpreter(executable, version, prefix, also, venv, (site,), f"virtual environment {folder}")


def real_prefix(home: Path, version: str, repo: Path) -> Path:
    """The prefix of the interpreter in `home`. Raises SandboxError unless it is an interpreter's folder and no more than that."""
    if not home.is_absolute() or home.resolve().name != "bin":
        raise SandboxError(f"its home {str(home)!r} is no interpreter's folder")
    bin_folder = home.resolve()
    prefix = bin_folder.parent
    binary = (bin_folder / f"python{version}").resolve()
    if not (binary.is_file() and os.access(binary, os.X_OK) and binary.is_relative_to(prefix)):
        raise SandboxError(f"there is no python{version} in {home}")
    if not (prefix / "lib" / f"python{version}" / "os.py").is_file():
        raise SandboxError(f"{prefix} holds no standard library of Python {version}")
    if prefix in NEVER or any(place.resolve().is_relative_to(prefix) for place in (Path.home(), repo)):
        raise SandboxError(f"{prefix} holds more than an interpreter")
    return prefix


def ask(python: str) -> Interpreter:
    """The interpreter or virtual environment that the user named: run once with -I. Raises SandboxError."""
    path = Path(python).expanduser()
    if path.is_dir():
        path = next((p for p in (path / "bin" / "python", path / "bin" / "python3") if p.exists()), path)
    found = shutil.which(path) or shutil.which(f"python{python}")
    if not found:
        raise SandboxError(f"--python {python}: no interpreter and no virtual environment there")
    answer = _answer(python, str(Path(found).absolute()))
    executable, base = Path(answer["executable"]), Path(answer["base"])
    venv = Path(answer["prefix"]) if answer["prefix"] != answer["base"] else None
    site = tuple(p for p in map(Path, answer["site"]) if p.is_dir())
    also = (base,) if base != base.resolve() else ()
    return Interpreter(executable, answer["version"], base.resolve(), also, venv, site, f"--python {python}")


def _answer(python: str, executable: str) -> dict[str, str]:
    try:
        done = subprocess.run([executable, "-I", "-c", ASK], capture_output=True, text=True, timeout=30, cwd="/")
        answer: dict[str, str] = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired, ValueError):
        raise SandboxError(f"--python {python}: {executable} does not run as a Python 3 interpreter") from None
    return answer


def _pyvenv(path: Path) -> dict[str, str]:
    try:
        with path.open("rb") as file:
            text = file.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        raise SandboxError("it has no pyvenv.cfg") from None
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}


def _version(settings: dict[str, str], venv: Path) -> str:
    told = re.match(r"3\.\d+", settings.get("version", "") or settings.get("version_info", ""))
    if told:
        return told[0]
    seen = sorted(path.name.removeprefix("python") for path in (venv / "lib").glob("python3.*"))
    if not seen:
        raise SandboxError("its Python version is unknown")
    return seen[-1]


def _stays_within(path: Path, folders: tuple[Path, ...]) -> bool:
    """Whether every link from `path` to its end lies in `folders`: a box sees no others."""
    for _ in range(16):
        if not any(Path(os.path.normpath(path)).is_relative_to(folder) for folder in folders):
            return False
        if not path.is_symlink():
            return path.is_file()
        path = path.parent / path.readlink()
    return False
