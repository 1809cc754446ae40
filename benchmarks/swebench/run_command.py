"""What the commands `bench swebench` and `bench grade` do: read the request, evaluate, write the report, say how to go on."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from benchmarks.swebench import report
from benchmarks.swebench.base import BenchError, Instance, Mode, Outcome, Prediction
from benchmarks.swebench.data import choose, load
from benchmarks.swebench.outputs import Results
from benchmarks.swebench.preds import read
from benchmarks.swebench.purse import Purse, paid
from benchmarks.swebench.recorded import load_patches
from benchmarks.swebench.run import BUDGET_ENDED, FAILED, INTERRUPTED, Evaluation, Plan, Prune
from benchmarks.swebench.run_parts import Grading, Places, Pruning, Searching, slim
from benchmarks.swebench.table import Board
from benchmarks.swebench.workers import Engine, Processes
from sandbox.docker import connect, sweep
from swesearch import __version__, solve
from swesearch.cli.running import interruptible
from swesearch.report.terminal import console
from swesearch.settings import Settings

SAME = ("mode", "source", "seed", "model_name_or_path")  # what results in one folder have in common
RESERVED = {"grades"}  # names in a results folder that no instance may have


@dataclass(frozen=True, slots=True)
class Which:
    """Which instances."""

    source: str
    split: str = "test"
    ids: tuple[str, ...] = ()
    slice: str = ""
    filter: str = ""
    exclude: str = ""
    shuffle: bool = False
    seed: int = 0

    def instances(self) -> list[Instance]:
        """The rows. Raises BenchError."""
        shuffle = self.seed if self.shuffle else None
        found = choose(load(self.source, self.split), self.slice, self.filter, shuffle, self.exclude, self.ids)
        if not found:
            raise BenchError(f"no instance of {self.source} is left by --slice, --filter and --exclude")
        if wrong := next((one.id for one in found if one.id in RESERVED), None):
            raise BenchError(f"{self.source}: no instance can be called {wrong}")
        return found


@dataclass(frozen=True, slots=True)
class Where:
    """Where it runs and what is kept."""

    output: Path | None = None
    workers: int | None = None
    on: str = "local"
    repos: Path | None = None
    python_root: Path | None = None
    pull: bool = True
    prune: bool = False
    redo: bool = False

    def places(self) -> Places:
        """What makes instances ready. Raises BenchError for folders that are not there."""
        for option, folder in (("--repos", self.repos), ("--python-root", self.python_root)):
            if folder and self.on == "local" and not folder.is_dir():
                raise BenchError(f"{option} {folder}: there is no such folder")
        return Places(_absolute(self.repos), _absolute(self.python_root), self.pull)


def evaluate(which: Which, where: Where, mode: str, settings: Settings, patches: Path | None, cap: float | None, oracle: int | None) -> int:
    """Search on instances and grade what comes of it (not where `oracle` is None). Returns the exit code. Raises BenchError."""
    chosen = _mode(mode, settings, patches)
    instances = which.instances()
    recorded = load_patches(patches) if patches else {}
    named = solve.models(settings)
    each = settings.budget.dollars if named else 0.0
    if cap is not None and named and not each:
        raise BenchError("--cap needs a limit of dollars for each search: --budget '$1'")
    label = f"swesearch-{__version__}-{chosen}-{_plain(settings.model.name or ('models' if named else 'templates'))}"
    config = _config(which, where, instances, label, mode=chosen, settings=settings.to_dict(), oracle=oracle)
    places = where.places()
    folder = where.output or Path("swebench-results") / _plain(f"{Path(which.source).stem}-{chosen}-{which.seed}")
    with Results.open(folder, config, SAME) as results:
        if where.redo:
            _forget(results, instances)
        purse = Purse(each, cap, sum(map(paid, results.homes())))
        plan = Plan(
            places,
            lambda instance: Searching(chosen, settings, tuple(recorded.get(instance.id, ()))),
            Grading() if oracle is not None else None,
            oracle or 1,
            _pruning(places, instances, results) if where.prune else None,
        )
        return _run(results, where, plan, purse, instances)


def grade(predictions: Path, which: Which, where: Where) -> int:
    """Grade anybody's predictions. Returns the exit code. Raises BenchError."""
    given = read(predictions)
    if not given:
        raise BenchError(f"{predictions} holds no predictions")
    instances = [one for one in _asked(which, given) if one.id in given]
    if not instances:
        raise BenchError(f"{predictions} predicts none of the instances that were chosen")
    models = {each.model for each in given.values()}
    label = models.pop() if len(models) == 1 else "several"
    config = _config(which, where, instances, label, mode="grade", predictions=str(predictions))
    places = where.places()
    folder = where.output or Path("swebench-results") / _plain(f"grade-{predictions.stem}-{label}")
    with Results.open(folder, config, ("mode", "source")) as results:
        if where.redo:
            _forget(results, instances)
        _hand_in(results, [given[one.id] for one in instances])
        plan = Plan(places, _nothing, Grading(), 1, _pruning(places, instances, results) if where.prune else None)
        return _run(results, where, plan, Purse(0.0, None), instances)


