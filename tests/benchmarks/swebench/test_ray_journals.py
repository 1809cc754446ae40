from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.swebench.ray_journals import Row, Sent, gradings, journals, keep, keep_files, restore
from swesearch.base import Event
from swesearch.journal import Journal
from swesearch.runs import JOURNAL


def journal(home: Path, values: Iterable[int], run: str = "r") -> Path:
    """A journal with one event for each value, made or gone on with."""
    path = home / "runs" / run / JOURNAL
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = Journal.open(path) if path.exists() else Journal.create(path)
    for value in values:
        kept.append(Event("count", {"n": value}))
    kept.close()
    return path


def values(home: Path) -> list[int]:
    return [row.data["n"] for row in journals(home)]


def test_what_is_new_in_a_journal_is_sent_once_and_kept(tmp_path: Path) -> None:
    journal(tmp_path / "node", [1, 2])
    sent = Sent(tmp_path / "node")
    keep(tmp_path / "driver", sent.new())
    journal(tmp_path / "node", [3])
    news = list(sent.new())
    assert [(row.number, row.data) for row in news] == [(3, {"n": 3})]
    keep(tmp_path / "driver", news)
    assert list(sent.new()) == []
    assert values(tmp_path / "driver") == [1, 2, 3]


def test_letters_that_come_twice_are_kept_once(tmp_path: Path) -> None:
    journal(tmp_path / "node", [1, 2])
    for _ in range(2):
        keep(tmp_path / "driver", journals(tmp_path / "node"))
    assert values(tmp_path / "driver") == [1, 2]


def test_another_node_goes_on_from_the_copy(tmp_path: Path) -> None:
    journal(tmp_path / "driver", [1, 2])
    restore(tmp_path / "node", journals(tmp_path / "driver"))
    journal(tmp_path / "node", [3])
    assert values(tmp_path / "node") == [1, 2, 3]


def test_the_same_node_goes_on_from_its_own_disk_where_that_knows_more(tmp_path: Path) -> None:
    journal(tmp_path / "driver", [1, 2])
    journal(tmp_path / "node", [1, 2, 3])
    restore(tmp_path / "node", journals(tmp_path / "driver"))
    assert values(tmp_path / "node") == [1, 2, 3]


def test_a_journal_that_went_another_way_gives_way_to_the_copy(tmp_path: Path) -> None:
    journal(tmp_path / "driver", [1, 2, 3])
    journal(tmp_path / "node", [1, 9])
    restore(tmp_path / "node", journals(tmp_path / "driver"))
    assert values(tmp_path / "node") == [1, 2, 3]


def test_a_copy_that_went_another_way_is_replaced_by_what_a_whole_letter_says(tmp_path: Path) -> None:
    journal(tmp_path / "driver", [1, 9])
    keep(tmp_path / "driver", [Row("r", 1, "count", {"n": 1}), Row("r", 2, "count", {"n": 2})])
    assert values(tmp_path / "driver") == [1, 2]


def test_several_runs_of_an_instance_are_told_apart(tmp_path: Path) -> None:
    journal(tmp_path / "node", [1], "a")
    journal(tmp_path / "node", [2], "b")
    keep(tmp_path / "driver", journals(tmp_path / "node"))
    assert [(row.run, row.data["n"]) for row in journals(tmp_path / "driver")] == [("a", 1), ("b", 2)]


def test_records_of_gradings_come_back(tmp_path: Path) -> None:
    (tmp_path / "node" / "grades" / "i").mkdir(parents=True)
    (tmp_path / "node" / "grades" / "i" / "k.log").write_bytes(b"x" * 100)
    keep_files(tmp_path / "driver", gradings(tmp_path / "node" / "i"))
    assert (tmp_path / "driver" / "grades" / "i" / "k.log").read_bytes() == b"x" * 100
