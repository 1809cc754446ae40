"""The durable record of a run: every event in order, one append each. The tree of a run is what its events add up to.

SQLite in WAL mode: a process that is killed loses nothing that `append` returned for; readers never stop the writer. With
`durable=True` an event also survives a power cut (2.7 ms instead of 0.1). Not for network file systems, where WAL does not work.
"""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Self

from swesearch.base import Event, JournalError

VERSION = 1  # of the schema
APPLICATION = 0x53574553  # "SWES", in the file's header: tells a journal from any other SQLite file
PATIENCE = 0.05  # seconds: somebody may just be looking whether the lock is free
PAGE = 1000  # events read at a time, so that a slow reader never holds back a checkpoint
SCHEMA = f"""
PRAGMA journal_mode = WAL;
PRAGMA application_id = {APPLICATION};
BEGIN;
CREATE TABLE event (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, data TEXT NOT NULL);
PRAGMA user_version = {VERSION};
COMMIT;
"""


class JournalDamaged(JournalError):
    """A journal holds something that was never written to it. `mend` saves what stands before that."""


class Journal:
    """One run's journal. Safe to share between threads."""

    def __init__(self, path: Path, *, lock: int | None) -> None:
        self._path = path
        self._writer = lock  # descriptor that holds the writer's lock; None for a reader
        self._lock = Lock()
        mode = "ro" if lock is None else "rwc"
        address = f"{path.absolute().as_uri()}?mode={mode}"
        try:
            with self._errors():
                self._db = sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)
        except JournalError:
            if lock is not None:
                os.close(lock)
            raise

    @classmethod
    def create(cls, path: Path, *first: Event) -> Self:
        """Begin a new journal with these events, for writing. It is there whole or not at all, whenever the process dies.

        Raises JournalError where there already is one or none can be made.
        """
        lock = _claim(path)
        if path.exists():
            os.close(lock)
            raise JournalError(f"{path} already exists: resume that run, or choose another folder")
        draft = path.with_name(path.name + ".new")
        try:
            draft.unlink(missing_ok=True)
            _write(draft, first)
            draft.replace(path)
        except OSError as error:
            os.close(lock)
            raise JournalError(f"{path} cannot be written: {error.strerror}") from error
        except JournalError:
            os.close(lock)
            raise
        return cls._writing(path, lock)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Go on writing a journal. Raises JournalError where another process writes to it, or it cannot be read."""
        _must_exist(path)
        return cls._writing(path, _claim(path))

    @classmethod
    def _writing(cls, path: Path, lock: int) -> Self:
        journal = cls(path, lock=lock)
        journal._check()
        with journal._errors():
            journal._db.execute("PRAGMA synchronous = NORMAL")
        return journal

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a journal, whoever is writing to it. Raises JournalError where it cannot be read."""
        _must_exist(path)
        journal = cls(path, lock=None)
        journal._check()
        return journal

    def append(self, event: Event, *, durable: bool = False) -> int:
        """Write one event and return its number, from 1 up. Raises JournalError where it cannot be written."""
        if self._writer is None:
            raise JournalError(f"{self._path} is not open for writing")
        row = (event.kind, json.dumps(dict(event.data), separators=(",", ":")))
        with self._lock, self._errors():
            if durable:
                self._db.execute("PRAGMA synchronous = FULL")
            number = self._db.execute("INSERT INTO event (kind, data) VALUES (?, ?)", row).lastrowid
            if durable:
                self._db.execute("PRAGMA synchronous = NORMAL")
        assert number is not None, "an INSERT has a row"
        return number

    def events(self, after: int = 0, kind: str = "") -> Iterator[tuple[int, Event]]:
        """Events with their numbers, oldest first, from behind number `after` up to the newest there is; of one `kind`, if given."""
        while rows := self._page(after, kind):
            for number, its_kind, data in rows:
                yield number, self._event(number, its_kind, data)
            after = rows[-1][0]

    def close(self) -> None:
        """Let go of the file and of the writer's lock. May be called twice."""
        self._db.close()
        if self._writer is not None:
            os.close(self._writer)
            self._writer = None

    def _page(self, after: int, wanted: str, most: int = PAGE) -> list[tuple[int, object, object]]:
        query = "SELECT id, kind, data FROM event WHERE id > ? AND ? IN (kind, '') ORDER BY id LIMIT ?"
        with self._lock, self._errors():
            return self._db.execute(query, (after, wanted, most)).fetchall()

    def _event(self, number: int, kind: object, data: object) -> Event:
        """Raises JournalDamaged where SQLite gives what we never wrote."""
        try:
            decoded = json.loads(data) if isinstance(data, str) else None
        except (ValueError, RecursionError) as error:
            raise JournalDamaged(_damaged(self._path, f"event {number}: {error}")) from error
        if not isinstance(kind, str) or not isinstance(decoded, dict):
            raise JournalDamaged(_damaged(self._path, f"event {number} is none"))
        return Event(kind, decoded)

    def _check(self) -> None:
        """Refuse a file that is no journal, or a journal of a newer version. Closes it then."""
        try:
            with self._errors():
                application, version = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version"))
            if application != APPLICATION:
                raise JournalError(f"{self._path} is not the journal of a run")
            if version > VERSION:
                raise JournalError(f"{self._path} was written by a newer swesearch (format {version}, known: {VERSION}): update swesearch")
        except JournalError:
            self.close()
            raise

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.ProgrammingError) as error:  # disk full, no permission, closed
            if "decode" in str(error):  # bytes where a text was
                raise JournalDamaged(_damaged(self._path, str(error))) from error
            raise JournalError(f"{self._path} cannot be used: {error}") from error
        except sqlite3.DatabaseError as error:
            raise JournalDamaged(_damaged(self._path, str(error))) from error


