"""What is to be done, kept in a file: deliveries are taken once, each pull request has one job at a time, and a restart loses nothing."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from swesearch.base import UsageError

DAY = 86_400.0
TRIES = 3  # of a job whose sandbox or GitHub could not be had
PAUSE = 60.0  # seconds before the second try, twice as many before the third
SCHEMA = """
CREATE TABLE IF NOT EXISTS delivery (id TEXT PRIMARY KEY, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS job (
    id INTEGER PRIMARY KEY, repo TEXT NOT NULL, number INTEGER NOT NULL, head TEXT NOT NULL, base TEXT NOT NULL,
    kind TEXT NOT NULL, forced INTEGER NOT NULL, more INTEGER NOT NULL, dollars REAL NOT NULL, pick INTEGER NOT NULL,
    state TEXT NOT NULL, tries INTEGER NOT NULL, due REAL NOT NULL, began REAL, cost REAL NOT NULL DEFAULT 0, said TEXT, report BLOB
);
CREATE INDEX IF NOT EXISTS job_of ON job (repo, number, id);
"""
FIELDS = "id, repo, number, head, base, kind, forced, more, dollars, pick, tries"


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do for a pull request."""

    repo: str  # owner/name
    number: int
    head: str = ""  # "": whatever it is by then
    base: str = ""  # the branch it wants to go to
    kind: str = "review"  # or "pick", "stop", "close"
    forced: bool = False  # somebody asked for it
    more: int = 0  # helpings of budget on top of the first
    dollars: float = 0.0  # on top
    pick: int = 0  # which fix comes first
    tries: int = 0
    id: int = 0


class Queue:
    """The jobs of a server. Safe to share between threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        """Open or make the file; what was under way when the server ended waits again. Raises UsageError."""
        self._clock, self._lock = clock, threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")  # what was acknowledged survives a power cut
            self._db.executescript(SCHEMA)
            self._db.execute("UPDATE job SET state = 'failed' WHERE state = 'running' AND tries >= ?", (2 * TRIES,))  # it may be its fault
            self._db.execute("UPDATE job SET state = 'waiting' WHERE state = 'running'")
            self._db.execute("UPDATE job SET state = 'outdated' WHERE state = 'leaving'")
        except (OSError, sqlite3.Error) as error:
            raise UsageError(f"{path} cannot be used as a queue: {error}") from error

    def accept(self, delivery: str, job: Job | None) -> bool:
        """Take a delivery, once: False where it was taken before. Older jobs of the same pull request are outdated by a newer one."""
        with self._all_or_nothing() as db:
            if not db.execute("INSERT OR IGNORE INTO delivery VALUES (?, ?)", (delivery, self._clock())).rowcount:
                return False
            db.execute("DELETE FROM delivery WHERE at < ?", (self._clock() - 30 * DAY,))
            if job:
                self._outdate(job)
                job = self._with_helpings(job) if job.more else job
                row = (job.repo, job.number, job.head, job.base, job.kind, job.forced, job.more, job.dollars, job.pick, self._clock())
                names = "repo, number, head, base, kind, forced, more, dollars, pick, due"
                db.execute(f"INSERT INTO job ({names}, state, tries) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', 0)", row)
        return True

    def _outdate(self, job: Job) -> None:
        """Older jobs of a pull request are in vain: all of them by a review or a stop, those of its kind by another choice of fix."""
        where = "repo = ? AND number = ?" + (" AND kind = 'pick'" if job.kind == "pick" else "")
        for old, new in (("waiting", "outdated"), ("running", "leaving")):
            self._db.execute(f"UPDATE job SET state = '{new}' WHERE {where} AND state = '{old}'", (job.repo, job.number))

    def _with_helpings(self, job: Job) -> Job:
        """A job that is to go on, with all that was added for this pull request before."""
        words = "SELECT coalesce(max(more), 0), coalesce(max(dollars), 0) FROM job WHERE repo = ? AND number = ?"
        more, dollars = self._db.execute(words, (job.repo, job.number)).fetchone()
        return replace(job, more=job.more + more, dollars=job.dollars + dollars)

    def take(self) -> Job | None:
        """The next job that is due, of a pull request that has none under way; None where there is none."""
        busy = (
            "SELECT 1 FROM job AS other WHERE other.repo = job.repo AND other.number = job.number AND other.state IN ('running', 'leaving')"
        )
        with self._all_or_nothing() as db:
            row = db.execute(
                f"SELECT {FIELDS} FROM job WHERE state = 'waiting' AND due <= ? AND NOT EXISTS ({busy}) ORDER BY due, id", (self._clock(),)
            ).fetchone()
            if row:
                db.execute("UPDATE job SET state = 'running', began = ?, tries = tries + 1 WHERE id = ?", (self._clock(), row[0]))
        return row and _job(row)

    def wanted(self, job: Job) -> bool:
        """Whether a job under way is still to be finished: nothing newer came for its pull request."""
        return self._one("SELECT state FROM job WHERE id = ?", job.id) == "running"

    def finish(self, job: Job, said: str, report: bytes = b"", cost: float = 0.0) -> None:
        """A job is done, or there is no use in trying again. What it cost is counted also where it was outdated meanwhile."""
        with self._all_or_nothing() as db:
            db.execute("UPDATE job SET said = ?, report = ?, cost = cost + ? WHERE id = ?", (said, report, cost, job.id))
            self._leave(job, "done", 0.0)

    def again(self, job: Job, why: str) -> bool:
        """Try a job again later; False where it was tried often enough."""
        if job.tries >= TRIES:
            return False
        with self._all_or_nothing() as db:
            db.execute("UPDATE job SET said = ? WHERE id = ?", (why, job.id))
            self._leave(job, "waiting", PAUSE * 2 ** (job.tries - 1))
        return True

    def release(self, job: Job, cost: float = 0.0) -> None:
        """Put a job back as if it had not been begun, or away where it is outdated; but count what it may have cost."""
        with self._all_or_nothing() as db:
            db.execute("UPDATE job SET tries = tries - 1, cost = cost + ? WHERE id = ?", (cost, job.id))
            self._leave(job, "waiting", 0.0)

    def _leave(self, job: Job, state: str, pause: float) -> None:
        """A job is under way no more."""
        words = "UPDATE job SET state = CASE state WHEN 'leaving' THEN 'outdated' ELSE ? END, due = ? WHERE id = ?"
        self._db.execute(words, (state, self._clock() + pause, job.id))

    def spent(self, job: Job) -> tuple[int, float]:
        """Reviews of this pull request that were begun in the last day, this one not counted, and the dollars they took."""
        where = "repo = ? AND number = ? AND kind = 'review' AND began > ? AND id != ?"
        with self._lock:
            row = self._db.execute(
                f"SELECT count(*), coalesce(sum(cost), 0) FROM job WHERE {where}", (job.repo, job.number, self._clock() - DAY, job.id)
            ).fetchone()
        return int(row[0]), float(row[1])

    def last_report(self, repo: str, number: int) -> bytes:
        """The newest report of a pull request, empty where there is none."""
        words = "SELECT report FROM job WHERE repo = ? AND number = ? AND length(report) > 0 ORDER BY id DESC LIMIT 1"
        found = self._one(words, repo, number)
        return found if isinstance(found, bytes) else b""

    def counts(self) -> dict[str, int]:
        """How many jobs are in which state."""
        with self._lock:
            return dict(self._db.execute("SELECT state, count(*) FROM job GROUP BY state"))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def _one(self, words: str, *values: object) -> object:
        with self._lock:
            row = self._db.execute(words, values).fetchone()
        return row[0] if row else None

    @contextmanager
    def _all_or_nothing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._db:  # commits, or takes all back
            self._db.execute("BEGIN IMMEDIATE")
            yield self._db


def _job(row: tuple[int, str, int, str, str, str, int, int, float, int, int]) -> Job:
    number, repo, pull, head, base, kind, forced, more, dollars, pick, tries = row
    return Job(repo, pull, head, base, kind, bool(forced), more, dollars, pick, tries + 1, number)
