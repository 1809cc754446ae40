from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.swebench.base import BenchError, Instance
from benchmarks.swebench.outputs import Results, patch_id
from benchmarks.swebench.preds import read
from benchmarks.swebench.purse import Purse, paid
from benchmarks.swebench.run import Evaluation, Plan
from benchmarks.swebench.table import Board
from benchmarks.swebench.workers import Life, Processes, StepFailed, WorkerDied
from swesearch.base import Event, Task
from swesearch.report.terminal import console
from swesearch.runs import begin
from swesearch.settings import Settings
from tests.benchmarks.swebench.steps import RIGHT, WRONG, Grader, Search, instance, ready


def evaluate(
    folder: Path,
    names: list[str],
    search: Search,
    *,
    slots: int = 2,
    purse: Purse | None = None,
    stop: threading.Event | None = None,
    oracle: int = 1,
    grader: Grader | None = None,
) -> tuple[int, str]:
    """The exit code and what was told."""
    told = io.StringIO()
    engine = Processes(folder, slots)
    with Results.open(folder, {"model_name_or_path": "m"}, ()) as results:
        plan = Plan(ready, lambda _: search, grader or Grader(search.notes), oracle)
        board = Board(console(told), len(names))
        evaluation = Evaluation(results, engine, plan, purse or Purse(0.0, None), board, stop or threading.Event())
        try:
            return evaluation.run([instance(name) for name in names]), told.getvalue()
        finally:
            engine.close()


def notes(path: Path) -> Counter[str]:
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()


def test_every_instance_is_searched_and_graded_once(tmp_path: Path) -> None:
    search = Search(tmp_path / "notes")
    code, told = evaluate(tmp_path / "out", ["right-1", "wrong-1", "empty-1"], search)
    assert code == 0
    results = Results.read(tmp_path / "out")
    assert {result.instance: result.grade.status for result in results if result.grade} == {
        "right-1": "resolved", "wrong-1": "unresolved", "empty-1": "empty",
    }  # fmt: skip
    assert set(notes(tmp_path / "notes").values()) == {1}
    assert "resolved   right-1" in told
    assert "3/3: 1 empty, 1 resolved, 1 unresolved" in told


def test_a_second_call_does_nothing_again(tmp_path: Path) -> None:
    search = Search(tmp_path / "notes")
    evaluate(tmp_path / "out", ["right-1"], search)
    code, told = evaluate(tmp_path / "out", ["right-1", "right-2"], search)
    assert code == 0
    assert notes(tmp_path / "notes")["search right-1"] == 1
    assert "right-1" not in told
    assert "2/2: 2 resolved" in told


def test_finalists_are_graded_too_where_that_is_asked_for(tmp_path: Path) -> None:
    search = Search(tmp_path / "notes")
    evaluate(tmp_path / "out", ["wrong-1"], search, oracle=3)
    (result,) = Results.read(tmp_path / "out")
    assert sorted(grade.status for grade in (result.grades or {}).values()) == ["resolved", "unresolved"]
    assert result.grade is not None
    assert result.grade.status == "unresolved"


@pytest.mark.parametrize(("undecided", "code", "gradings"), [(RIGHT, 0, 1), (WRONG, 4, 2)])
def test_a_patch_that_cannot_be_judged_is_an_error_only_where_it_was_handed_over(
    tmp_path: Path, undecided: str, code: int, gradings: int
) -> None:
    search, grader = Search(tmp_path / "notes"), Grader(tmp_path / "notes", undecided)
    for _ in range(2):
        assert evaluate(tmp_path / "out", ["wrong-1"], search, oracle=3, grader=grader)[0] == code
    assert notes(tmp_path / "notes")[f"grade wrong-1 {patch_id(undecided)}"] == gradings


