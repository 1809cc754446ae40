"""Python environments made on the host with uv, as folders to be laid into images.

What has no wheel must be built, which runs foreign code: uv does so in bubblewrap, which shows it nothing of this machine but the
system's programs, uv and our cache. Where there is no bubblewrap only wheels are installed.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.swebench.specs import Recipe
from sandbox.base import SandboxUnavailable
from sandbox.images import lock
from sandbox.uv import HOST_VERSION, settings

FORMAT = 1  # raise it when the layers of an environment change
SECONDS = 1800
SEEN = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt", "/run/systemd/resolve"),
    *("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/ca-certificates"),
    *("/etc/passwd", "/etc/group", "/etc/ld.so.cache", "/etc/alternatives"),
)
TOLD = re.compile(r"UV_|SSL_|PATH$|LANG$|(HTTPS?|NO|ALL)_PROXY$|PYC_", re.IGNORECASE)  # of the environment's variables


@dataclass(frozen=True, slots=True)
class Lock:
    """Exact versions: of the environment, and of what builds the project."""

    python: str
    packages: tuple[str, ...]
    build: tuple[str, ...]

    @property
    def key(self) -> str:
        """The same for the same content."""
        return _hash(self)


@dataclass(frozen=True, slots=True)
class Uv:
    """uv with a cache of its own. Interpreters come from `python_root` (folders such as 3.9.18), else from uv."""

    cache: Path
    python_root: Path | None = None

    def interpreter(self, version: str) -> Path:
        """The prefix of an interpreter that can be copied into an image. Raises SandboxUnavailable where none can be had."""
        try:
            return self._given(version) or self._managed(version)
        except SandboxUnavailable as error:
            mend = f"let uv download it, or give one with --python-root DIR (DIR/{version}.x/bin/python{version})"
            raise SandboxUnavailable(f"there is no Python {version} to make environments with: {error}. Mend: {mend}") from error

    def own(self, version: str) -> bool:
        """Whether this machine's own Python is of this version, and the user gave no other: a base image's will do then."""
        return version == HOST_VERSION and self._given(version) is None

    def _given(self, version: str) -> Path | None:
        found = sorted((self.python_root or self.cache / "none").glob(f"{version}*"), key=_number, reverse=True)
        return next((prefix.resolve() for prefix in found if (prefix / "bin" / f"python{version}").is_file()), None)

    def _managed(self, version: str) -> Path:
        self._run(["python", "install", "--no-bin", version])
        return Path(self._run(["python", "find", "--managed-python", version]).strip()).resolve().parent.parent

    def _prefix(self, version: str) -> Path:
        return Path(sys.base_prefix).resolve() if self.own(version) else self.interpreter(version)

    def resolve(self, recipe: Recipe) -> Lock:
        """The exact versions that the steps of `recipe` lead to, found once and kept. Raises SandboxUnavailable with uv's words."""
        key = _hash(recipe)
        kept = self.cache / "locks" / f"{key}.json"
        with lock(f"lock-{key}"):
            if not kept.is_file():
                kept.parent.mkdir(parents=True, exist_ok=True)
                making = kept.with_suffix(".making")
                making.write_text(json.dumps(asdict(self._resolve(recipe)), indent=1))
                making.replace(kept)
        found = json.loads(kept.read_text())
        return Lock(found["python"], tuple(found["packages"]), tuple(found["build"]))

    @contextmanager
    def installed(self, versions: Lock) -> Iterator[tuple[Path, Path]]:
        """The environment, and what builds the project (None of it where nothing is named), until the block ends."""
        with self._room() as folder:
            venv, build = folder / "venv", folder / "build"
            # without bytecode the compiler's warnings would come up again in every test run, where some are made errors
            options = ["--no-deps", "--compile-bytecode", "--python", self._venv(venv, versions.python)]
            self._install([*options, "--", *versions.packages], versions.python)
            if versions.build:
                self._install([*options, "--target", str(build), "--", *versions.build], versions.python)
            yield venv, build

    def _resolve(self, recipe: Recipe) -> Lock:
        """One installation after the other, as the harness does: a later one may replace what an earlier one brought."""
        with self._room() as folder:
            options = ["--exclude-newer", recipe.date, "--python", self._venv(folder / "venv", recipe.python)]
            for step in recipe.steps:
                self._install([*options, "--", *step], recipe.python)
            if recipe.build:
                self._install([*options, "--target", str(folder / "build"), "--", *recipe.build], recipe.python)
            return Lock(
                recipe.python, _versions(folder / "venv/lib" / f"python{recipe.python}" / "site-packages"), _versions(folder / "build")
            )

    def _venv(self, folder: Path, version: str) -> str:
        prefix = self._prefix(version)
        interpreter = str(prefix / "bin" / f"python{version}")
        self._run(["venv", "--quiet", "--no-project", "--relocatable", "--python", interpreter, str(folder)], prefix)
        return str(folder / "bin" / "python")

    def _install(self, arguments: Sequence[str], version: str) -> None:
        self._run(["pip", "install", *([] if _bubblewrap() else ["--only-binary", ":all:"]), *arguments], self._prefix(version))

    @contextmanager
    def _room(self) -> Iterator[Path]:
        self.cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.cache, prefix=".making-") as folder:
            yield Path(folder)

    def _run(self, arguments: Sequence[str], prefix: Path | None = None) -> str:
        """What uv prints. Raises SandboxUnavailable with its last words."""
        own = {"UV_CACHE_DIR": str(self.cache / "uv"), "UV_PYTHON_INSTALL_DIR": str(self.cache / "pythons"), "HOME": "/tmp"}
        told = {name: value for name, value in settings(os.environ, Path.home()).items() if TOLD.match(name)}
        self.cache.mkdir(parents=True, exist_ok=True)
        command = [*_enclosed(self.cache, [_uv(), *([str(prefix)] if prefix else [])]), _uv(), "--no-config", *arguments]
        try:
            done = subprocess.run(
                command, env={**told, **own}, cwd=self.cache, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                errors="replace", timeout=SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SandboxUnavailable(f"uv could not be run: {error}") from error
        if done.returncode:
            raise SandboxUnavailable(f"uv {' '.join(arguments[:2])} failed: {done.stderr.strip()[-1500:]}")
        return done.stdout


def _enclosed(cache: Path, readable: Sequence[str]) -> list[str]:
    """The words before a command that keep it to the system's programs, `readable`, and `cache`."""
    if not _bubblewrap():
        return []
    shown = [word for path in (*SEEN, *readable) for word in ("--ro-bind-try", path, path)]
    alone = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    return ["bwrap", *alone, "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", *shown, "--bind", str(cache), str(cache), "--"]


@functools.cache
def _bubblewrap() -> bool:
    """Whether bubblewrap is here and may do its work."""
    probe = ["bwrap", "--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc", "true"]
    return bool(shutil.which("bwrap")) and subprocess.run(probe, capture_output=True, timeout=60, check=False).returncode == 0


def _uv() -> str:
    from uv import find_uv_bin  # only where it is used

    return str(find_uv_bin())


def _versions(folder: Path) -> tuple[str, ...]:
    """name==version of what a folder of packages holds, as its metadata folders are called."""
    found = (re.fullmatch(r"(.+?)-([^-]+)\.dist-info", path.name) for path in sorted(folder.glob("*.dist-info")))
    return tuple(f"{match[1]}=={match[2]}" for match in found if match)


def _number(path: Path) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", path.name)]


def _hash(value: Lock | Recipe) -> str:
    return hashlib.sha256(json.dumps([FORMAT, asdict(value)]).encode()).hexdigest()[:20]
