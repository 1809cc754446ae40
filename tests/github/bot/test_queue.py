"""The queue: once, one at a time, newest only, and nothing lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from swesearch.base import UsageError
from swesearch.github.bot.queue import DAY, PAUSE, TRIES, Job, Queue

ONE, TWO = Job("o/r", 1, "a" * 40, "main"), Job("o/r", 2, "b" * 40, "main")


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(tmp_path: Path, clock: Clock) -> Iterator[Queue]:
    made = Queue(tmp_path / "queue.sqlite", clock)
    yield made
    made.close()


def taken(queue: Queue) -> Job:
    job = queue.take()
    assert job
    return job


def test_a_delivery_is_taken_once_also_when_it_comes_twice_at_the_same_time(queue: Queue) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: queue.accept("d1", ONE), range(16)))
    assert answers.count(True) == 1
    assert queue.counts() == {"waiting": 1}


def test_a_newer_head_outdates_what_waits_and_what_is_under_way(queue: Queue) -> None:
    queue.accept("d1", ONE)
    running = taken(queue)
    queue.accept("d2", Job("o/r", 1, "c" * 40, "main"))
    assert not queue.wanted(running)
    assert queue.take() is None, "one at a time: the old one has not ended yet"
    queue.release(running)
    assert taken(queue).head == "c" * 40
    assert queue.counts() == {"outdated": 1, "running": 1}


def test_pull_requests_do_not_wait_for_each_other(queue: Queue) -> None:
    queue.accept("d1", ONE)
    queue.accept("d2", TWO)
    assert {taken(queue).number, taken(queue).number} == {1, 2}


def test_choosing_a_fix_does_not_end_a_review(queue: Queue) -> None:
    queue.accept("d1", ONE)
    running = taken(queue)
    queue.accept("d2", Job("o/r", 1, kind="pick", pick=1))
    assert queue.wanted(running)


def test_each_continue_adds_another_helping(queue: Queue) -> None:
    for number in (1, 2):
        queue.accept(f"d{number}", Job("o/r", 1, more=1, dollars=1.5))
        job = taken(queue)
        assert (job.more, job.dollars) == (number, 1.5 * number)
        queue.finish(job, "a comment")


def test_a_job_that_brings_the_server_down_again_and_again_is_given_up(tmp_path: Path, clock: Clock) -> None:
    for number in range(2 * TRIES + 1):
        queue = Queue(tmp_path / "q.sqlite", clock)
        queue.accept("d1", ONE)
        job = queue.take()
        assert (job is None) is (number == 2 * TRIES)
        queue.close()  # as it were, killed: the job is still running


def test_what_was_under_way_waits_again_after_a_restart(tmp_path: Path, clock: Clock) -> None:
    first = Queue(tmp_path / "q.sqlite", clock)
    first.accept("d1", ONE)
    taken(first)
    second = Queue(tmp_path / "q.sqlite", clock)  # the first was killed: nobody closed it
    assert taken(second).head == ONE.head
    assert not second.accept("d1", ONE)
    first.close()
    second.close()


def test_what_fails_is_tried_again_later_and_not_for_ever(queue: Queue, clock: Clock) -> None:
    queue.accept("d1", ONE)
    for tries in range(1, TRIES):
        job = taken(queue)
        assert job.tries == tries
        assert queue.again(job, "no engine")
        assert queue.take() is None
        clock.now += PAUSE * 2**tries
    assert not queue.again(taken(queue), "no engine")


def test_what_a_pull_request_cost_in_a_day_is_known_and_forgotten_the_day_after(queue: Queue, clock: Clock) -> None:
    queue.accept("d1", ONE)
    job = taken(queue)
    queue.finish(job, "a comment", b"{}", 1.25)
    queue.accept("d2", ONE)
    assert queue.spent(taken(queue)) == (1, 1.25)
    assert queue.last_report("o/r", 1) == b"{}"
    clock.now += DAY + 1
    assert queue.spent(job) == (0, 0.0)


def test_a_file_that_is_no_queue_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "q").write_bytes(b"something else, and long enough to be looked at as a database file of SQLite" * 20)
    with pytest.raises(UsageError, match="cannot be used as a queue"):
        Queue(tmp_path / "q")