def mend(path: Path) -> int | None:
    """Where a journal is damaged, keep the events before the damage and put the damaged files beside it. Says how many were kept.

    None where it is whole. Raises JournalError where nothing can be kept, or another process writes to it.
    """
    lock = _claim(path)
    try:
        kept, damage = _intact(path)
        if damage is None:
            return None
        if not kept:
            raise JournalError(f"{path} is damaged from its beginning on, and nothing can be kept: start the run again") from damage
        _set_aside(path)
        _write(draft := path.with_name(path.name + ".new"), kept)
        draft.replace(path)
        return len(kept)
    except OSError as error:
        raise JournalError(f"{path} cannot be mended: {error}") from error
    finally:
        os.close(lock)


def _intact(path: Path) -> tuple[list[Event], JournalDamaged | None]:
    """The events before the first that cannot be read, and what is wrong with that; None where all can."""
    kept: list[Event] = []
    _must_exist(path)
    journal = Journal(path, lock=None)
    journal._db.execute("PRAGMA writable_schema = ON")  # of a file that is cut short, what is there is read all the same
    try:
        journal._check()
        while rows := journal._page(len(kept), "", 1):
            number, kind, data = rows[0]
            if number != len(kept) + 1:
                raise JournalDamaged(_damaged(path, f"event {len(kept) + 1} is missing"))
            kept.append(journal._event(number, kind, data))
    except JournalDamaged as damage:
        return kept, damage
    finally:
        journal.close()
    return kept, None


def _set_aside(path: Path) -> None:
    """Copy the damaged files, and take away the WAL: it would be laid over the new file."""
    parts = [part for suffix in ("", "-wal", "-shm") if (part := path.with_name(path.name + suffix)).exists()]
    for part in parts:
        shutil.copyfile(part, part.with_name(part.name.replace(path.name, path.name + ".damaged")))
    for part in parts[1:]:
        part.unlink()


def is_written(path: Path) -> bool:
    """Whether a process holds the journal at `path` open for writing."""
    try:
        os.close(_claim(path, 0.0))
    except JournalError:
        return True
    return False


def never_begun(path: Path) -> bool:
    """Whether whoever wanted to begin a journal at `path` died before it was there."""
    return not is_written(path) and not path.exists()


def _write(draft: Path, first: Iterable[Event]) -> None:
    """A journal that nobody knows of yet."""
    journal = Journal(draft, lock=os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    try:
        with journal._errors():
            journal._db.executescript(SCHEMA)
        for event in first:
            journal.append(event, durable=True)
    finally:
        journal.close()


def _must_exist(path: Path) -> None:
    if not path.is_file():
        raise JournalError(f"there is no journal at {path}")


def _damaged(path: Path, why: str) -> str:
    recover = f"sqlite3 {shlex.quote(str(path))} .recover"
    return f"{path} is damaged ({why}): `swesearch resume` goes on from what stands before the damage; `{recover}` may find more"


def _claim(path: Path, patience: float = PATIENCE) -> int:
    """Become the only writer, by a lock that the system drops when its process ends. Raises JournalError where another one is."""
    lock = path.with_name(path.name + ".lock")
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise JournalError(f"{lock} cannot be written: {error.strerror}") from error
    if not _locked(descriptor):
        time.sleep(patience)
        if not _locked(descriptor):
            os.close(descriptor)
            raise JournalError(f"{path} is being written by another process: wait for that run to end, or stop it")
    return descriptor


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
