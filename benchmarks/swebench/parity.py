"""Do our verdicts equal the official ones? Each difference is listed.

    python -m benchmarks.swebench.parity --data rows.jsonl --patches recorded.jsonl --repos DIR --official

--patches: rows {"instance_id", "patches": [{"source", "patch", "resolved"}]}, with the verdicts that were published.
--official: the harness itself (`swebench.harness.run_evaluation.run_instance`) runs each patch as well, in the same image.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from benchmarks.swebench.base import BenchError, Grade, Instance, Place
from benchmarks.swebench.gold import chosen, environment_options
from benchmarks.swebench.grade import grade, patch_key
from benchmarks.swebench.images import Environments
from benchmarks.swebench.official import harness
from sandbox.base import SandboxError, SandboxUnavailable


@dataclass(frozen=True, slots=True)
class Compared:
    """A patch, with the verdicts on it: True where it resolves, None where nothing was said."""

    instance: str
    source: str
    recorded: bool | None
    ours: Grade
    official: bool | None

    @property
    def differences(self) -> str:
        """Who says otherwise than we do."""
        if self.ours.status == "error":
            return ""
        others = (("recorded", self.recorded), ("official", self.official))
        return ", ".join(name for name, verdict in others if verdict not in (None, self.ours.status == "resolved"))

    def line(self) -> str:
        """One row of the list."""
        said = f"recorded {self.recorded}, ours {self.ours.status}, official {self.official}"
        mark = (
            f"  DIFFERS from {self.differences}: {self.ours.why.splitlines()[0][:200] if self.ours.why else ''}" if self.differences else ""
        )
        return f"{self.instance} {self.ours.patch_key} {self.source}: {said}{mark}"


def recorded(path: Path, instances: Mapping[str, Instance]) -> Iterator[tuple[Instance, Mapping[str, Any]]]:
    """Each different patch of each instance with a published verdict, and the gold ones. Raises BenchError."""
    for instance in instances.values():
        yield instance, {"source": "gold", "patch": instance.patch, "resolved": True}
    try:
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise BenchError(f"--patches {path} cannot be read: {error}") from error
    for row in rows:
        one = instances.get(row["instance_id"])
        told = {patch_key(entry["patch"]): entry for entry in row["patches"] if entry["resolved"] is not None and entry["patch"].strip()}
        yield from ((one, entry) for entry in (told.values() if one else ()) if one)


def compare(instance: Instance, entry: Mapping[str, Any], environments: Environments, options: argparse.Namespace) -> Compared:
    """Grade one patch here, and if asked there."""
    try:
        place = environments.ready(instance)
        ours = grade(place, instance, entry["patch"], options.out, options.seconds)
        there = _official(place, instance, entry["patch"], options) if options.official else None
    except SandboxUnavailable as error:
        ours, there = Grade(instance.id, patch_key(entry["patch"]), "error", why=str(error)), None
    return Compared(instance.id, entry["source"], entry["resolved"], ours, there)


def _official(place: Place, instance: Instance, patch: str, options: argparse.Namespace) -> bool:
    kept = options.out / "official" / instance.id / f"{patch_key(patch)}.json"
    if not kept.is_file():
        said = harness(instance, place.image, patch, patch_key(patch), int(options.seconds))
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(said), "utf-8")
    return bool(json.loads(kept.read_text("utf-8"))["resolved"])


def compare_all(
    work: Sequence[tuple[Instance, Mapping[str, Any]]], environments: Environments, options: argparse.Namespace
) -> list[Compared]:
    """All of them, each told as soon as it is known."""
    telling = Lock()

    def one(pair: tuple[Instance, Mapping[str, Any]]) -> Compared:
        found = compare(*pair, environments, options)
        with telling:
            print(found.line(), file=sys.stderr, flush=True)
        return found

    with ThreadPoolExecutor(options.jobs) as pool:
        return list(pool.map(one, work))


def summary(found: Sequence[Compared]) -> str:
    """The differences, and how many there are."""
    counted = Counter(one.ours.status for one in found)
    known = [one for one in found if one.ours.status != "error"]
    told = [f"{len(found)} patches of {len({one.instance for one in found})} instances: {dict(counted)}"]
    for name in ("recorded", "official"):
        compared = [one for one in known if getattr(one, name) is not None]
        other = [one for one in compared if name in one.differences]
        told.append(f"{name}: {len(compared) - len(other)} of {len(compared)} verdicts are the same")
    return "\n".join([*told, *(one.line() for one in found if one.differences or one.ours.status == "error")])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the differences. Exit code 1 where there are any, 2 on a wrong request, 4 without an engine."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.swebench.parity", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    environment_options(parser)
    parser.add_argument("--patches", type=Path, required=True, help="recorded patches with their verdicts")
    parser.add_argument("--limit", type=int, help="only so many patches, drawn at random")
    parser.add_argument("--official", action="store_true", help="run the official harness too")
    options = parser.parse_args(arguments)
    try:
        instances, environments = chosen(options)
        work = list(recorded(options.patches, {one.id: one for one in instances}))
        random.Random(0).shuffle(work)
        options.out = options.out.resolve()
        options.out.mkdir(parents=True, exist_ok=True)
        with contextlib.chdir(options.out):  # the harness writes its logs to where it is
            found = compare_all(sorted(work[: options.limit], key=lambda pair: pair[0].id), environments, options)
    except (BenchError, SandboxError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, BenchError) else 4
    (options.out / "parity.json").write_text(json.dumps([asdict(one) for one in found], indent=1), "utf-8")
    print(summary(found))
    return int(any(one.differences for one in found))


if __name__ == "__main__":
    raise SystemExit(main())
