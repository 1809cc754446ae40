"""What goes into the images of instances, as tars: interpreters, packages, and the script that stands where conda's would be."""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from benchmarks.swebench.base import Instance

PACKAGES, BUILD, PYTHONS, ACTIVATE = "opt/testbed", "opt/build", "opt/python", "opt/miniconda3/bin/activate"
SEARCHED = f"/{PACKAGES}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"  # PATH in the images
LEFT_OUT = ("test", "idlelib", "tkinter", "turtledemo", "site-packages")  # of the standard library

# With this in conda's place the official scripts run as they are, and without network. The project's build tools are seen by its
# installation only, and a commit without history cannot tell setuptools-scm the version.
SCRIPT = """\
export PATH={path}
conda() {{ :; }}
pip() {{ python -m pip "$@"; }}
python() {{
    if [ "${{*:1:3}}" = "-m pip install" ]; then
        PYTHONPATH=/{build} SETUPTOOLS_SCM_PRETEND_VERSION={version} \\
            command python -m pip install --no-index --no-deps --no-build-isolation "${{@:4}}"
    else
        command python "$@"
    fi
}}
"""


def activation(instance: Instance) -> str:
    """The script for the images of `instance`."""
    version = f"{instance.version}.0" if re.fullmatch(r"\d+(\.\d+)*", instance.version) else "0.0"
    return SCRIPT.format(path=SEARCHED, build=BUILD, version=version)


class Archive:
    """A tar in the making, on disk, whose files are root's."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._tar = tarfile.open(fileobj=file, mode="w")  # noqa: SIM115 (closed by `done`)

    def add(self, source: Path, name: str, wanted: Callable[[str], bool] = lambda _: True) -> None:
        """A file or folder, under `name`; of what is in it, what is `wanted` by its name in the tar."""
        self._tar.add(source, name, filter=lambda member: _roots(member) if wanted(member.name) else None)

    def write(self, name: str, text: str) -> None:
        """A small text file."""
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(text.encode()), 0o644
        self._tar.addfile(member, io.BytesIO(text.encode()))

    def done(self) -> IO[bytes]:
        """The whole of it, to be read from its start."""
        self._tar.close()
        self._file.seek(0)
        return self._file


@contextmanager
def archive() -> Iterator[Archive]:
    """An empty archive, gone when the block ends."""
    with tempfile.TemporaryFile() as file:
        yield Archive(file)


def add_interpreter(tar: Archive, prefix: Path, version: str) -> None:
    """The interpreter of `prefix` with its standard library, in /opt/python/VERSION: it finds its files from where it is."""
    home, library = f"{PYTHONS}/{version}", f"lib/python{version}"
    unwanted = tuple(f"{home}/{library}/{name}" for name in LEFT_OUT)
    tar.add((prefix / "bin" / f"python{version}").resolve(), f"{home}/bin/python{version}")
    tar.add(
        prefix / library,
        f"{home}/{library}",
        lambda name: not name.endswith(".a") and not f"{name}/".startswith(tuple(f"{u}/" for u in unwanted)),
    )
    for shared in prefix.glob("lib/libpython*.so*"):
        tar.add(shared, f"{home}/lib/{shared.name}")


def add_packages(tar: Archive, venv: Path, build: Path, interpreter: Path) -> None:
    """A virtual environment, moved to /opt/testbed and to the image's `interpreter`; and what builds the project."""
    python = venv / "bin" / "python"
    python.unlink()
    python.symlink_to(interpreter)
    settings = venv / "pyvenv.cfg"
    settings.write_text(re.sub(r"(?m)^home *=.*$", f"home = {interpreter.parent}", settings.read_text()))
    tar.add(venv, PACKAGES)
    if build.is_dir():
        tar.add(build, BUILD)


def digest(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _roots(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
