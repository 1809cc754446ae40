"""Virtual environments are read as data; nothing that a repository brings is executed or mounts more than an interpreter."""

import sys
import venv
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.base import SandboxError
from sandbox.venvs import ask, read_venv, real_prefix

VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    folder = tmp_path / "repo" / ".venv"
    venv.create(folder, symlinks=True)
    return folder


@pytest.fixture
def trap(tmp_path: Path) -> Callable[[Path], Path]:
    """A program that leaves a mark when it is run."""

    def plant(path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {tmp_path / 'ran'}\n")
        path.chmod(0o755)
        return path

    return plant


def fake_prefix(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    (folder / "lib" / f"python{VERSION}").mkdir(parents=True)
    (folder / "lib" / f"python{VERSION}" / "os.py").touch()
    binary = folder / "bin" / f"python{VERSION}"
    binary.touch()
    binary.chmod(0o755)
    return folder


def test_a_real_virtual_environment_is_understood_from_its_files(made: Path) -> None:
    found = read_venv(made, made.parent)
    assert found.version == VERSION
    assert found.prefix == Path(sys.base_prefix).resolve()
    assert found.site == (made / "lib" / f"python{VERSION}" / "site-packages",)
    assert made in found.folders
    assert not found.has_pytest


def test_reading_a_virtual_environment_runs_nothing_in_it(made: Path, trap: Callable[[Path], Path], tmp_path: Path) -> None:
    for name in ("python", "python3", f"python{VERSION}"):
        trap(made / "bin" / name)
    read_venv(made, made.parent)
    assert not (tmp_path / "ran").exists()


def test_a_folder_without_pyvenv_cfg_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=r"no pyvenv\.cfg"):
        read_venv(tmp_path, tmp_path)


@pytest.mark.parametrize("home", ["/", "/etc", "/root", "/home", "relative/bin", "", "/nowhere/bin", "/proc/self"])
def test_a_home_that_is_no_interpreters_folder_is_refused(made: Path, home: str) -> None:
    (made / "pyvenv.cfg").write_text(f"home = {home}\nversion = {VERSION}.1\n")
    with pytest.raises(SandboxError):
        read_venv(made, made.parent)


def test_an_interpreters_folder_that_holds_the_repository_is_not_mounted(tmp_path: Path) -> None:
    prefix = fake_prefix(tmp_path / "prefix")
    with pytest.raises(SandboxError, match="more than an interpreter"):
        real_prefix(prefix / "bin", VERSION, prefix / "repo")
    assert real_prefix(prefix / "bin", VERSION, tmp_path / "repo") == prefix


def test_an_interpreters_folder_without_a_standard_library_is_not_mounted(tmp_path: Path) -> None:
    prefix = fake_prefix(tmp_path / "prefix")
    (prefix / "lib" / f"python{VERSION}" / "os.py").unlink()
    with pytest.raises(SandboxError, match="no standard library"):
        real_prefix(prefix / "bin", VERSION, tmp_path / "repo")


def test_a_home_that_links_elsewhere_counts_as_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "bin").symlink_to("/etc")
    with pytest.raises(SandboxError):
        real_prefix(tmp_path / "link" / "bin", VERSION, tmp_path / "repo")


def test_a_folder_that_only_links_to_an_interpreter_is_not_mounted(made: Path, tmp_path: Path) -> None:
    (tmp_path / "private").mkdir()
    (tmp_path / "private" / "bin").symlink_to(Path(sys.base_prefix) / "bin")
    (made / "pyvenv.cfg").write_text(f"home = {tmp_path / 'private' / 'bin'}\nversion = {VERSION}.1\n")
    assert tmp_path / "private" not in read_venv(made, made.parent).folders


def test_another_name_of_the_prefix_that_links_go_through_is_mounted_too(made: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(sys.base_prefix)
    (made / "pyvenv.cfg").write_text(f"home = {tmp_path / 'alias' / 'bin'}\nversion = {VERSION}.1\n")
    for name in ("python", "python3", f"python{VERSION}"):
        (made / "bin" / name).unlink()
    (made / "bin" / "python").symlink_to(tmp_path / "alias" / "bin" / f"python{VERSION}")
    assert {tmp_path / "alias", Path(sys.base_prefix).resolve(), made} <= set(read_venv(made, made.parent).folders)


def test_an_interpreter_that_links_out_of_its_prefix_is_refused(made: Path) -> None:
    python = made / "bin" / "python"
    python.unlink()
    python.symlink_to("/bin/sh")
    with pytest.raises(SandboxError, match="not the one that"):
        read_venv(made, made.parent)


def test_site_packages_that_lead_out_of_the_environment_are_refused(made: Path) -> None:
    site = made / "lib" / f"python{VERSION}" / "site-packages"
    site.rmdir()
    site.symlink_to("/etc")
    with pytest.raises(SandboxError, match="lead out"):
        read_venv(made, made.parent)


def test_an_interpreter_that_the_user_names_is_asked(made: Path) -> None:
    found = ask(str(made / "bin" / "python"))
    assert (found.version, found.venv) == (VERSION, made)
    assert ask(str(made)) == found or ask(str(made)).site == found.site
    assert ask(sys.executable).version == VERSION


@pytest.mark.parametrize("python", ["/nowhere/python", "no-such-interpreter", "/bin/true"])
def test_a_name_that_is_no_interpreter_is_a_clear_error(python: str) -> None:
    with pytest.raises(SandboxError, match=f"--python {python}"):
        ask(python)
