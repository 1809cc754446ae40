"""What an agent does to the processes of its box, seen in an agent's place: PID 1 of a namespace of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

AGENT = """
import subprocess, sys
from sandbox.probe.processes import Family

family = Family(init=True)
spared = subprocess.Popen(["sleep", "60"])
family.spared.add(spared.pid)
big = subprocess.Popen([sys.executable, "-c", "data = bytearray(b'x') * (700 << 20); print(flush=True); input()"], stdin=-1, stdout=-1)
big.stdout.readline()
print(family.clear(), family.status(spared.pid), family.others())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such namespaces")
def test_what_takes_long_to_die_does_not_take_the_spared_with_it() -> None:
    """700 MB are given back in some 100 ms, and more of them on a loaded machine."""
    box = ["bwrap", "--dev-bind", "/", "/", "--proc", "/proc", "--unshare-pid", "--as-pid-1", sys.executable, "-c", AGENT]
    done = subprocess.run(box, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=60)
    assert done.stdout == "True None []\n", done.stderr
