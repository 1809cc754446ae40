"""Install packages on the host with uv: wheels only, so that nothing that was downloaded is executed here."""

from __future__ import annotations

import configparser
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sandbox.base import SandboxUnavailable

ADVICE = "Give an environment with --python PATH, or --image NAME, or add to it with --setup CMD."
UNBUILT = re.compile(r"Wheels are required for `([^`]+)`")
INDEXES = ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_CONFIG_FILE")
HOST_VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"
FORMAT = 1  # raise it when what a layer contains changes


def layer(requirements: Sequence[str], *, version: str, platform: str | None, cache: Path, say: Callable[[str], None]) -> Path:
    """A folder that holds `requirements` for Python `version` on uv's `platform` (None: this host), made once and kept.

    Raises SandboxUnavailable when uv cannot resolve or download them.
    """
    key = hashlib.sha256(json.dumps([FORMAT, version, platform, sorted(requirements)]).encode()).hexdigest()[:24]

    def fill(target: Path) -> None:
        say(f"Installing {_named(requirements)} for Python {version}. This is kept for the next run.")
        _install(list(requirements), target, version, platform, say)

    return _once(cache / f"layer-{version}-{key}", fill)


def empty_venv(python: Path, *, version: str, cache: Path) -> Path:
    """A bare virtual environment over the trusted interpreter `python`: nothing of its site folders is seen."""
    key = hashlib.sha256(os.fsencode(python)).hexdigest()[:12]
    options = ["--quiet", "--no-project", "--relocatable", "--python", str(python)]
    return _once(cache / f"venv-{version}-{key}", lambda target: _uv(["venv", *options, str(target)]))


def indexes() -> tuple[str, ...]:
    """The package indexes that the user's uv and pip settings name, as web addresses. Raises SandboxUnavailable without uv."""
    with tempfile.TemporaryDirectory(prefix="swesearch-uv-") as away:
        (Path(away) / "nothing.in").touch()
        header = _uv(["pip", "compile", "--quiet", "--emit-index-url", "--no-deps", str(Path(away) / "nothing.in")])
    return tuple(re.findall(r"^--(?:extra-)?index-url (https?://\S+)$", header, re.MULTILINE))


def settings(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """`environ` for uv. Where the user told only pip which index and certificates to use, uv is told the same."""
    ours = {k: v for k, v in environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX"))}
    pip = {**_pip_files(environ, home), **{k[4:].lower().replace("_", "-"): v for k, v in environ.items() if k.startswith("PIP_")}}
    if not any(k in environ for k in INDEXES) and not (home / ".config/uv/uv.toml").exists():
        told = {
            "UV_DEFAULT_INDEX": pip.get("index-url", ""),
            "UV_INDEX": " ".join(pip.get("extra-index-url", "").split()),
            "UV_FIND_LINKS": ",".join(pip.get("find-links", "").split()),
            "UV_OFFLINE": pip.get("no-index", ""),
            "UV_INDEX_STRATEGY": "unsafe-best-match",  # pip's way: the best version of all indexes
        }
        ours.update({k: v for k, v in told.items() if v})
    if pip.get("cert") and "SSL_CERT_FILE" not in ours:
        ours["SSL_CERT_FILE"] = pip["cert"]
    return {**ours, "PYC_INVALIDATION_MODE": "UNCHECKED_HASH", "NO_COLOR": "1"}


def _pip_files(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """pip's own settings files, weakest first; a broken one is pip's business, not ours."""
    parser = configparser.RawConfigParser(strict=False)
    named = [Path(environ["PIP_CONFIG_FILE"])] if environ.get("PIP_CONFIG_FILE") else []
    for path in [Path("/etc/pip.conf"), home / ".pip/pip.conf", home / ".config/pip/pip.conf", Path(sys.prefix) / "pip.conf", *named]:
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError, OSError):
            continue
    return {k: v for section in ("global", "install") if parser.has_section(section) for k, v in parser.items(section)}


def _install(requirements: list[str], target: Path, version: str, platform: str | None, say: Callable[[str], None]) -> None:
    """Install into `target`, leaving out, by name, what exists only as source: building it would run it here."""
    options = ["--only-binary", ":all:", "--no-progress", "--python-version", version, "--python", sys.executable]
    options += ["--python-platform", platform] if platform else []
    options += ["--compile-bytecode"] if version == HOST_VERSION else []
    while True:
        try:
            _uv(["pip", "install", "--target", str(target), *options, "--", *requirements])
            return
        except SandboxUnavailable as error:
            sourced = _source_only(str(error), requirements)
            if not sourced:
                raise
            say(f"Left out {sourced}: it has no wheel, and nothing is built on this machine. {ADVICE}")
            requirements.remove(sourced)


def _source_only(text: str, requirements: Sequence[str]) -> str | None:
    """The requirement of ours that uv says has no wheel."""
    names = {canonicalize_name(name) for name in UNBUILT.findall(text)}
    return next((r for r in requirements if canonicalize_name(Requirement(r).name) in names), None)


def _uv(arguments: Sequence[str], seconds: float = 900) -> str:
    """What uv prints, run away from any project, whose settings could name foreign indexes. Raises SandboxUnavailable with its words."""
    with tempfile.TemporaryDirectory(prefix="swesearch-uv-") as away:
        environ = settings(os.environ, Path.home())
        try:
            done = subprocess.run([_find(), *arguments], cwd=away, env=environ, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise SandboxUnavailable(f"uv did not finish within {seconds:.0f} s. {ADVICE}") from None
    if done.returncode:
        raise SandboxUnavailable(f"The environment could not be installed with uv:\n{_words(done.stderr)}\n{ADVICE}")
    return done.stdout


def _find() -> str:
    from uv import find_uv_bin  # only where it is used

    try:
        return str(find_uv_bin())
    except FileNotFoundError:
        found = shutil.which("uv")
    if not found:
        raise SandboxUnavailable("uv is not installed: pip install uv.")
    return found


def _words(stderr: str) -> str:
    """uv's error without its notes on what it uses."""
    return "\n".join(line for line in stderr.strip().splitlines() if not line.startswith(("Using ", "warning:")))[-2000:]


def _named(requirements: Sequence[str]) -> str:
    shown = ", ".join(requirements[:6])
    return shown if len(requirements) <= 6 else f"{shown} and {len(requirements) - 6} more"


def _once(folder: Path, fill: Callable[[Path], object]) -> Path:
    """`folder`, filled by the first who wants it: others wait, and a half-filled one is never seen under its name."""
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder.with_name(folder.name + ".lock")):
            if not folder.is_dir():
                _fill(folder, fill)
    except OSError as error:
        raise SandboxUnavailable(f"The environment cannot be kept in {folder.parent}: {error.strerror}.") from error
    return folder


def _fill(folder: Path, fill: Callable[[Path], object]) -> None:
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as making:
        made = Path(making) / folder.name
        fill(made)
        made.chmod(0o755)
        made.rename(folder)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