def test_a_dead_engine_is_an_error_that_the_next_call_tries_again(tmp_path: Path) -> None:
    dead = tmp_path / "dead"
    dead.touch()
    search = Search(tmp_path / "notes", unavailable=f"right-1={dead}")
    code, told = evaluate(tmp_path / "out", ["right-1", "right-2"], search)
    assert code == 4
    assert "error      right-1" in told
    assert "SandboxUnavailable: no Docker engine answers" in told
    assert list(read(tmp_path / "out" / "preds.json")) == ["right-2"]
    dead.unlink()
    assert evaluate(tmp_path / "out", ["right-1", "right-2"], search)[0] == 0
    assert list(read(tmp_path / "out" / "preds.json")) == ["right-1", "right-2"]


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    search = Search(tmp_path / "notes", dies="right-1")
    code, told = evaluate(tmp_path / "out", ["right-1"], search)
    assert code == 0
    assert "right-1: the worker was killed (SIGKILL)" in told
    assert notes(tmp_path / "notes")["search right-1"] == 2


def test_a_stop_leaves_what_is_under_way_for_the_next_call(tmp_path: Path) -> None:
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    code, _ = evaluate(tmp_path / "out", ["right-1", "right-2"], Search(tmp_path / "notes", seconds=30), slots=1, stop=stop)
    assert code == 130
    assert [*Results.read(tmp_path / "out")] == []


def test_many_failures_in_a_row_end_the_evaluation(tmp_path: Path) -> None:
    engine = Dead()
    with Results.open(tmp_path, {"model_name_or_path": "m"}, ()) as results:
        told = io.StringIO()
        plan = Plan(ready, lambda _: Search(tmp_path / "notes"), None)
        evaluation = Evaluation(results, engine, plan, Purse(0.0, None), Board(console(told), 9), threading.Event())
        assert evaluation.run([instance(f"right-{n}") for n in range(9)]) == 4
    assert engine.calls == 5
    assert "5 steps in a row failed" in told.getvalue()


class Dead:
    """An engine that is gone."""

    slots = 1
    calls = 0

    def call(self, *_: object) -> object:
        self.calls += 1
        raise StepFailed("SandboxUnavailable: gone")

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_a_full_disk_ends_everything_and_loses_nothing(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "right-1").write_text("a file where a folder is to be made")
    with pytest.raises(BenchError, match="cannot be written"):
        evaluate(tmp_path / "out", ["right-1"], Search(tmp_path / "notes"))


def raises(_instance: Instance, _home: Path, _life: Life) -> object:
    raise ZeroDivisionError("a bug of ours")


def says(_instance: Instance, _home: Path, life: Life) -> object:
    print("to the log")
    life.tell("begun")
    life.stop.wait(20)
    return "stopped" if life.stop.is_set() else "not stopped"


def shows_process(_instance: Instance, home: Path, _life: Life) -> object:
    (home / "pid").write_text(str(os.getpid()))
    time.sleep(60)
    return None


def test_a_bug_in_a_step_is_told_with_its_last_words_and_its_log(tmp_path: Path) -> None:
    with pytest.raises(WorkerDied, match=r"ZeroDivisionError: a bug of ours; its log is .*worker\.log"):
        Processes(tmp_path, 1).call(raises, instance("i"), print)
    assert "Traceback" in (tmp_path / "i" / "worker.log").read_text()


def test_a_step_tells_and_can_be_stopped(tmp_path: Path) -> None:
    engine = Processes(tmp_path, 1)
    assert engine.call(says, instance("i"), lambda _: engine.interrupt()) == "stopped"
    assert (tmp_path / "i" / "worker.log").read_text() == "to the log\n"


def test_a_closed_engine_leaves_no_worker(tmp_path: Path) -> None:
    engine = Processes(tmp_path, 1)

    def call() -> None:
        with pytest.raises(WorkerDied):
            engine.call(shows_process, instance("i"), print)

    caller = threading.Thread(target=call)
    caller.start()
    pid = int(wait_for(lambda: (tmp_path / "i" / "pid").exists() and (tmp_path / "i" / "pid").read_text()))
    engine.close()
    caller.join(10)
    assert not Path(f"/proc/{pid}").exists()


