"""A run that is killed pays for no answer twice."""

from __future__ import annotations

import pytest

from benchmarks.agents_books import kill_and_resume


@pytest.mark.slow
def test_a_search_of_thirty_nodes_that_was_killed_asks_nothing_again_that_was_answered(tmp_path):
    killed = kill_and_resume(tmp_path, nodes=30, seed=7)
    assert 0 < killed.at < killed.calls
    assert killed.nodes >= 30
    assert killed.twice == killed.under_way <= 1
