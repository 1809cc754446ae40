"""The soak in its reduced form: sixty evaluations, and nothing grows. The whole of it: scripts/soak."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from benchmarks.soak import Sample, Soak, soak
from sandbox.base import SandboxUnavailable


@pytest.mark.slow
@pytest.mark.parametrize("name", [pytest.param("docker", marks=pytest.mark.docker), "bubblewrap"])
def test_thirty_evaluations_are_right_and_leave_nothing_behind(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    for folder in (tmp_path, *tmp_path.parents[:2], tmp_path / "tmp"):
        folder.chmod(0o755)  # the user that bubblewrap runs as must be able to read below it
    try:
        made = soak(name, 30, tmp_path)
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    assert made.grown() == []
    assert len(made.seconds) == 30
    assert made.samples[-1].temporary == 0
    assert made.row().startswith(f"| {name} | 30 |")


def test_what_grows_is_named() -> None:
    def sample(after: int) -> Sample:
        return Sample(after, 100.0, 50.0, 20 + after, 3, 2, 0, 0, 1000)

    made = Soak("docker", [sample(after) for after in range(40)])
    assert made.grown() == ["files: 39 -> 59"]
