"""An environment of this machine, inside a container."""

import sys
import venv
from pathlib import Path

import pytest

from sandbox import uv
from sandbox.base import Command, Files, Limits, Quota
from sandbox.choose import choose
from sandbox.environment import find

EMPTY_TAR = bytes(10240)


@pytest.mark.docker
@pytest.mark.skipif(sys.platform != "linux", reason="interpreters of other systems do not run in a Linux container")
def test_a_repositorys_own_virtual_environment_runs_in_a_container(tmp_path: Path) -> None:
    repo = tmp_path / "a répo"
    venv.create(repo / ".venv", symlinks=True)
    site = repo / ".venv" / "lib" / f"python{uv.HOST_VERSION}" / "site-packages"
    (site / "_pytest").mkdir()
    (site / "only_here.py").write_text("answer = 42\n")
    choice = choose("docker", print)
    found = find(repo, python=None, image=None, cache=tmp_path / "cache", tracked=lambda _: False, say=print, box=choice.box, environ={})
    box = choice.make(found, Quota(), 1, "")
    try:
        code = "import only_here, sys; print(only_here.answer, '%d.%d' % sys.version_info[:2])"
        result = box.run(Files("empty", lambda: EMPTY_TAR), Command((found.python, "-c", code)), Limits())
        refused = box.run(Files("empty", lambda: EMPTY_TAR), Command(("touch", str(site / "planted"))), Limits())
    finally:
        box.close()
    assert result.stdout.decode() == f"42 {uv.HOST_VERSION}\n", result.stderr.decode()
    assert refused.exit_code != 0
    assert not (site / "planted").exists()
