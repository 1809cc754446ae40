"""A results folder: what came of each instance, and the files that others read. One writer at a time; it can be read at any moment.

    preds.json  all_preds.jsonl  exit_statuses.yaml  config.json  report.html  report.json  grades/
    INSTANCE/result.json  INSTANCE/INSTANCE.traj  INSTANCE/INSTANCE.traj.json  INSTANCE/runs/RUN/journal.sqlite  INSTANCE/worker.log

result.json is the truth; the files above it are made from it. What failed for want of an engine, a provider or a disk is kept
there as an error and tried again by the next call: it is no prediction.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, Self

from benchmarks.swebench.base import BenchError, Finalist, Grade, Outcome, Prediction
from benchmarks.swebench.preds import PREDS, put, read, write
from swesearch.base import Cost

CONFIG, RESULT, STATUSES, LOCK = "config.json", "result.json", "exit_statuses.yaml", ".lock"


def patch_id(patch: str) -> str:
    """What tells patches apart."""
    return sha256(patch.encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Result:
    """What is known of an instance. `error`: why the last step that was tried told nothing."""

    instance: str
    outcome: Outcome | None = None
    grades: Mapping[str, Grade] | None = None  # by patch_id; None: not graded yet
    error: str = ""

    @property
    def grade(self) -> Grade | None:
        """The verdict on what was handed over, where there is one."""
        return self.grade_of(self.outcome.patch) if self.outcome else None

    def grade_of(self, patch: str) -> Grade | None:
        """The verdict on a patch, None where there is none."""
        found = (self.grades or {}).get(patch_id(patch))
        return found if found and found.status != "error" else None


class Results:
    """The results in a folder. Safe to share between threads."""

    def __init__(self, folder: Path, lock: int | None) -> None:
        self.folder, self._lock = folder, lock
        self._busy = Lock()
        self._known = {result.instance: result for result in _results(folder)}
        self.model = ""

    @classmethod
    def open(cls, folder: Path, config: Mapping[str, Any], same: tuple[str, ...]) -> Self:
        """Become the folder's writer. Raises BenchError while there is another, or where what it holds was made otherwise.

        `config` is kept beside the results; on the values named in `same` old and new results must agree.
        """
        lock = _claim(folder)
        try:
            _must_agree(folder, config, same)
            results = cls(folder, lock)
            results._must_be_ours()
            results.model = str(config["model_name_or_path"])
            before = results.config().get("instances", []) if (folder / CONFIG).exists() else []
            chosen = list(dict.fromkeys([*before, *config.get("instances", [])]))  # a report tells of all that were ever asked for
            put(folder / CONFIG, json.dumps({**config, "instances": chosen}, indent=1) + "\n")
        except BaseException:
            os.close(lock)
            raise
        return results

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The results of a folder, whoever writes to it. Raises BenchError where there are none."""
        if not (folder / CONFIG).is_file():
            raise BenchError(f"{folder} holds no results: it has no {CONFIG}")
        return cls(folder, None)

    def __getitem__(self, instance: str) -> Result:
        return self._known.get(instance) or Result(instance)

    def __iter__(self) -> Iterator[Result]:
        return iter([self._known[key] for key in sorted(self._known)])

    def home(self, instance: str) -> Path:
        """The folder of an instance, where its search keeps its journal."""
        return self.folder / instance

    def homes(self) -> list[Path]:
        """The folders of all instances that were ever begun, those without a result too."""
        return sorted({path.parent for path in self.folder.glob("*/runs")})

    def config(self) -> dict[str, Any]:
        """How the results were made."""
        return _json(self.folder / CONFIG)

    def update(self, instance: str, **known: Any) -> Result:
        """Keep what was found out: fields of Result."""
        with self._busy:
            result = replace(self[instance], **known)
            put(self.home(instance) / RESULT, json.dumps(asdict(result), indent=1) + "\n")
            self._known[instance] = result
            self._write()
            return result

    def forget(self, instance: str) -> None:
        """Drop what is known of an instance, its journal too."""
        with self._busy:
            self._known.pop(instance, None)
            (self.home(instance) / RESULT).unlink(missing_ok=True)  # first: what is left without it is only a folder
            shutil.rmtree(self.home(instance), ignore_errors=True)
            self._write()

    def close(self) -> None:
        """Let others write."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _write(self) -> None:
        outcomes = [result.outcome for result in self if result.outcome]
        write(self.folder, [Prediction(each.instance, self.model, each.patch) for each in outcomes])
        put(self.folder / STATUSES, _yaml(self))

    def _must_be_ours(self) -> None:
        """A preds.json that somebody else wrote would be overwritten."""
        foreign = sorted((read(self.folder / PREDS).keys() if (self.folder / PREDS).exists() else set()) - self._known.keys())
        if foreign:
            raise BenchError(
                f"{self.folder / PREDS} holds predictions that were not made here ({foreign[0]}): choose another folder with -o"
            )


def _results(folder: Path) -> Iterator[Result]:
    for path in sorted(folder.glob(f"*/{RESULT}")):
        data = _json(path)
        try:
            yield _decoded(data)
        except (KeyError, TypeError) as error:
            raise BenchError(f"{path} is damaged ({error}): remove it, and the instance is done again") from error


def _decoded(data: dict[str, Any]) -> Result:
    outcome, grades = data["outcome"], data["grades"]
    if outcome:
        finalists = tuple(Finalist(**each) for each in outcome["finalists"])
        outcome = Outcome(**outcome | {"finalists": finalists, "cost": Cost(**outcome["cost"])})
    if grades is not None:
        grades = {
            key: Grade(**each | {name: tuple(each[name]) for name in ("fail_to_pass", "pass_to_pass")}) for key, each in grades.items()
        }
    return Result(data["instance"], outcome, grades, data["error"])


def _json(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BenchError(f"{path} cannot be read ({error}): remove it to begin again") from error
    return data


def _yaml(results: Results) -> str:
    """The instances by how they ended, as mini-swe-agent writes them; a JSON text is a YAML text too."""
    ended = defaultdict(list)
    for result in results:
        ended[result.outcome.exit_status if result.outcome else "InfrastructureError"].append(result.instance)
    rows = [f"  {json.dumps(status)}:\n" + "".join(f"  - {json.dumps(name)}\n" for name in ended[status]) for status in sorted(ended)]
    return "instances_by_exit_status:" + ("\n" + "".join(rows) if rows else " {}\n")


def _must_agree(folder: Path, config: Mapping[str, Any], same: tuple[str, ...]) -> None:
    if not (folder / CONFIG).exists():
        return
    before = _json(folder / CONFIG)
    for key in same:
        if before.get(key) != config.get(key):
            told = f"{key} was {before.get(key)!r} and is now {config.get(key)!r}"
            raise BenchError(f"{folder} holds results that were made otherwise ({told}): choose another folder with -o")


def _claim(folder: Path) -> int:
    """The lock of the folder's only writer; the system drops it when its process ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise BenchError(f"{folder} cannot be written ({error.strerror}): choose another folder with -o") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise BenchError(f"another process writes to {folder}: wait for it, or choose another folder with -o") from error
    return descriptor
