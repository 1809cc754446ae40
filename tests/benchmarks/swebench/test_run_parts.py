from __future__ import annotations

import threading
from pathlib import Path

import pytest

from benchmarks.swebench.data import load
from benchmarks.swebench.kill_tests import evaluated_twice, world
from benchmarks.swebench.ray_journals import journals, restore
from benchmarks.swebench.run_parts import Places, Searching
from benchmarks.swebench.workers import Life
from swesearch.settings import Settings

pytestmark = [pytest.mark.docker, pytest.mark.slow]


def test_a_search_goes_on_on_another_disk_from_nothing_but_its_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path / "world") as made:
        monkeypatch.setenv("SWESEARCH_HOME", made.environ["SWESEARCH_HOME"])
        one = load(str(made.rows))[1]
        places = Places(made.folder / "mirrors", pull=False)
        place = places(one, lambda _: None)
        searching = Searching("check", Settings().updated({"search": {"workers": 1}, "budget": {"evaluations": 25}}, "test"))
        home, stop = tmp_path / "out" / one.id, threading.Event()

        def tell(_: str) -> None:
            if sum(row.kind == "node" for row in journals(home)) >= 3:
                stop.set()

        assert searching(one, place, home, Life(tell, stop)) is None
        before = list(journals(home))
        home.rename(tmp_path / "dead")
        restore(home, before)
        found = searching(one, place, home, Life())
        assert found is not None
        assert (found.error, found.exit_status) == ("", "Submitted")
        assert list(journals(home))[: len(before)] == before
        assert evaluated_twice(tmp_path / "out") == []
