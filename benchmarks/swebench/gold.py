"""Which instances can be trusted here: their own patch must resolve them, and no patch must not.

    python -m benchmarks.swebench.gold --data rows.jsonl --repos DIR --jobs 2 --empty

valid: every test is as the row says, before and after. usable: the verdicts are right, single tests are not. no: do not count it.
What was found is kept in --out, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.swebench.base import BenchError, Grade, Instance
from benchmarks.swebench.data import choose, load
from benchmarks.swebench.grade import SECONDS, grade, untouched
from benchmarks.swebench.images import Environments
from sandbox.base import SandboxError, SandboxUnavailable


@dataclass(frozen=True, slots=True)
class Finding:
    """What an instance's own patch, and no patch, came to."""

    instance: str
    ready: float  # seconds until it was ready
    gold: Grade
    empty: Grade | None

    @property
    def word(self) -> str:
        """valid, usable, gold resolves, or no."""
        if self.gold.status != "resolved" or (self.empty and self.empty.status != "unresolved"):
            return "no"
        if self.empty is None:
            return "gold resolves"
        before = self.empty.fail_to_pass[0] == 0 and self.empty.pass_to_pass[0] == self.empty.pass_to_pass[1]
        return "valid" if before else "usable"

    def line(self) -> str:
        """A row of the table."""
        cells = [self.instance, f"{self.ready:.0f}", _cell(self.empty), _cell(self.gold), self.word, self._why()]
        return f"| {' | '.join(cells)} |"

    def _why(self) -> str:
        wrong = self.gold if self.gold.status != "resolved" else self.empty
        return wrong.why.splitlines()[0][:160].replace("|", "/") if self.word == "no" and wrong and wrong.why else ""


def _cell(found: Grade | None) -> str:
    if found is None:
        return "-"
    counts = f"{found.fail_to_pass[0]}/{found.fail_to_pass[1]}, {found.pass_to_pass[0]}/{found.pass_to_pass[1]}"
    return f"{found.seconds:.0f} s: {counts}" + ("" if found.status in ("resolved", "unresolved") else f" ({found.status})")


def check(instance: Instance, environments: Environments, folder: Path, empty: bool, seconds: float) -> Finding:
    """Make `instance` ready and grade its own patch, and if asked none. Raises BenchError."""
    began = time.monotonic()
    try:
        place = environments.ready(instance)
        ready = time.monotonic() - began
        before = untouched(place, instance, folder, seconds) if empty else None
        return Finding(instance.id, ready, grade(place, instance, instance.patch, folder, seconds), before)
    except SandboxUnavailable as error:
        return Finding(instance.id, time.monotonic() - began, Grade(instance.id, "", "error", why=str(error)), None)


def check_all(instances: Sequence[Instance], environments: Environments, options: argparse.Namespace) -> list[Finding]:
    """All of them, each told as soon as it is known."""
    left = {one.id: one for one in instances}

    def work(instance: Instance) -> Finding:
        found = check(instance, environments, options.out, options.empty, options.seconds)
        print(found.line(), flush=True)
        del left[instance.id]
        if options.prune and (place := environments.places.get(instance.id)):
            environments.done(instance, place, list(left.values()))
        return found

    with ThreadPoolExecutor(options.jobs) as pool:
        return list(pool.map(work, instances))


def summary(findings: Iterable[Finding]) -> str:
    """How many of each."""
    words = [found.word for found in findings]
    return ", ".join(f"{words.count(word)} {word}" for word in sorted(set(words), reverse=True)) + f", of {len(words)}"


def environment_options(parser: argparse.ArgumentParser) -> None:
    """The options that say which instances, and how they are made ready."""
    parser.add_argument("ids", nargs="*", metavar="INSTANCE", help="only these")
    parser.add_argument("--data", required=True, help="rows: a file, a Hugging Face id or a short name")
    parser.add_argument("--filter", default="", help="only instances whose id matches this expression")
    parser.add_argument("--slice", default="", help="only these of them, such as 0:5")
    parser.add_argument("--repos", type=Path, help="bare clones, DIR/owner__name; what is not there comes from GitHub")
    parser.add_argument("--python-root", type=Path, help="interpreters, DIR/3.9.18; what is not there comes from uv")
    parser.add_argument("--no-pull", action="store_true", help="make images here even where official ones can be pulled")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "swesearch" / "swebench", help="checkouts and packages")
    parser.add_argument("--out", type=Path, default=Path("swebench-gold"), help="verdicts and logs")
    parser.add_argument("--jobs", type=int, default=1, help="instances at a time")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for the tests of one patch")
    parser.add_argument("--prune", action="store_true", help="remove images that are needed no more")


def chosen(options: argparse.Namespace) -> tuple[list[Instance], Environments]:
    """What the options ask for. Raises BenchError."""
    instances = choose(load(options.data), slice=options.slice, filter=options.filter, ids=options.ids)
    tell = lambda words: print(f"  {time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)  # noqa: E731
    repos, pythons = (path.resolve() if path else None for path in (options.repos, options.python_root))
    return instances, Environments(options.cache.resolve(), repos, pythons, not options.no_pull, tell)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table. Exit code 1 where an instance cannot be counted on, 2 on a wrong request, 4 without an engine."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.swebench.gold", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    environment_options(parser)
    parser.add_argument("--empty", action="store_true", help="see that no patch resolves nothing, too")
    options = parser.parse_args(arguments)
    try:
        instances, environments = chosen(options)
        print(
            "| instance | ready s | no patch: F2P, P2P | own patch: F2P, P2P | verdict | why not |\n|---|---|---|---|---|---|", flush=True
        )
        findings = check_all(instances, environments, options)
    except (BenchError, SandboxError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2 if isinstance(error, BenchError) else 4
    print(f"\n{summary(findings)}")
    return int(any(found.word == "no" for found in findings))


if __name__ == "__main__":
    raise SystemExit(main())
