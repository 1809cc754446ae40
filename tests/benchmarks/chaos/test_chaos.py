"""The chaos suite in its reduced form: each case once, at one random moment. The whole of it: scripts/chaos."""

from __future__ import annotations

import pytest

from benchmarks.chaos.__main__ import NOTHING, Row, summary, table, tried
from benchmarks.chaos.case import CASES, Case, Stage
from benchmarks.chaos.place import Lost

QUICK = [pytest.param(one, id=name, marks=[pytest.mark.docker] * ("docker" in one.needs)) for name, one in CASES.items() if one.quick]


@pytest.mark.slow
@pytest.mark.parametrize("one", QUICK)
def test_nothing_is_lost_whatever_breaks(one: Case) -> None:
    row = tried(one, seed=1, rounds=1)
    if not row.lost:
        pytest.skip(row.happened)
    assert row.lost == NOTHING, row


def test_what_is_lost_stands_in_the_table_and_in_the_exit_code() -> None:
    def loses(_: Stage) -> str:
        raise Lost("a | paid answer")

    row = tried(Case("loses", "something", loses), seed=1, rounds=1)
    assert table([row]).splitlines()[-1] == "| something |  | a \\| paid answer |"
    assert (summary([row]), summary([Row("a", "b", NOTHING)])) == (1, 0)


def test_what_cannot_be_tried_here_is_named_with_the_reason_and_counts_for_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    row = tried(Case("engine", "dockerd", lambda _: "fine", ("dockerd",)), seed=1, rounds=1)
    assert (row.happened, row.lost) == ("not tried: needs dockerd", "")
    assert summary([row]) == 0
    assert "0 of 1 cases tried" in capsys.readouterr().err
