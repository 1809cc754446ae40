"""Where commits come from, what environments are made of, and that nothing of the future is in an image."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from benchmarks.swebench.base import BenchError, Instance
from benchmarks.swebench.checkout import Repositories
from benchmarks.swebench.images import Environments, official_name
from benchmarks.swebench.layers import add_packages, archive
from benchmarks.swebench.locks import Lock, _enclosed
from benchmarks.swebench.specs import Recipe, recipe, specification
from sandbox.base import SandboxUnavailable
from sandbox.docker import connect
from sandbox.images import add_layer, base_image, exists, need_space, remove_image
from tests.benchmarks.swebench.places import git, prebuilt, project


@pytest.fixture
def one(tmp_path: Path) -> Instance:
    return project(tmp_path / "repos")


@pytest.fixture
def repositories(tmp_path: Path, one: Instance) -> Repositories:
    return Repositories(tmp_path / "cache", tmp_path / "repos")


def test_a_checkout_holds_the_base_commit_and_no_other(repositories: Repositories, one: Instance) -> None:
    folder = repositories.checkout(one)
    assert git(folder, "rev-list", "--all") == one.base_commit
    assert git(folder, "status", "--porcelain") == ""
    assert (
        git(folder, "count-objects") == "0 objects, 0 kilobytes"
        or git(folder, "cat-file", "--batch-all-objects", "--batch-check").count("commit") == 1
    )
    assert str(repositories.mirrors) not in "".join(path.read_text("latin-1") for path in (folder / ".git").rglob("*") if path.is_file())
    assert repositories.checkout(one) == folder


@pytest.mark.parametrize(
    "name", ["pallets+flask", "pallets__flask", "pallets__flask.git", "pallets/flask", "pallets+flask/repo", "flask.git"]
)
def test_bare_clones_are_found_under_their_usual_names(tmp_path: Path, one: Instance, name: str) -> None:
    (tmp_path / "other" / name).parent.mkdir(parents=True)
    (tmp_path / "repos" / "pallets__flask").rename(tmp_path / "other" / name)
    folder = Repositories(tmp_path / "cache", tmp_path / "other").checkout(one)
    assert git(folder, "rev-parse", "HEAD") == one.base_commit


def test_a_file_of_another_commit_can_be_read(repositories: Repositories, one: Instance) -> None:
    assert repositories.read(one.repo, one.base_commit, "tool.py") == "def double(number):\n    return number + number + 1\n"
    assert repositories.read(one.repo, one.base_commit, "absent.py") is None


def test_a_commit_that_is_not_there_says_how_to_mend_it(repositories: Repositories, one: Instance) -> None:
    with pytest.raises(SandboxUnavailable, match=r"commit ffffffffffff cannot be fetched .* --repos"):
        repositories.checkout(replace(one, base_commit="f" * 40))
    assert list((repositories.cache / "checkouts").iterdir()) == []


def test_a_folder_of_clones_that_is_not_there_is_an_error(tmp_path: Path, one: Instance) -> None:
    with pytest.raises(BenchError, match="there is no such folder"):
        Repositories(tmp_path, tmp_path / "absent").checkout(one)


def files(**texts: str) -> dict[tuple[str, str], str]:
    return {("a" * 40, name.replace("_", "/").replace("/txt", ".txt")): text for name, text in texts.items()}


def test_a_recipe_follows_the_steps_of_the_harness(tmp_path: Path, one: Instance) -> None:
    told = files(
        requirements_dev_txt="-r tests.txt\n-e .\nmypy==1.0  # types\ngit+https://example.com/x.git\n--index-url https://example.com\n",
        requirements_tests_txt="pytest==7.3.0\n-r dev.txt\n",
    )
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools~=62.6", "x @ file:///x"]\n[project]\nname = "flask"\ndependencies = ["click>=8"]\n'
    )
    found = recipe(replace(one, base_commit="a" * 40), tmp_path, lambda commit, path: told.get((commit, path)))
    pins = tuple(specification(one)["pip_packages"])
    assert found.steps == (("pip", "setuptools", "wheel"), ("pytest==7.3.0", "mypy==1.0"), pins, ("click>=8",))
    assert (found.python, found.build, found.setup) == ("3.11", ("setuptools~=62.6",), ("python -m pip install -e .",))


@pytest.mark.parametrize(
    ("created", "date"), [("2013-01-01T00:00:00Z", "2024-10-25"), ("2025-03-04 10:00:00", "2025-03-04"), ("", "2024-10-25")]
)
def test_packages_are_those_of_the_official_images_day_or_of_the_instances(tmp_path: Path, one: Instance, created: str, date: str) -> None:
    old = replace(one, repo="psf/requests", version="2.3", created=created)
    assert recipe(old, tmp_path, lambda _commit, _path: None) == Recipe(
        "3.9", (("pip", "setuptools", "wheel"), ("pytest",)), (), ("python -m pip install .",), date
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "99"}, "swebench knows no specification for pallets/flask '99'"),
        ({"repo": "acme/tool"}, "swebench knows no specification for acme/tool"),
        ({"kind": "live"}, "rows in the form of SWE-bench-live"),
    ],
)
def test_an_instance_that_swebench_does_not_know_is_an_error(one: Instance, change: dict[str, str], words: str) -> None:
    with pytest.raises(BenchError, match=words):
        specification(replace(one, **change))


def test_an_environment_is_moved_to_where_the_image_has_it(tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to("/home/somebody/python3.9")
    (tmp_path / "venv" / "pyvenv.cfg").write_text("home = /home/somebody\nrelocatable = true\n")
    with archive() as making:
        add_packages(making, tmp_path / "venv", tmp_path / "none", Path("/opt/python/3.9/bin/python3.9"))
        with tarfile.open(fileobj=making.done()) as tar:
            members = {member.name: member for member in tar.getmembers()}
            settings = tar.extractfile("opt/testbed/pyvenv.cfg")
            assert settings is not None
            assert settings.read() == b"home = /opt/python/3.9/bin\nrelocatable = true\n"
    assert members["opt/testbed/bin/python"].linkname == "/opt/python/3.9/bin/python3.9"
    assert {(member.uid, member.uname) for member in members.values()} == {(0, "root")}


def test_environments_of_the_same_versions_are_the_same() -> None:
    assert Lock("3.9", ("a==1",), ()).key == Lock("3.9", ("a==1",), ()).key
    assert len({Lock("3.9", ("a==1",), ()).key, Lock("3.11", ("a==1",), ()).key, Lock("3.9", ("a==2",), ()).key}) == 3


def test_what_builds_a_package_sees_only_its_cache_and_the_system(tmp_path: Path) -> None:
    words = _enclosed(tmp_path, ["/somewhere/uv"])
    if not words:
        pytest.skip("bubblewrap is not here, so that only wheels are installed")
    shown = {words[number + 1] for number, word in enumerate(words) if word in ("--bind", "--ro-bind-try")}
    assert words[-3:] == [str(tmp_path), str(tmp_path), "--"]
    assert not shown & {"/", "/home", "/root", str(Path.home()), "/etc", "/var", "/tmp"}


@pytest.fixture(scope="module")
def client() -> Iterator[docker.DockerClient]:
    found = connect()
    yield found
    found.close()


@pytest.mark.docker
def test_a_full_disk_is_told_before_anything_is_made(client: docker.DockerClient) -> None:
    with pytest.raises(SandboxUnavailable, match=r"no space for images: .* GB free and 1000000\.0 GB are needed\. Mend:"):
        need_space(client, 1e6)


@pytest.mark.docker
def test_a_layer_whose_setup_fails_leaves_no_image_and_gives_its_last_words(client: docker.DockerClient) -> None:
    name = "sandbox-test-layer:fails"
    with archive() as tar:
        full, base = tar.done(), base_image(client)
        with pytest.raises(SandboxUnavailable, match="ended with 3: so it goes"):
            add_layer(client, base, full, name, "echo so it goes; exit 3")
    assert not exists(client, name)


@pytest.mark.docker
def test_a_prebuilt_image_is_made_ready_without_its_future_and_removed_when_done(
    tmp_path: Path, one: Instance, client: docker.DockerClient
) -> None:
    bare = tmp_path / "repos" / "pallets__flask"
    future = git(bare, "rev-parse", "main")
    environments = Environments(tmp_path / "cache", tmp_path / "repos", pull_images=False)
    with prebuilt(client, one, tmp_path / "repos" / "tree"):
        place = environments.ready(one)
        assert environments.ready(one) == place
        look = f"git cat-file -e {future} || echo gone; git rev-list --all; git status --porcelain; cat tool.py"
        said = client.containers.run(place.image, ["sh", "-c", look], network_mode="none", remove=True).decode().splitlines()
        assert said[0].startswith("fatal") or "gone" in said[:2]
        commits = [line for line in said if len(line) == 40]
        assert len(commits) == 2  # the harness's own on top of the base commit
        assert one.base_commit in commits
        assert said[-1] == "    return number + number + 1"
        environments.done(one, place)
        assert not exists(client, place.image)
        assert exists(client, official_name(one))  # it was there before
    environments.close()


@pytest.mark.docker
def test_removing_an_image_that_is_not_there_is_no_error(client: docker.DockerClient) -> None:
    remove_image(client, "sandbox-test-layer:absent")
    assert not exists(client, "sandbox-test-layer:absent")
