"""What a repository declares to need, read without running any of it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.declared import declared


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    def write(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_dot_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def test_dependencies_and_test_extras_of_a_project_are_declared(project) -> None:
    repo = project(pyproject_dot_toml="[project]\nname='x'\ndependencies=['a>=1']\noptional-dependencies={test=['b'], docs=['c']}\n")
    assert declared(repo).requirements == ("a>=1", "b")


def test_dependency_groups_may_include_others(project) -> None:
    repo = project(
        pyproject_dot_toml="[dependency-groups]\ntest=['a', {include-group='more'}]\nmore=['b', {include-group='test'}]\nother=['c']\n"
    )
    assert declared(repo).requirements == ("a", "b")


def test_a_development_group_counts_where_no_group_is_named_after_tests(project) -> None:
    dev_only = project(pyproject_dot_toml="[dependency-groups]\ndev=['a']\n")
    assert declared(dev_only).requirements == ("a",)
    both = project(pyproject_dot_toml="[dependency-groups]\ndev=['a']\ntests=['b']\n")
    assert declared(both).requirements == ("b",)


def test_linters_are_left_out_of_what_tests_need_but_not_of_what_the_project_needs(project) -> None:
    repo = project(
        pyproject_dot_toml="[project]\nname='x'\ndependencies=['flake8']\n"
        "[dependency-groups]\ntest=['black', 'pytest-flake8', 'tox', 'hypothesis']\n"
    )
    assert declared(repo).requirements == ("flake8", "hypothesis")


def test_setup_cfg_is_read(project) -> None:
    repo = project(
        setup_dot_cfg="[options]\ninstall_requires =\n  a\n  b ; python_version < '3'\n[options.extras_require]\ntest = c # why\n"
    )
    assert declared(repo).requirements == ("a", 'b; python_version < "3"', "c")


def test_setup_py_is_parsed_and_never_run(project, tmp_path: Path) -> None:
    repo = project(
        setup_dot_py=f"open({str(tmp_path / 'ran')!r}, 'w')\nfrom setuptools import setup\nNEEDS = ['a', 'b']\n"
        "setup(install_requires=NEEDS, tests_require=['c'], extras_require={'test': ['d'], 'docs': ['e']}, version=open('v').read())\n"
    )
    assert declared(repo).requirements == ("a", "b", "c", "d")
    assert not (tmp_path / "ran").exists()


def test_requirement_files_may_include_others_in_the_repository(project) -> None:
    repo = project(
        requirements_dot_txt="-r requirements/base.txt\na==1 --hash=sha256:00\n",
        requirements__base_dot_txt="b  # why\n-r ../requirements.txt\n",
    )
    assert declared(repo).requirements == ("b", "a==1")


@pytest.mark.parametrize(
    "line",
    [
        "-e git+https://example.invalid/x#egg=x",
        "x @ https://example.invalid/x.whl",
        "git+ssh://example.invalid/x",
        "./vendored",
        "/etc/passwd",
        "--index-url https://example.invalid/simple",
        "-f https://example.invalid",
        "--extra-index-url=https://example.invalid",
    ],
)
def test_what_would_run_code_or_trust_a_foreign_place_is_dropped_and_named(project, line: str) -> None:
    found = declared(project(requirements_dot_txt=f"{line}\na\n"))
    assert found.requirements == ("a",)
    assert found.dropped == (line,)


def test_the_project_itself_is_no_requirement(project) -> None:
    found = declared(
        project(
            pyproject_dot_toml="[project]\nname='My.Thing'\ndependencies=['my_thing[test]', 'a']\n", requirements_dot_txt="-e .[test]\n.\n"
        )
    )
    assert (found.requirements, found.dropped) == (("a",), ())


def test_a_file_that_leads_out_of_the_repository_is_not_read(project, tmp_path: Path) -> None:
    (tmp_path.parent / "outside.txt").write_text("secret-package\n")
    repo = project(requirements_dot_txt="-r ../outside.txt\n")
    (repo / "requirements-test.txt").symlink_to(tmp_path.parent / "outside.txt")
    assert declared(repo).requirements == ()


def test_malformed_files_are_named_and_the_others_are_read(project) -> None:
    found = declared(
        project(pyproject_dot_toml="[project\n", setup_dot_py="def (", setup_dot_cfg="no section\n", requirements_dot_txt="a\n")
    )
    assert found.requirements == ("a",)
    assert [line.split()[0] for line in found.dropped] == ["pyproject.toml", "setup.cfg", "setup.py"]


@pytest.mark.parametrize(
    ("bound", "meant"),
    [("^1.2.3", "<2,>=1.2.3"), ("^0.2", "<0.3,>=0.2"), ("~1.2", "<1.3,>=1.2"), ("*", ""), ("1.0", "==1.0"), (">=1,<3", "<3,>=1")],
)
def test_poetry_bounds_mean_what_poetry_says(project, bound: str, meant: str) -> None:
    repo = project(pyproject_dot_toml=f"[tool.poetry.dependencies]\npython='^3.8'\na='{bound}'\n")
    assert declared(repo).requirements == (f"a{meant}",)


def test_poetry_paths_and_repositories_are_dropped(project) -> None:
    path, git, fine = "a={path='../a'}", "b={git='https://example.invalid/b'}", "c={version='^1', extras=['x']}"
    found = declared(project(pyproject_dot_toml=f"[tool.poetry.dependencies]\n{path}\n{git}\n{fine}\n"))
    assert found.requirements == ("c[x]<2,>=1",)
    assert len(found.dropped) == 2
