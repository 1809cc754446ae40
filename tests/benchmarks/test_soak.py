"""The soak in its reduced form: sixty evaluations, and nothing grows. The whole of it: scripts/soak."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from benchmarks.soak import Sample, Soak


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("docker", marks=pytest.mark.docker), "bubblewrap"])
def test_thirty_evaluations_are_right_and_leave_nothing_behind(name: str) -> None:
    command = [sys.executable, "-m", "benchmarks.soak", "--evaluations", "30", "--sandboxes", name]  # all that is below a process counts
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 4 and os.environ.get("CI") != "true":
        pytest.skip(done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"| {name} | 30 |")


def test_what_grows_is_named() -> None:
    def sample(after: int) -> Sample:
        return Sample(after, 100.0, 50.0, 20 + after, 3, 2, 0, 0, 1000)

    made = Soak("docker", [sample(after) for after in range(40)])
    assert made.grown() == ["files: 39 -> 59"]
