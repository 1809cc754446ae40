"""Verdicts on patches, each found once and kept: the same patch is never graded twice, whoever handed it in."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path

from benchmarks.swebench.base import BenchError, Grade, Instance, Place, Prediction
from benchmarks.swebench.images import Environments
from benchmarks.swebench.official import script, verdict
from benchmarks.swebench.specs import specification
from benchmarks.swebench.trial import Unapplied, Undecided, run
from sandbox.base import SandboxUnavailable
from sandbox.images import lock

SECONDS = 1800.0  # the harness's limit for the tests of an instance
Tell = Callable[[Prediction, Grade], None]


def patch_key(patch: str) -> str:
    """What names a patch: its hash."""
    return _hash(patch)


def grade(place: Place, instance: Instance, patch: str, folder: Path, seconds: float = SECONDS) -> Grade:
    """The verdict on `patch`, kept in FOLDER/grades/INSTANCE unless it is an error.

    Raises SandboxUnavailable where the engine fails (nothing is kept then), BenchError where swebench does not know the instance.
    """
    if not patch.strip():
        return Grade(instance.id, patch_key(patch), "empty", why="the patch is empty")
    return _once(place, instance, patch, folder, seconds)


def untouched(place: Place, instance: Instance, folder: Path, seconds: float = SECONDS) -> Grade:
    """What the tests say where nothing is patched, which is how an instance is validated; kept, and raises, as `grade`."""
    return _once(place, instance, "", folder, seconds)


def kept(folder: Path, instance: str, key: str) -> Grade | None:
    """The verdict that was found before, None where there is none."""
    path = folder / "grades" / instance / f"{key}.json"
    if not path.is_file():
        return None
    found = json.loads(path.read_text("utf-8"))
    return Grade(**{**found, "fail_to_pass": tuple(found["fail_to_pass"]), "pass_to_pass": tuple(found["pass_to_pass"])})


def _once(place: Place, instance: Instance, patch: str, folder: Path, seconds: float) -> Grade:
    key = patch_key(patch)
    with lock(f"grade-{_hash(str(folder.resolve()))}-{instance.id}-{key}"):
        try:
            return kept(folder, instance.id, key) or _keep(folder, _judge(place, instance, patch, folder, seconds))
        except OSError as error:
            raise SandboxUnavailable(f"{instance.id}: its verdict cannot be kept in {folder}: {error.strerror}") from error


def _judge(place: Place, instance: Instance, patch: str, folder: Path, seconds: float) -> Grade:
    key = patch_key(patch)
    blank = Grade(instance.id, key, "error", log=f"grades/{instance.id}/{key}.log")
    log = folder / blank.log
    log.parent.mkdir(parents=True, exist_ok=True)
    steps, began = script(instance), time.monotonic()
    try:
        run(place, steps, patch, log, seconds)
        found = verdict(instance, log, blank)
    except Unapplied as error:
        found = replace(blank, status="unapplied", why=str(error)[-500:], log="")
    except Undecided as error:
        # The harness writes no report then, and counts the instance among its errors: neither resolved nor unresolved.
        found = replace(blank, why=str(error))
    return replace(found, seconds=round(time.monotonic() - began, 1))


def grade_all(
    predictions: Iterable[Prediction],
    instances: Sequence[Instance],
    environments: Environments,
    folder: Path,
    jobs: int = 1,
    tell: Tell = lambda _prediction, _grade: None,
    prune: bool = False,
    seconds: float = SECONDS,
) -> list[tuple[Prediction, Grade]]:
    """The verdicts on all predictions, `jobs` instances at a time; one that cannot be found out is an "error" that says why.

    Raises BenchError, before anything is run, on a prediction for an instance that is not there or that swebench does not know.
    """
    known = {one.id: one for one in instances}
    order = sorted(predictions, key=lambda one: one.instance)
    if strangers := sorted({one.instance for one in order} - known.keys()):
        raise BenchError(f"predictions for instances that the data does not have: {', '.join(strangers[:5])}")
    groups = [(known[name], list(those)) for name, those in groupby(order, key=lambda one: one.instance)]
    for instance, _ in groups:
        specification(instance)
    left = {instance.id: instance for instance, _ in groups}

    def work(group: tuple[Instance, list[Prediction]]) -> list[tuple[Prediction, Grade]]:
        instance, those = group
        found = list(_graded(instance, those, environments, folder, tell, seconds))
        del left[instance.id]
        if prune and (place := environments.places.get(instance.id)):
            environments.done(instance, place, list(left.values()))
        return found

    with ThreadPoolExecutor(jobs) as pool:
        return [pair for pairs in pool.map(work, groups) for pair in pairs]


def _graded(
    instance: Instance, those: Sequence[Prediction], environments: Environments, folder: Path, tell: Tell, seconds: float
) -> Iterator[tuple[Prediction, Grade]]:
    for one in those:
        try:
            known = kept(folder, instance.id, patch_key(one.patch))
            place = Place("", "", Path()) if known or not one.patch.strip() else environments.ready(instance)
            found = grade(place, instance, one.patch, folder, seconds)
        except SandboxUnavailable as error:
            found = Grade(instance.id, patch_key(one.patch), "error", why=str(error))
        tell(one, found)
        yield one, found


def _keep(folder: Path, found: Grade) -> Grade:
    """`found`, on disk; unless it is an error, which the next run tries again, as the harness does."""
    path = folder / "grades" / found.instance / f"{found.patch_key}.json"
    if found.status != "error":
        making = path.with_suffix(".making")
        making.write_text(json.dumps(asdict(found), indent=1), "utf-8")
        making.replace(path)
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
