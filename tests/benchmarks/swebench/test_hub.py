"""Rows from Hugging Face: the real `datasets` package, in a process of its own, against a server that answers as the hub does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from tests.benchmarks.swebench.hub import hub
from tests.benchmarks.swebench.test_data import ROW

NAME = "SWE-bench/SWE-bench_Lite"
PRINT = """
import json, sys
from benchmarks.swebench.base import BenchError
from benchmarks.swebench.data import load
try:
    print(json.dumps([(one.id, one.fail_to_pass, one.created, one.row) for one in load(*sys.argv[1:])]))
except BenchError as error:
    sys.exit(str(error))
"""


@pytest.fixture
def ask(tmp_path: Path):
    def process(*words: str, seconds: float = 60, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "HF_HOME": str(tmp_path / "hub"), **environment}
        return subprocess.run([sys.executable, "-c", PRINT, *words], env=env, capture_output=True, text=True, timeout=seconds)

    return process


def test_a_short_name_is_loaded_from_the_hub_with_lists_and_dates_as_arrow_keeps_them(ask):
    row = {**ROW, "created_at": datetime(2024, 5, 1, 10)}
    with hub(NAME, "dev", [row, {**row, "instance_id": "acme__tool-2"}]) as address:
        done = ask("lite", "dev", HF_ENDPOINT=address)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one[0] for one in found] == ["acme__tool-1", "acme__tool-2"]
    assert found[0][1:] == [ROW["FAIL_TO_PASS"], "2024-05-01T10:00:00", {**ROW, "created_at": "2024-05-01T10:00:00"}]
    assert "it/s" not in done.stderr  # no bars where nobody watches


def test_a_split_and_a_data_set_that_there_are_not_are_one_line_that_says_so(ask):
    with hub(NAME, "dev", [ROW]) as address:
        split, name = ask("lite", "train", HF_ENDPOINT=address), ask("verified", HF_ENDPOINT=address)
    assert (split.returncode, name.returncode) == (1, 1)
    assert split.stderr.splitlines()[-1].startswith(f"{NAME} (train) cannot be had from Hugging Face: Unknown split")
    assert "['dev']. A file of its rows" in split.stderr
    assert "SWE-bench/SWE-bench_Verified (test) cannot be had from Hugging Face: Dataset" in name.stderr.splitlines()[-1]


def test_what_was_loaded_once_is_there_without_a_network(ask):
    with hub(NAME, "dev", [ROW]) as address:
        first = ask("lite", "dev", HF_ENDPOINT=address)
    again = ask("lite", "dev", HF_ENDPOINT=address, HF_HUB_OFFLINE="1")
    assert (again.returncode, again.stdout) == (0, first.stdout), again.stderr
