"""Which files a candidate may not change."""

import pytest

from swesearch.value.protect import protected


@pytest.mark.parametrize(
    "path",
    [
        "tests/helpers.py",
        "pkg/test/data.json",
        "pkg/testutils/compare.py",
        "test_it.py",
        "pkg/it_test.py",
        "conftest.py",
        "pkg/conftest.py",
        "pytest.ini",
        "tox.ini",
        "setup.cfg",
        "pyproject.toml",
        "sitecustomize.py",
        "src/usercustomize.py",
        "evil.pth",
        "evil-1.0.dist-info/entry_points.txt",
        "pytest.py",
        "_pytest/__init__.py",
        "src/json/__init__.py",
        "random.py",
    ],
)
def test_files_that_decide_what_the_check_says_are_protected(path):
    assert protected(path)


@pytest.mark.parametrize(
    "path", ["pkg/core.py", "src/pkg/testing_tools.py", "contest.py", "pkg/latest.py", "docs/index.rst", "pkg/json.py"]
)
def test_ordinary_files_may_be_changed(path):
    assert protected(path) == ""


def test_a_repository_may_repair_a_module_it_already_has_whatever_its_name():
    assert protected("random.py", existing={"random.py"}) == ""
