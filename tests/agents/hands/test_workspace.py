from __future__ import annotations

import pytest

from sandbox.base import Environment, SandboxUnavailable
from sandbox.local import LocalSandbox
from swesearch.base import Create, Delete, EditError, Rename, Replace

MEND = Replace("calc.py", b"a - b", b"a + b")


def test_edits_lead_from_the_start_to_the_state(place):
    workspace = place.workspace()
    workspace.edit(MEND)
    workspace.edit(Replace("calc.py", b"a + b", b"b + a"))
    assert place.store.apply(workspace.start, workspace.edits) == workspace.state
    assert workspace.read("calc.py").startswith(b"def add(a, b):\n    return b + a\n")
    assert "+    return b + a" in workspace.diff()


def test_an_edit_that_does_not_fit_changes_nothing(place):
    workspace = place.workspace()
    with pytest.raises(EditError, match="does not occur"):
        workspace.edit(Replace("calc.py", b"a / b", b"a + b"))
    assert (workspace.state, workspace.edits) == (place.root, ())


@pytest.mark.parametrize("path", ["/etc/passwd", "../x.py", ".git/hooks/pre-commit", "a/../../x", "", "C:\\x", "x\0y", "GIT~1/config"])
def test_no_edit_leaves_the_repository(place, path):
    workspace = place.workspace()
    for edit in (Create(path, b"x"), Delete(path), Rename("calc.py", path)):
        with pytest.raises(EditError):
            workspace.edit(edit)
    assert workspace.state == place.root


def test_a_protected_file_is_refused_with_the_reason_also_as_the_target_of_a_move(place):
    workspace = place.workspace()
    with pytest.raises(EditError, match=r"conftest\.py may not be changed: it belongs to the tests"):
        workspace.edit(Rename("calc.py", "conftest.py"))
    with pytest.raises(EditError, match=r"test_calc\.py may not be changed: it belongs to the tests"):
        workspace.edit(Delete("test_calc.py"))
    assert workspace.state == place.root


def test_the_last_edit_can_be_taken_back(place):
    workspace = place.workspace()
    workspace.edit(MEND)
    assert workspace.undo() == MEND
    assert (workspace.state, workspace.edits, workspace.diff()) == (place.root, (), "")
    with pytest.raises(EditError, match="no edit"):
        workspace.undo()


def test_a_command_sees_the_edits_and_leaves_nothing(place):
    workspace = place.workspace()
    workspace.edit(MEND)
    assert "return a + b" in workspace.run("cat calc.py; echo x > calc.py; echo y > new.txt")
    assert workspace.run("cat calc.py new.txt").startswith("(exit status 1)\n[output]\ndef add")
    assert "(exit status 3)" in workspace.run("exit 3")


def test_output_is_limited_and_steers_nothing(place):
    text = place.workspace().run("printf '\\033[2Jstart\\n'; seq 1 100000; printf 'oops\\007' >&2")
    assert len(text) < 13_000
    assert text.startswith("(exit status 0)\n[output]\nstart\n1\n")
    assert text.endswith("[errors]\noops\\x07")
    assert "characters left out" in text


def test_a_command_that_hangs_is_stopped(place):
    assert place.workspace(seconds=0.5).run("echo begun; sleep 60").startswith("(stopped: it took too long)\n[output]\nbegun")


def test_a_command_must_be_one(place):
    for command in ("", "  \n", "echo \0"):
        with pytest.raises(EditError, match="command"):
            place.workspace().run(command)


def test_a_dead_sandbox_is_no_result(place):
    place.sandbox = LocalSandbox(Environment(), slots=1)
    place.sandbox.close()
    with pytest.raises(SandboxUnavailable):
        place.workspace().run("true")


def test_a_missing_file_names_those_that_may_be_meant(place):
    with pytest.raises(EditError, match=r"testbed/use.py: there is no such file; there is pkg/use.py"):
        place.workspace().read("testbed/use.py")


def test_links_and_submodules_are_not_files(place):
    workspace = place.workspace(place.odd_root())
    with pytest.raises(EditError, match="symbolic link to /etc/passwd"):
        workspace.read("link.py")
    with pytest.raises(EditError, match="submodule"):
        workspace.read("vendor")
