"""The journal keeps what it acknowledged, whatever happens to its process."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest

from swesearch.base import Event, JournalError
from swesearch.journal import SCHEMA, Journal, mend, never_begun

WRITER = """
import sys
from pathlib import Path
from swesearch.base import Event
from swesearch.journal import Journal

journal = Journal.open(Path(sys.argv[1]))
while True:
    number = journal.append(Event("node", {"text": "x" * 3000}), durable=sys.argv[2] == "durable")
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "a run # é %41"
    folder.mkdir()
    return folder / "journal.sqlite"


def start_writer(path: Path, durable: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), durable], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )


def acknowledged(writer: subprocess.Popen[str]) -> list[int]:
    """Everything a killed writer said; a last line that was cut short does not count."""
    assert writer.stdout
    return [int(line) for line in writer.stdout.read().splitlines(keepends=True) if line.endswith("\n")]


def test_events_come_back_in_order_with_their_numbers(path: Path) -> None:
    events = [Event("begun", {"path": "caf\udce9/é", "n": [1, None, 0.5]}), Event("node"), Event("stopped", {"why": "solved"})]
    journal = Journal.create(path)
    assert [journal.append(event) for event in events] == [1, 2, 3]
    assert list(journal.events()) == list(enumerate(events, 1))
    assert list(journal.events(after=2)) == [(3, events[2])]
    journal.close()
    again = Journal.open(path)
    assert again.append(Event("node"), durable=True) == 4
    assert len(list(again.events())) == 4
    again.close()


def test_more_events_than_one_page_are_all_read(path: Path) -> None:
    journal = Journal.create(path)
    for number in range(2500):
        journal.append(Event("node", {"n": number}))
    assert [event.data["n"] for _, event in journal.events()] == list(range(2500))
    journal.close()


def test_events_of_every_kind_are_read_from_every_page(path: Path) -> None:
    with closing(Journal.create(path)) as journal:
        for number in range(2500):
            journal.append(Event("odd" if number % 2 else "even", {"n": number}))

        assert [event.data["n"] for _, event in journal.events()] == [*range(2500)]
        assert [event.data["n"] for _, event in journal.events(kind="odd")] == [*range(1, 2500, 2)]


@pytest.mark.parametrize("durable", ["", "durable"])
def test_no_acknowledged_event_is_lost_when_the_writer_is_killed(path: Path, durable: str) -> None:
    Journal.create(path).close()
    chance, last = random.Random(7), 0
    for _ in range(5):
        writer = start_writer(path, durable)
        assert writer.stdout
        first = int(writer.stdout.readline())
        time.sleep(chance.uniform(0, 0.15))
        os.kill(writer.pid, signal.SIGKILL)
        numbers = [first, *acknowledged(writer)]
        writer.wait()
        writer.stdout.close()
        reader = Journal.read(path)
        kept = list(reader.events())
        reader.close()
        assert first == last + 1
        assert [number for number, _ in kept] == list(range(1, len(kept) + 1))
        assert len(kept) >= numbers[-1]
        assert all(event.data["text"] == "x" * 3000 for _, event in kept)
        last = len(kept)


def test_a_second_writer_is_refused_at_once_and_a_dead_one_never_blocks(path: Path) -> None:
    Journal.create(path).close()
    writer = start_writer(path)
    assert writer.stdout
    writer.stdout.readline()
    began = time.monotonic()
    with pytest.raises(JournalError, match="written by another process"):
        Journal.open(path)
    assert time.monotonic() - began < 1
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    Journal.open(path).close()


def test_a_second_writer_in_the_same_process_is_refused(path: Path) -> None:
    journal = Journal.create(path)
    with pytest.raises(JournalError, match="written by another process"):
        Journal.open(path)
    journal.close()
    Journal.open(path).close()


def test_a_reader_in_the_middle_does_not_stop_the_writer_and_sees_what_is_new(path: Path) -> None:
    journal = Journal.create(path)
    for _ in range(1500):
        journal.append(Event("node"))
    reader = Journal.read(path)
    events = reader.events()
    next(events)
    began = time.monotonic()
    journal.append(Event("late"))
    assert time.monotonic() - began < 0.5
    assert [event.kind for _, event in events][-1] == "late"
    reader.close()
    journal.close()


def test_a_reader_cannot_write(path: Path) -> None:
    Journal.create(path).close()
    reader = Journal.read(path)
    with pytest.raises(JournalError, match="not open for writing"):
        reader.append(Event("node"))
    reader.close()


def test_threads_share_a_journal_and_every_event_has_its_own_number(path: Path) -> None:
    journal, numbers = Journal.create(path), []
    threads = [threading.Thread(target=lambda: numbers.extend(journal.append(Event("node")) for _ in range(100))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 801))
    journal.close()


