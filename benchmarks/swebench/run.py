"""Evaluate many instances: what is done already is skipped, money is set aside first, and every step that ends is on disk at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from benchmarks.swebench import trajectory
from benchmarks.swebench.base import Grade, Instance, Outcome, Place
from benchmarks.swebench.outputs import Result, Results, patch_id
from benchmarks.swebench.purse import Purse
from benchmarks.swebench.table import Board
from benchmarks.swebench.workers import Engine, Life, Step, StepFailed, Tell, WorkerDied

ATTEMPTS = 3  # of a step whose worker dies
IN_A_ROW = 5  # steps that fail with none between them that does not: then it is not the instances
FINISHED, BUDGET_ENDED, FAILED, INTERRUPTED = 0, 3, 4, 130

Ready = Callable[[Instance, Tell], Place]
Search = Callable[[Instance, Place, Path, Life], Outcome | None]
Grader = Callable[[Instance, Place, str, Path], Grade]
Prune = Callable[[Instance, Place], None]


@dataclass(frozen=True, slots=True)
class SearchStep:
    """Make an instance ready and search on it."""

    ready: Ready
    search: Search

    def __call__(self, instance: Instance, home: Path, life: Life) -> Outcome | None:
        """The outcome; None where it was stopped before the end."""
        life.tell("environment")
        place = self.ready(instance, life.tell)
        life.tell("search")
        return None if life.stop.is_set() else self.search(instance, place, home, life)


@dataclass(frozen=True, slots=True)
class GradeStep:
    """Make an instance ready and grade patches for it; then remove what is needed no more."""

    ready: Ready
    grade: Grader
    patches: tuple[str, ...]
    prune: Prune | None = None

    def __call__(self, instance: Instance, home: Path, life: Life) -> tuple[Grade, ...] | None:
        """A grade for each patch; None where it was stopped before the end."""
        life.tell("environment")
        place = self.ready(instance, life.tell)
        found: list[Grade] = []
        for number, patch in enumerate(self.patches, 1):
            if life.stop.is_set():
                return None
            life.tell(f"grading {number} of {len(self.patches)}")
            found.append(self.grade(instance, place, patch, home))
        if self.prune and all(grade.status != "error" for grade in found):
            self.prune(instance, place)
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done with each instance."""

    ready: Ready
    search: Callable[[Instance], Search]
    grade: Grader | None  # None: predictions only
    oracle: int = 1  # how many finalists to grade
    prune: Callable[[Instance], Prune] | None = None

    def search_step(self, instance: Instance) -> SearchStep:
        """The first step of an instance."""
        return SearchStep(self.ready, self.search(instance))

    def grade_step(self, instance: Instance, patches: tuple[str, ...]) -> GradeStep:
        """The second."""
        assert self.grade, "nothing is graded without it"
        return GradeStep(self.ready, self.grade, patches, self.prune(instance) if self.prune else None)

    def patches(self, outcome: Outcome) -> tuple[str, ...]:
        """What there is to be graded: what was handed over, then the finalists."""
        if self.grade is None:
            return ()
        finalists = [each.patch for each in outcome.finalists[: self.oracle]] if self.oracle > 1 else []
        return tuple(dict.fromkeys([outcome.patch, *finalists]))


