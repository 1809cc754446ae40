"""Which environment a repository's checks run in. Packages come from a folder of wheels made here: no network is used."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sandbox import uv
from sandbox.base import Environment, SandboxError, SandboxUnavailable
from sandbox.environment import Box, find, host_box, missing_module

VERSION = uv.HOST_VERSION
BOX = Box(VERSION)


def write_wheel(folder: Path, name: str, version: str = "1.0", files: dict[str, str] | None = None) -> None:
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    content = {f"{name}/__init__.py": "", **(files or {})}
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    content[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    content[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*content, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in content.items():
            wheel.writestr(path, text)


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that can be installed."""
    folder = tmp_path / "wheels"
    write_wheel(folder, "pytest", files={"_pytest/__init__.py": ""})
    write_wheel(folder, "needed")
    for name in [name for name in os.environ if name.startswith(("UV_", "PIP_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return folder


@dataclass
class Asked:
    """A repository, and what was said while its environment was looked for."""

    folder: Path
    cache: Path
    history: tuple[str, ...] = ()
    said: list[str] = field(default_factory=list)

    def find(self, python: str | None = None, image: str | None = None, box: Box = BOX, **environ: str) -> Environment:
        return find(
            self.folder,
            python=python,
            image=image,
            cache=self.cache,
            tracked=self.history.__contains__,
            say=self.said.append,
            box=box,
            environ=environ,
        )

    def venv(self, name: str = ".venv", has_pytest: bool = True) -> Path:
        venv.create(self.folder / name, symlinks=True)
        if has_pytest:
            (self.folder / name / "lib" / f"python{VERSION}" / "site-packages" / "_pytest").mkdir()
        return self.folder / name


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    (tmp_path / "a repo").mkdir()
    return Asked(tmp_path / "a repo", tmp_path / "cache")


def runs(environment: Environment, code: str) -> str:
    """What `code` prints under the interpreter and site folders of a native environment."""
    program = f"import site\nfor folder in {environment.site!r}: site.addsitedir(folder)\n{code}"
    return subprocess.run([environment.python, "-I", "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_an_image_is_taken_as_it_is(asked: Asked) -> None:
    asked.venv()
    assert asked.find(image="mine:1") == Environment(image="mine:1", why="--image mine:1")


def test_the_repositorys_own_virtual_environment_is_found(asked: Asked) -> None:
    folder = asked.venv()
    found = asked.find(box=host_box())
    assert found.python == str(folder / "bin" / "python")
    assert str(folder) in found.mounts
    assert found.version == VERSION
    assert asked.said == []


@pytest.mark.parametrize("name", ["venv", "env", ".tox/py311", ".nox/tests"])
def test_virtual_environments_are_found_under_their_usual_names(asked: Asked, name: str) -> None:
    folder = asked.venv(name)
    assert str(folder) in str(asked.find(box=host_box()).mounts)


def test_the_active_virtual_environment_comes_first_where_it_lies_in_the_repository(asked: Asked) -> None:
    asked.venv()
    other = asked.venv("other")
    assert asked.find(box=host_box(), VIRTUAL_ENV=str(other)).python == str(other / "bin" / "python")


def test_an_active_virtual_environment_elsewhere_is_not_taken(asked: Asked, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    venv.create(elsewhere, symlinks=True)
    assert str(elsewhere) not in str(asked.find(box=host_box(), VIRTUAL_ENV=str(elsewhere)))


@pytest.mark.parametrize("path", [".venv", ".venv/pyvenv.cfg"])
def test_a_virtual_environment_in_the_repositorys_history_is_not_trusted(asked: Asked, path: str) -> None:
    folder = asked.venv()
    asked.history = (path,)
    assert str(folder) not in str(asked.find().mounts)
    assert "part of the repository's history" in asked.said[0]
    assert str(folder) in asked.said[0]


def test_a_virtual_environment_that_links_out_of_the_repository_is_not_taken(asked: Asked, tmp_path: Path) -> None:
    asked.venv("venv").rename(tmp_path / "outside")
    (asked.folder / ".venv").symlink_to(tmp_path / "outside")
    assert "outside" not in str(asked.find().mounts)
    assert "leads out" in asked.said[0]


def test_nothing_that_the_repository_brings_is_run(asked: Asked, tmp_path: Path) -> None:
    folder = asked.venv(has_pytest=False)
    mark = tmp_path / "ran"
    for name in ("python", "python3", f"python{VERSION}"):
        (folder / "bin" / name).unlink(missing_ok=True)
        (folder / "bin" / name).write_text(f"#!/bin/sh\ntouch {mark}\n")
        (folder / "bin" / name).chmod(0o755)
    for name in ("setup.py", "conftest.py", "sitecustomize.py"):
        (asked.folder / name).write_text(f"open({str(mark)!r}, 'w')\n")
    (asked.folder / "pyproject.toml").write_text(
        "[build-system]\nrequires=[]\nbuild-backend='setup'\nbackend-path=['.']\n[project]\nname='x'\n"
    )
    asked.find()
    assert not mark.exists()


def test_settings_in_the_repository_do_not_choose_where_packages_come_from(asked: Asked) -> None:
    (asked.folder / "uv.toml").write_text("offline = false\nno-index = true\nfind-links = []\n")
    (asked.folder / "pyproject.toml").write_text("[project]\nname='x'\ndependencies=['needed']\n[tool.uv]\nno-index=true\nfind-links=[]\n")
    assert (Path(asked.find().site[0]) / "needed").is_dir()


def test_an_interpreter_of_the_user_is_used_for_a_native_box(asked: Asked, tmp_path: Path) -> None:
    venv.create(tmp_path / "mine", symlinks=True)
    site = tmp_path / "mine" / "lib" / f"python{VERSION}" / "site-packages"
    (site / "_pytest").mkdir()
    found = asked.find(python=str(tmp_path / "mine"), box=host_box())
    assert found.python == str(tmp_path / "mine" / "bin" / "python")
    assert runs(found, "import _pytest; print('there')") == "there"


def test_a_virtual_environment_without_pytest_is_filled_up(asked: Asked) -> None:
    folder = asked.venv(has_pytest=False)
    found = asked.find(box=host_box())
    assert found.python == str(folder / "bin" / "python")
    assert (Path(found.site[-1]) / "_pytest").is_dir()


def test_where_there_is_none_an_environment_is_made_from_what_is_declared(asked: Asked) -> None:
    (asked.folder / "requirements.txt").write_text("needed\n")
    found = asked.find(box=host_box())
    assert runs(found, "import needed, _pytest; print('both')") == "both"
    assert "requirements.txt" in found.why


def test_packages_of_this_machines_interpreter_are_not_seen(asked: Asked) -> None:
    code = "import sys; print([p for p in sys.path if 'site-packages' in p or 'dist-packages' in p])"
    found = asked.find(box=host_box())
    assert sys.prefix not in runs(found, code)


def test_a_made_environment_is_kept_and_made_once(asked: Asked, wheels: Path) -> None:
    first = asked.find()
    shutil.rmtree(wheels)
    assert asked.find() == first
    assert sum("Installing" in words for words in asked.said) == 1


def test_two_runs_at_once_make_an_environment_once(asked: Asked) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: asked.find(), range(8)))
    assert len(set(found)) == 1
    assert sum("Installing" in words for words in asked.said) == 1
    assert [path.suffix for path in asked.cache.iterdir() if path.name.startswith(".")] == []


def test_what_cannot_be_resolved_is_named_and_the_check_may_do_without(asked: Asked) -> None:
    (asked.folder / "requirements.txt").write_text("needed>=7\n")
    found = asked.find()
    assert (Path(found.site[0]) / "_pytest").is_dir()
    assert "needed>=7" in asked.said[-1]
    assert "--python" in asked.said[-1]


def test_packages_that_exist_only_as_source_are_left_out_and_named(asked: Asked, wheels: Path, tmp_path: Path) -> None:
    source = tmp_path / "only_source-1.0"
    source.mkdir()
    (source / "setup.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom setuptools import setup\nsetup(name='only_source', version='1.0')\n"
    )
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: only_source\nVersion: 1.0\n")
    shutil.make_archive(str(wheels / "only_source-1.0"), "gztar", tmp_path, source.name)
    (asked.folder / "requirements.txt").write_text("Only.Source\nneeded\n")
    found = asked.find()
    assert (Path(found.site[0]) / "needed").is_dir()
    assert any("Left out Only.Source" in words for words in asked.said)
    assert not (tmp_path / "ran").exists()


def test_no_pytest_to_be_had_is_a_clear_error(asked: Asked, wheels: Path) -> None:
    for wheel in wheels.iterdir():
        wheel.unlink()
    with pytest.raises(SandboxUnavailable, match=r"(?s)pytest.*--python"):
        asked.find()
    assert not list(asked.cache.glob("layer-*[!k]"))


def test_a_cache_that_cannot_be_written_is_a_clear_error(asked: Asked) -> None:
    asked.cache.write_text("a file")
    with pytest.raises(SandboxUnavailable, match="cannot be kept"):
        asked.find()


def test_another_version_than_the_boxs_takes_an_official_image_where_one_can_be_had(asked: Asked, tmp_path: Path) -> None:
    found = asked.find(python="/usr/bin/python3", box=Box("3.1", pullable=lambda image: image.endswith("-slim")))
    assert found.image == f"python:{found.version}-slim"
    assert found.python == "python3"


def test_another_version_than_the_boxs_is_replaced_with_a_word_where_none_can_be_had(asked: Asked) -> None:
    found = asked.find(python="/usr/bin/python3", box=Box("3.9"))
    assert found.image is None
    assert "takes its place" in asked.said[0]


def test_a_project_for_another_python_is_told_of(asked: Asked) -> None:
    (asked.folder / "pyproject.toml").write_text("[project]\nname='x'\nrequires-python='>=9'\n")
    asked.find()
    assert "asks for Python >=9" in asked.said[0]


@pytest.mark.parametrize("python", ["/nowhere", "no-such-python"])
def test_a_wrong_python_is_the_users_error(asked: Asked, python: str) -> None:
    with pytest.raises(SandboxError, match=python):
        asked.find(python=python)


def test_a_missing_module_is_named(tmp_path: Path) -> None:
    assert missing_module("E   ModuleNotFoundError: No module named 'attr.validators'") == "attr"
    assert missing_module("python3: No module named pytest") == "pytest"
    assert missing_module("SyntaxError: invalid syntax") is None


def test_a_module_of_the_repository_is_not_missing(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "own.py").touch()
    (tmp_path / "other").mkdir()
    assert missing_module("No module named 'own.part'", tmp_path) is None
    assert missing_module("No module named 'other'", tmp_path) is None
    assert missing_module("No module named 'foreign'", tmp_path) == "foreign"