def test_what_cannot_be_told_as_json_is_refused_and_nothing_is_written(path: Path) -> None:
    journal = Journal.create(path)
    with pytest.raises(TypeError):
        journal.append(Event("node", {"patch": b"bytes"}))
    assert list(journal.events()) == []
    journal.close()


def test_a_journal_is_never_begun_over_another_one(path: Path) -> None:
    journal = Journal.create(path)
    journal.append(Event("node"))
    journal.close()
    with pytest.raises(JournalError, match="already exists"):
        Journal.create(path)
    with closing(Journal.read(path)) as reader:
        assert len(list(reader.events())) == 1


def test_a_closed_journal_says_so(path: Path) -> None:
    journal = Journal.create(path)
    journal.close()
    journal.close()
    with pytest.raises(JournalError, match="not open for writing"):
        journal.append(Event("node"))
    with pytest.raises(JournalError, match="closed"):
        list(journal.events())


def test_a_missing_journal_says_so(path: Path) -> None:
    for way in (Journal.open, Journal.read):
        with pytest.raises(JournalError, match="there is no journal"):
            way(path)


def test_a_file_that_is_no_journal_says_so(path: Path) -> None:
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE event (id INTEGER)")
    other.close()
    with pytest.raises(JournalError, match="not the journal of a run"):
        Journal.open(path)


def test_a_journal_of_a_newer_version_says_so(path: Path) -> None:
    Journal.create(path).close()
    newer = sqlite3.connect(path)
    newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(JournalError, match="update swesearch"):
        Journal.open(path)
    with pytest.raises(JournalError, match="update swesearch"):  # and the refused writer let go of its lock
        Journal.open(path)


@pytest.mark.parametrize("whole", [True, False])
def test_a_damaged_journal_says_so_and_what_can_be_done(path: Path, whole: bool) -> None:
    journal = Journal.create(path)
    for number in range(200):
        journal.append(Event("node", {"n": number, "text": "x" * 1000}))
    journal.close()
    content = path.read_bytes()
    path.write_bytes(b"?" * len(content) if whole else content[:4096] + b"?" * (len(content) - 4096))
    with pytest.raises(JournalError, match=r"is damaged \(.*\): .*sqlite3 '.*' \.recover"), closing(Journal.read(path)) as reader:
        list(reader.events())


def test_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="cannot be written"):
        Journal.create(tmp_path / "missing" / "journal.sqlite")


def test_a_damaged_journal_is_mended_up_to_the_damage_and_kept_beside_as_it_was(path: Path) -> None:
    journal = Journal.create(path)
    for number in range(200):
        journal.append(Event("node", {"n": number, "text": "x" * 1000}))
    journal.close()
    content = path.read_bytes()
    broken = content[: len(content) // 2] + b"?" * (len(content) - len(content) // 2)
    path.write_bytes(broken)
    kept = mend(path)
    assert kept
    assert 50 < kept < 150
    with closing(Journal.open(path)) as again:
        assert [event.data["n"] for _, event in again.events()] == list(range(kept))
        assert again.append(Event("node")) == kept + 1
    assert mend(path) is None
    assert path.with_name(path.name + ".damaged").read_bytes() == broken


def test_a_journal_of_which_nothing_can_be_kept_is_left_alone(path: Path) -> None:
    Journal.create(path, Event("begun")).close()
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"?" * (len(content) - 4096))
    with pytest.raises(JournalError, match="nothing can be kept"):
        mend(path)
    assert path.read_bytes()[:4096] == content[:4096]


def test_a_journal_that_is_being_written_is_not_mended(path: Path) -> None:
    journal = Journal.create(path)
    with pytest.raises(JournalError, match="written by another process"):
        mend(path)
    journal.close()


def test_a_journal_begins_with_its_first_events_or_not_at_all(path: Path) -> None:
    path.with_name(path.name + ".new").write_bytes(b"of one who was killed")
    assert never_begun(path)
    with closing(Journal.create(path, Event("begun", {"n": 1}))) as journal:
        assert [event.kind for _, event in journal.events()] == ["begun"]
    assert not never_begun(path)
    assert not path.with_name(path.name + ".new").exists()


@pytest.mark.parametrize("row", [(None, "{}"), (b"node", "{}"), ("node", None), ("node", 5), ("node", "[1]"), ("node", "[" * 100_000)])
def test_what_was_never_written_is_damage_whatever_it_is(path: Path, row: tuple[object, object]) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.executescript(SCHEMA.replace(" NOT NULL", ""))
        db.execute("INSERT INTO event (kind, data) VALUES ('begun', '{}')")
        db.execute("INSERT INTO event (kind, data) VALUES (?, ?)", row)
        db.commit()
    with pytest.raises(JournalError, match="is damaged"), closing(Journal.read(path)) as reader:
        list(reader.events())
    assert mend(path) == 1
