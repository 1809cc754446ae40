"""The work tree's own bookkeeping: what is mended, what is written anew, what becomes of bytecode."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.base import Command, Environment, File, Files, Limits, Sandbox
from sandbox.probe import jail
from sandbox.probe.worktree import Base, TreeError, WorkTree

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux's")


@pytest.fixture
def base(tree: Callable[..., Files]) -> Base:
    """A small base."""
    return Base(tree({"a.py": b"a = 1\n", "pkg/b.py": b"b = 2\n"}).archive())


@pytest.fixture
def work(base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkTree:
    """A pristine copy of it in the current folder."""
    monkeypatch.chdir(tmp_path)
    made = WorkTree()
    made.restore(base)
    return made


def inode(path: str) -> int:
    return Path(path).stat().st_ino


def test_a_run_that_only_reads_costs_no_rewriting(work: WorkTree, base: Base) -> None:
    before = inode("a.py"), inode("pkg/b.py")
    work.lay([("pkg/b.py", "file", memoryview(b"changed"))])
    subprocess.run(["cat", "a.py", "pkg/b.py"], check=True, stdout=subprocess.DEVNULL)
    work.restore(base)
    assert (Path("a.py").read_text(), Path("pkg/b.py").read_text()) == ("a = 1\n", "b = 2\n")
    assert inode("a.py") == before[0]
    assert work.read == {"a.py", "pkg/b.py"}


def test_a_file_that_was_written_is_mended_alone(work: WorkTree, base: Base) -> None:
    before = inode("a.py")
    work.lay([])
    Path("pkg/b.py").write_text("evil!!")
    work.restore(base)
    assert (Path("pkg/b.py").read_text(), inode("a.py")) == ("b = 2\n", before)


def test_anything_else_has_the_tree_written_anew(work: WorkTree, base: Base) -> None:
    before = inode("a.py")
    work.lay([])
    keep = os.open("a.py", os.O_RDONLY)  # so that its number is not given again
    Path("junk").write_text("x")
    work.restore(base)
    os.close(keep)
    assert inode("a.py") != before
    assert not Path("junk").exists()


def test_a_base_of_devices_or_escapes_is_refused(tree: Callable[..., Files]) -> None:
    for path in ("../x", "/x", "a/../../x", ".git/config"):
        with pytest.raises(TreeError):
            Base(tree({path: b""}).archive())


def test_bytecode_of_what_was_read_is_there_for_the_next_run_and_never_stale(
    make: Callable[..., Sandbox], tree: Callable[..., Files]
) -> None:
    module = b"def f():\n    return 1\n" + b"# a long comment\n" * 1000
    base = {"m.py": module, "test_m.py": b"import m\ndef test_f():\n    assert m.f() == 1\n" + b"# more\n" * 1000}
    show = Command(("python3", "-c", "import m, os; print(m.f(), m.__cached__ and os.path.exists(m.__cached__))"))
    sandbox = make("local")
    assert sandbox.run(tree(base), show, Limits()).stdout == b"1 False\n"
    assert sandbox.run(tree(base), show, Limits()).stdout == b"1 True\n"
    changed = {"m.py": File(module.replace(b"return 1", b"return 2"))}
    assert sandbox.run(tree(base, changed), show, Limits()).stdout == b"2 True\n"
    assert sandbox.run(tree(base), show, Limits()).stdout == b"1 True\n"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_rule_of_the_filter_ends_in_an_answer(machine: str) -> None:
    """A jump that left the program would be refused by the kernel; one that hit the wrong rule would not."""
    rules = jail._program(machine)
    for position, (code, yes, no, _) in enumerate(rules):
        if code in (jail.EQUAL, jail.AT_LEAST, jail.ANY_BIT):
            assert max(position + 1 + yes, position + 1 + no) < len(rules)
    assert rules[-1] == (jail.RETURN, 0, 0, jail.ALLOW)
    assert answer(rules, machine, 0xFFFF) == jail.ALLOW
    for number in (column[jail.MACHINES[machine][0]] for column in jail.DENIED.values()):
        assert answer(rules, machine, number) != jail.ALLOW
    clone, _, socket, _, ioctl, _ = jail.MACHINES[machine][2:]
    assert [answer(rules, machine, clone, flags) == jail.ALLOW for flags in (0x11, 0x10000011)] == [True, False]
    assert [family for family in range(50) if answer(rules, machine, socket, family) == jail.ALLOW] == list(jail.FAMILIES)
    assert [answer(rules, machine, ioctl, 0, request) == jail.ALLOW for request in (0x5401, 0x5412, 0x541C)] == [True, False, False]


def answer(rules: list[tuple[int, int, int, int]], machine: str, number: int, first: int = 0, second: int = 0) -> int:
    """What the filter says to a system call, by running it."""
    data = {jail.NUMBER: number, jail.ARCHITECTURE: jail.MACHINES[machine][1], jail.FIRST_ARGUMENT: first, jail.SECOND_ARGUMENT: second}
    position, held = 0, 0
    while True:
        code, yes, no, k = rules[position]
        if code == jail.RETURN:
            return k
        if code == jail.LOAD:
            held = data[k]
            position += 1
            continue
        hit = {jail.EQUAL: held == k, jail.AT_LEAST: held >= k, jail.ANY_BIT: bool(held & k)}[code]
        position += 1 + (yes if hit else no)


def test_pytest_takes_the_bytecode_of_test_files_for_its_own(make: Callable[..., Sandbox], tree: Callable[..., Files]) -> None:
    base = {"test_m.py": b"def test_f():\n    x = 1\n    assert x == 2\n" + b"# more\n" * 3000}
    sandbox = make("local", environment=Environment(python=sys.executable))
    words = "$PYTHON -m pytest -p no:cacheprovider test_m.py --debug; cat pytestdebug.log"
    command = Command(("sh", "-c", words), {"PYTHON": sys.executable, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"})
    logs = [sandbox.run(tree(base), command, Limits()).stdout for _ in range(2)]
    assert [b"assert 1 == 2" in log for log in logs] == [True, True]
    assert [b"found cached rewritten pyc for" in log for log in logs] == [False, True]
