"""The projects that a sandbox is measured with: fetched, unpacked, with what they need, as an archive and as files of candidates."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.sdists import fetch, unpack
from sandbox.base import Environment, File, Files


@dataclass(frozen=True, slots=True)
class Subject:
    """A published project, one of its tests, and a function whose body candidates differ in."""

    archive: str
    sha256: str
    needs: tuple[str, ...]
    args: tuple[str, ...]  # of `python -m pytest`
    path: str
    line: str  # the function's line that a candidate puts another one before; "" for one more statement at the module's end


SUBJECTS = {
    "flask": Subject(
        "flask-3.0.3.tar.gz", "ceb27b0af3823ea2737928a4d99d125a06175b8512c445cbd9a9ce200ef76842",
        ("werkzeug==3.0.6", "jinja2", "itsdangerous", "click", "blinker"),
        ("-q", "-o", "pythonpath=src", "tests/test_basic.py::test_method_route_no_methods"),
        "src/flask/helpers.py", '    val = os.environ.get("FLASK_DEBUG")\n',
    ),
    "sympy": Subject(
        "sympy-1.12.tar.gz", "ebf595c8dac3e0fdc4152c51878b498396ec7f30e7a914d6071e674d49420fb8",
        ("mpmath==1.3.0",), ("-q", "sympy/core/tests/test_basic.py::test_xreplace"),
        "sympy/core/exprtools.py", "    return isinstance(i, (SYMPY_INTS, float)) or i.is_Number\n",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Checkout:
    """A subject ready to be tested."""

    subject: Subject
    folder: Path
    environment: Environment
    archive: bytes

    def candidate(self, number: int) -> bytes:
        """The changed file of a candidate."""
        text = (self.folder / f"{self.subject.path}.orig").read_text()
        line = self.subject.line
        return (text.replace(line, f"    _ = {number}\n{line}") if line else f"{text}\n_ = {number}\n").encode()

    def at(self, path: str) -> Checkout:
        """The same with candidates that change the module `path` as a whole."""
        (self.folder / f"{path}.orig").write_bytes((self.folder / path).read_bytes())
        return replace(self, subject=replace(self.subject, path=path, line=""))

    def close(self) -> None:
        """The changed file as it was."""
        (self.folder / self.subject.path).write_bytes((self.folder / f"{self.subject.path}.orig").read_bytes())

    def files(self, number: int) -> Files:
        """A candidate as files over the base."""
        return Files(self.subject.sha256, lambda: self.archive, {self.subject.path: File(self.candidate(number))})


def check_out(name: str, cache: Path) -> Checkout:
    """Fetch and unpack a subject, and install what it needs."""
    subject = SUBJECTS[name]
    folder = cache / f"{name}-tree"
    if not folder.exists():
        unpacked = unpack(fetch(name, subject.archive, subject.sha256, cache), cache / f"{name}-unpacked")
        unpacked.rename(folder)
        (folder / f"{subject.path}.orig").write_bytes((folder / subject.path).read_bytes())
    (folder / subject.path).write_bytes((folder / f"{subject.path}.orig").read_bytes())
    return Checkout(subject, folder, _environment(subject, cache / f"{name}-venv"), _archive(folder))


def installed(venv: Path, needs: Sequence[str]) -> Path:
    """The interpreter of a virtual environment with these packages."""
    python = venv / "bin" / "python"
    if not venv.exists():
        uv = [sys.executable, "-m", "uv", "-q"]
        subprocess.run([*uv, "venv", "--python", sys.executable, str(venv)], check=True)
        subprocess.run([*uv, "pip", "install", "--compile-bytecode", "--python", str(python), *needs], check=True)
    return python


def _environment(subject: Subject, venv: Path) -> Environment:
    python = installed(venv, ("pytest<9", *subject.needs))
    prefix = str(Path(sys.base_prefix).resolve())
    return Environment(python=str(python), mounts=(prefix, str(venv)))


def _archive(folder: Path) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and ".pytest_cache" not in path.parts and path.suffix != ".orig":
                tar.add(path, path.relative_to(folder), recursive=False)
    return stream.getvalue()


def imported(checkout: Checkout, name: str) -> list[str]:
    """Paths of the project's modules in the order in which they begin to be imported."""
    origins = "(getattr(getattr(m, '__spec__', None), 'origin', None) for m in list(sys.modules.values()))"
    ask = f"import sys, {name}; print(*{origins}, sep='\\n')"
    told = subprocess.run([checkout.environment.python, "-c", ask], cwd=checkout.folder, capture_output=True, text=True, check=True).stdout
    return [line.removeprefix(f"{checkout.folder}/") for line in told.splitlines() if line.startswith(f"{checkout.folder}/")]