class Evaluation:
    """One call of the command: the instances that are not done yet, by all workers of an engine."""

    def __init__(self, results: Results, engine: Engine, plan: Plan, purse: Purse, board: Board, stop: threading.Event) -> None:
        self._results, self._engine, self._plan, self._purse, self._board = results, engine, plan, purse, board
        self._stop = stop  # set from outside: Ctrl-C
        self._trouble = 0  # steps in a row that failed
        self._lock = threading.Lock()

    def run(self, instances: Sequence[Instance]) -> int:
        """Work until all is done or nothing more can be. Returns the exit code. Raises what ends everything, as a full disk."""
        waiting = [instance for instance in instances if not self._known(instance)]
        queue, shared = iter(waiting), threading.Lock()

        def next_one() -> Instance | None:
            with shared:
                return None if self._over() else next(queue, None)

        with ThreadPoolExecutor(max_workers=max(1, min(self._engine.slots, len(waiting)))) as pool:
            self._wait([pool.submit(self._work, next_one) for _ in range(self._engine.slots)] if waiting else [])
        return self._code(instances)

    def _known(self, instance: Instance) -> bool:
        result = self._results[instance.id]
        if self._missing(result) or result.error:
            return False
        self._board.finished(result, before=True)
        return True

    def _missing(self, result: Result) -> bool:
        return result.outcome is None or bool(self._ungraded(result))

    def _ungraded(self, result: Result) -> tuple[str, ...]:
        """Patches without a verdict. A finalist that could not be judged once is left at that; what was handed over is not."""
        if result.outcome is None:
            return ()
        tried = (result.grades or {}).keys() - {patch_id(result.outcome.patch)}
        return tuple(patch for patch in self._plan.patches(result.outcome) if not result.grade_of(patch) and patch_id(patch) not in tried)

    def _wait(self, futures: Iterable[Future[None]]) -> None:
        """Until all have ended. Signals are handled between two looks; the first error stops the others."""
        left, told = set(futures), False
        while left:
            done, left = wait(left, timeout=0.2, return_when=FIRST_EXCEPTION)
            if any(future.exception() for future in done):
                self._stop.set()
            if self._stop.is_set() and not told:
                told = True
                self._engine.interrupt()
            for future in done:
                if left and future.exception():
                    wait(left, timeout=60)
                future.result()

    def _work(self, next_one: Callable[[], Instance | None]) -> None:
        while (instance := next_one()) is not None:
            result = self._results[instance.id]
            if result.outcome is None:
                result = self._searched(instance)
            if patches := self._ungraded(result):
                result = self._step(instance, self._plan.grade_step(instance, patches), self._keep_grades)
            if result.error or not self._missing(result):
                self._board.finished(result)
            else:
                self._board.left(instance.id)

    def _searched(self, instance: Instance) -> Result:
        """Search, if there is money for it."""
        with self._purse.pays(self._results.home(instance.id), self._stop) as begin:
            if not begin:
                return self._results[instance.id]
            return self._step(instance, self._plan.search_step(instance), self._keep_outcome)

    def _step(self, instance: Instance, step: Step, keep: Callable[[str, object], Result]) -> Result:
        try:
            found = self._tried(instance, step)
        except StepFailed as error:
            self._count(failed=True)
            return self._results.update(instance.id, error=str(error))
        if found is None:
            return self._results[instance.id]
        result = keep(instance.id, found)
        self._count(failed=bool(result.error))
        return result

    def _tried(self, instance: Instance, step: Step) -> object:
        died = 0
        while not self._stop.is_set():
            try:
                return self._engine.call(step, instance, lambda words: self._board.doing(instance.id, words))
            except WorkerDied as error:
                self._board.says(f"{instance.id}: {error}", "yellow")
                died += 1
                if died == ATTEMPTS:
                    raise StepFailed(f"WorkerDied: {error}") from error
        return None

    def _keep_outcome(self, instance: str, found: object) -> Result:
        assert isinstance(found, Outcome)
        if found.error:
            return self._results.update(instance, error=f"{found.exit_status}: {found.error}")
        trajectory.write(self._results.home(instance), found)
        return self._results.update(instance, outcome=found, error="")

    def _keep_grades(self, instance: str, found: object) -> Result:
        assert isinstance(found, tuple)
        result = self._results[instance]
        assert result.outcome is not None
        patches = self._ungraded(result)
        grades = {**(result.grades or {}), **{patch_id(patch): grade for patch, grade in zip(patches, found, strict=True)}}
        verdict = grades[patch_id(result.outcome.patch)]
        failed = f"grading: {verdict.why or 'no reason given'}" if verdict.status == "error" else ""
        return self._results.update(instance, grades=grades, error=failed)

    def _count(self, *, failed: bool) -> None:
        with self._lock:
            self._trouble = self._trouble + 1 if failed else 0
            if self._trouble == IN_A_ROW:
                self._board.says(f"{IN_A_ROW} steps in a row failed: nothing more is begun", "red")

    def _over(self) -> bool:
        return self._stop.is_set() or self._purse.empty or self._trouble >= IN_A_ROW

    def _code(self, instances: Sequence[Instance]) -> int:
        if self._stop.is_set():
            return INTERRUPTED
        left = [
            result for result in map(self._results.__getitem__, (each.id for each in instances)) if self._missing(result) or result.error
        ]
        if not left:
            return FINISHED
        return BUDGET_ENDED if self._purse.empty and not any(result.error for result in left) else FAILED
