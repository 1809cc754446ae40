"""Coverage-guided fuzzing of the targets in benchmarks/fuzz, with atheris: pip install -e '.[fuzz]'

    python -m benchmarks.fuzz [TARGET ...] [--seconds 300] [--seed 1]

Each target has a process of its own. What breaks one is printed as hypothesis would print it, to be kept in tests/fuzz/found.py.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.fuzz.targets import Target

LEAVES = ("swesearch", "sandbox", "benchmarks.swebench.recorded_diff")  # whose coverage leads
RUNS = re.compile(r"Done (\d+) (?:runs )?in|stat::number_of_executed_units: (\d+)")
COVERED = re.compile(r"cov: (\d+)")


def fuzz(name: str, seconds: int, seed: int, corpus: Path) -> None:
    """Fuzz one target in this process; does not come back."""
    import atheris

    with atheris.instrument_imports(include=list(LEAVES)):
        targets = every()
    from hypothesis import HealthCheck, given, settings

    chosen = targets[name]
    checked: Any = settings(deadline=None, database=None, suppress_health_check=list(HealthCheck))(given(chosen.values)(chosen.check))
    flags = [f"-max_total_time={seconds}", f"-seed={seed}", "-max_len=4096", "-rss_limit_mb=2048", "-timeout=60", "-print_final_stats=1"]
    atheris.Setup([sys.argv[0], *flags, f"-artifact_prefix={corpus}/", str(corpus)], checked.hypothesis.fuzz_one_input)
    atheris.Fuzz()


def every() -> Mapping[str, Target]:
    """All targets."""
    from benchmarks.fuzz import boxes, code, kept, words  # noqa: F401 (each puts its own on the list)
    from benchmarks.fuzz.targets import TARGETS

    return TARGETS


def run(name: str, seconds: int, seed: int) -> bool:
    """Fuzz one target in a process of its own, and print what came of it. Returns whether it held."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:  # a fuzzer that ends removes nothing itself
        corpus = f"{folder}/corpus"
        Path(corpus).mkdir()
        words = [sys.executable, "-m", "benchmarks.fuzz", name, "--seconds", str(seconds), "--seed", str(seed), "--corpus", corpus]
        done = subprocess.run(
            words, capture_output=True, text=True, errors="backslashreplace", check=False, env=os.environ | {"TMPDIR": folder}
        )
        said = done.stdout + done.stderr
        kept = sorted(Path(corpus).glob("crash-*"))
        inputs = "".join(f"input: {path.read_bytes()!r}\n" for path in kept)
    runs = next((match[1] or match[2] for match in RUNS.finditer(said)), "?")
    covered = [int(count) for count in COVERED.findall(said)]
    print(f"{name:20} {time.monotonic() - began:5.0f} s  {runs:>9} inputs, {max(covered, default=0):5} edges covered: ", end="")
    print("held" if not done.returncode else f"BROKEN\n{_told(said)}\n{inputs}", flush=True)
    return not done.returncode


def _told(said: str) -> str:
    """What was raised, without the words of the fuzzer about how it goes."""
    return "\n".join(row for row in said.splitlines() if not row.startswith(("INFO:", "#", "WARNING:", "stat::")))[-8000:]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all of them where none is named")
    parser.add_argument("--seconds", type=int, default=300, help="for each target")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)  # this process fuzzes
    given = parser.parse_args(arguments)
    if given.corpus:
        fuzz(given.targets[0], given.seconds, given.seed, given.corpus)
    held = [run(name, given.seconds, given.seed) for name in given.targets or every()]
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
