"""One searched run for all tests of this room."""

import pytest

from tests.report.searched import searched


@pytest.fixture(scope="session")
def run_with_a_model(tmp_path_factory):
    return searched(tmp_path_factory.mktemp("searched"))
