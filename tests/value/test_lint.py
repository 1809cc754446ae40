"""What the linter says of hostile files: something, or nothing, but never that it is not there."""

import pytest

from swesearch.base import Create
from swesearch.store import Store
from swesearch.value.lint import Lint


@pytest.fixture
def measured(repo, tmp_path):
    def go(path, source):
        store = Store.open(repo({"a.py": "a = 1\n"}), tmp_path / "store")
        root = store.root()
        found = Lint(store, root).measure(store.apply(root, [Create(path, source)]), None)
        store.close()
        return found

    return go


def test_a_name_that_looks_like_an_option_is_a_name(measured):
    assert measured("-rf.py", b"b = 1\n").score == 1.0


def test_a_source_that_overflows_the_linter_is_refused(measured):
    assert measured("deep.py", b"x = " + b"[" * 100_000 + b"\n").blocked


def test_a_source_in_another_encoding_is_passed_over(measured):
    assert measured("old.py", "# coding: latin-1\nx = 'é'\n".encode("latin-1")).score == 1.0