def wait_for(found: Callable[[], str | bool]) -> str:
    until = time.monotonic() + 20
    while not (value := found()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return str(value)


def journal(home: Path, *dollars: float) -> None:
    run = begin(Task(Path("repo"), ()), Settings(), home)
    kept = run.journal()
    for number, each in enumerate(dollars):
        kept.append(Event("memory", {"key": f"reply:{number}", "value": {"dollars": each, "usage": {}}}))
    kept.append(Event("memory", {"key": "other", "value": {"dollars": 99}}))
    kept.close()


def test_what_was_paid_is_read_from_the_journals(tmp_path: Path) -> None:
    assert paid(tmp_path) == 0
    journal(tmp_path, 0.25, 0.5)
    journal(tmp_path, 1.0)
    assert paid(tmp_path) == 1.75


def test_a_search_begins_only_when_the_purse_holds_the_most_it_can_cost(tmp_path: Path) -> None:
    purse, stop = Purse(each=1.0, cap=1.5), threading.Event()
    order: list[str] = []

    def second() -> None:
        with purse.pays(tmp_path / "b", stop) as begin:
            order.append(f"second {begin}")

    with purse.pays(tmp_path / "a", stop) as begin:
        assert begin
        other = threading.Thread(target=second)
        other.start()
        time.sleep(0.1)
        journal(tmp_path / "a", 0.25)
        order.append("first ends")
    other.join(5)
    assert order == ["first ends", "second True"]


def test_a_purse_that_is_empty_begins_nothing(tmp_path: Path) -> None:
    purse, stop = Purse(each=1.0, cap=2.0, spent=1.2), threading.Event()
    with purse.pays(tmp_path, stop) as begin:
        assert not begin
    assert purse.empty


def test_a_search_that_goes_on_needs_only_what_it_may_still_spend(tmp_path: Path) -> None:
    journal(tmp_path, 0.75)
    with Purse(each=1.0, cap=1.0, spent=0.75).pays(tmp_path, threading.Event()) as begin:
        assert begin


def test_the_cap_ends_an_evaluation_with_its_own_exit_code(tmp_path: Path) -> None:
    search = Search(tmp_path / "notes")
    code, _ = evaluate(tmp_path / "out", ["right-1"], search, purse=Purse(1.0, 2.0, spent=1.5))
    assert code == 3
    assert not (tmp_path / "notes").exists()
    assert evaluate(tmp_path / "out", ["right-1"], search, purse=Purse(1.0, 5.0, spent=1.5))[0] == 0


DRIVER = """
import sys, threading
from pathlib import Path
from benchmarks.swebench.outputs import Results
from benchmarks.swebench.purse import Purse
from benchmarks.swebench.run import Evaluation, Plan
from benchmarks.swebench.table import Board
from benchmarks.swebench.workers import Processes
from swesearch.cli.running import interruptible
from swesearch.report.terminal import console
from tests.benchmarks.swebench.steps import Grader, Search, instance, ready

folder = Path(sys.argv[1])
if __name__ == "__main__":
    with Results.open(folder / "out", {"model_name_or_path": "m"}, ()) as results, interruptible() as stop:
        plan = Plan(ready, lambda _: Search(folder / "notes", seconds=30), Grader(folder / "notes"))
        board = Board(console(sys.stderr), 1)
        sys.exit(Evaluation(results, Processes(folder / "out", 1), plan, Purse(0.0, None), board, stop).run([instance("right-1")]))
"""


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A driver that is at work, in a process group of its own as in a terminal; and its worker."""
    (tmp_path / "driver.py").write_text(DRIVER)
    words = [sys.executable, str(tmp_path / "driver.py"), str(tmp_path)]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    process = subprocess.Popen(words, env=environ, stderr=subprocess.DEVNULL, start_new_session=True)
    wait_for((tmp_path / "notes").exists)
    children = Path(f"/proc/{process.pid}/task")
    workers = [int(pid) for task in children.iterdir() for pid in (task / "children").read_text().split()]
    (worker,) = [pid for pid in workers if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    yield process, worker
    process.kill()
    process.wait()


def test_ctrl_c_stops_in_order_and_leaves_all_to_the_next_call(driver: tuple[subprocess.Popen[bytes], int], tmp_path: Path) -> None:
    process, _ = driver
    os.killpg(process.pid, signal.SIGINT)  # a terminal tells the whole group
    assert process.wait(20) == 130
    assert [*Results.read(tmp_path / "out")] == []


def test_a_worker_ends_with_its_driver_however_that_ends(driver: tuple[subprocess.Popen[bytes], int]) -> None:
    process, worker = driver
    process.kill()
    wait_for(lambda: not Path(f"/proc/{worker}").exists())