def _run(results: Results, where: Where, plan: Plan, purse: Purse, instances: Sequence[Instance]) -> int:
    board = Board(console(sys.stderr), len(instances))
    with _engine(where, results.folder) as engine, interruptible() as stop, board.watch():
        code = Evaluation(results, engine, plan, purse, board, stop).run(instances)
    print("\n".join(report.rows(results.folder, report.write(results.folder))))
    print(_go_on(code), end="")
    return code


@contextmanager
def _engine(where: Where, folder: Path) -> Iterator[Engine]:
    """The engine that was asked for; its containers are swept at the end. Raises BenchError, SandboxUnavailable."""
    if where.on == "local":
        _sweep()  # tells at once where there is no Docker engine
        engine: Engine = Processes(folder, where.workers or 1)
    elif where.on == "ray" or where.on.startswith("ray://"):
        from benchmarks.swebench.ray_engine import RayEngine  # slow to import

        engine = RayEngine(where.on, folder, where.workers)
    else:
        raise BenchError(f"--on {where.on}: is none of local, ray, ray://HOST:PORT")
    try:
        yield engine
    finally:
        engine.close()
        if where.on == "local":
            _sweep()


def _sweep() -> None:
    with closing(connect()) as client:
        sweep(client)


def _mode(mode: str, settings: Settings, patches: Path | None) -> Mode:
    known: dict[str, Mode] = {name: name for name in get_args(Mode)}
    if mode not in known:
        raise BenchError(f"--mode {mode}: is none of {', '.join(known)}")
    if mode == "issue" and not solve.models(settings):
        raise BenchError("--mode issue needs a model: name one with --model, or choose --mode check or --mode recorded")
    if (mode == "recorded") != (patches is not None):
        raise BenchError("--mode recorded and --patches FILE go together")
    return known[mode]


def _config(which: Which, where: Where, instances: Sequence[Instance], label: str, **more: Any) -> dict[str, Any]:
    source = str(Path(which.source).resolve()) if Path(which.source).exists() else which.source
    return {
        "model_name_or_path": label,
        "source": source,
        "split": which.split,
        "seed": which.seed,
        "instances": [one.id for one in instances],
        "version": __version__,
        "began": time.strftime("%Y-%m-%d %H:%M:%S %Z"),
        "on": where.on,
        "workers": where.workers,
        **more,
    }


def _asked(which: Which, given: Mapping[str, Prediction]) -> list[Instance]:
    """The instances that were chosen; where none were named, those that are predicted, all of which must exist."""
    if which.ids or which.slice or which.filter or which.exclude:
        return which.instances()
    return Which(which.source, which.split, tuple(given)).instances()


def _hand_in(results: Results, predictions: Sequence[Prediction]) -> None:
    """Predictions as outcomes. Where one is another than before, the old verdict goes."""
    for each in predictions:
        known = results[each.instance].outcome
        if known is None or known.patch != each.patch:
            results.update(each.instance, outcome=Outcome(each.instance, "Submitted", each.patch), grades=None, error="")


def _nothing(instance: Instance) -> Searching:
    raise AssertionError(f"{instance.id} has a prediction and is not searched")


def _forget(results: Results, instances: Sequence[Instance]) -> None:
    for one in instances:
        results.forget(one.id)


def _pruning(places: Places, instances: Sequence[Instance], results: Results) -> Callable[[Instance], Prune]:
    """For each instance, what removes the images that none of those without a verdict needs."""
    slimmed = [slim(one) for one in instances]

    def prune(instance: Instance) -> Prune:
        return Pruning(places, tuple(one for one in slimmed if one.id != instance.id and results[one.id].grade is None))

    return prune


def _go_on(code: int) -> str:
    """How to go on, empty where all is done."""
    if code == BUDGET_ENDED:
        return "the cap is used up: the same command with a higher --cap goes on from here\n"
    return "the same command goes on from here\n" if code in (INTERRUPTED, FAILED) else ""


def _absolute(path: Path | None) -> Path | None:
    return Path(os.path.abspath(path)) if path else None  # noqa: PTH100  # links stay as they are: another machine may have others


def _plain(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text).strip("-")
