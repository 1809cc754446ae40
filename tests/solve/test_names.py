"""Plain git among the states of a run."""

import shutil
import subprocess
import threading

import pytest

from swesearch import runs, solve
from swesearch.base import UsageError
from swesearch.journal import Journal
from tests.solve.project import CLAMP, HOPELESS
from tests.solve.test_search import begin


def said(run, *arguments):
    code, printed = solve.git(run, arguments, capture=True)
    assert code == 0
    return printed.decode()


def test_nodes_and_results_have_names(finished):
    rows = {event.data["id"]: event.data for event in finished.events("node")}
    solved = next(row for row in rows.values() if row["solved"])

    assert said(finished, "diff", "n0", f"n{solved['id']}").startswith("diff --git a/pkg/core.py")
    assert said(finished, "show", "n0:pkg/core.py") == CLAMP
    assert said(finished, "log", "--format=%s", f"n{solved['id']}").splitlines() == [
        f"n{solved['id']}: {solved['why']}",
        "n0: the code as it is",
    ]
    assert "pkg/core.py" in said(finished, "ls-tree", "-r", "--name-only", "B")
    assert said(finished, "grep", "-c", "def ", "A", "--", "pkg") == "A:pkg/core.py:2\n"
    done = subprocess.run(["git", "--git-dir", finished.store, "diff", "n0", "A"], capture_output=True, check=True)
    assert done.stdout == solve.git(finished, ("diff", "n0", "A"), capture=True)[1]


REFUSED = """
push
gc
-c core.pager=x log
diff --output=x n0 n1
diff --outp x n0 n1
archive -o x n0
archive -vox n0
archive -9o x n0
archive --o=x n0
archive --remote=x n0
archive --exec=x n0
grep -Ox y n0
grep --open-files-in-pager=x y
diff --no-index /etc/passwd /etc/hosts
diff --ext-diff n0 n1
cat-file --textconv n0:a
cat-file --filters n0:a
"""


@pytest.mark.parametrize("command", REFUSED.split("\n")[:-1])
def test_what_does_not_only_read_is_refused(finished, command):
    with pytest.raises(UsageError):
        solve.git(finished, command.split())


def test_options_that_only_read_are_passed_on(finished):
    assert said(finished, "diff", "--text", "--output-indicator-new=>", "n0", "A").count("\n>    ") == 1
    assert solve.git(finished, ("archive", "--format=tar", "A"), capture=True)[1].startswith(b"pax_global_header")
    assert solve.git(finished, ("diff", "--exit-code", "--stat", "n0", "A"), capture=True)[0] == 1


def test_states_of_a_search_that_goes_on_can_be_looked_at(repo, tmp_path):
    begun = begin(repo(HOPELESS), tmp_path / "home", search_workers=1, budget_evaluations=3)
    seen = []

    def look(event):
        if event.kind == "node" and event.data["id"] == 3:
            apart = runs.open_run(tmp_path / "home", begun.id)
            seen.append(said(apart, "diff", "n0", "n3"))

    solve.search(begun, look, threading.Event())

    assert seen[0].startswith("diff --git a/pkg/core.py")


def test_a_result_that_was_picked_is_handed_over_until_there_is_another(finished, tmp_path):
    folder = tmp_path / "home" / "runs" / finished.id
    shutil.copytree(finished.folder, folder)
    run = runs.open_run(tmp_path / "home", finished.id)
    others = solve.solution(run).alternatives

    assert solve.pick(run, 1) == others[0]
    assert solve.candidate(run) == others[0]
    assert run.patch.read_bytes() == others[0].patch
    assert solve.picked(run) == 1
    with pytest.raises(UsageError, match="numbered from 0: there is no 25"):
        solve.pick(run, 25)
    journal = run.journal()
    journal.append([event for event in run.events("solution")][-1])
    journal.close()
    assert solve.picked(run) == 0


def test_nothing_is_picked_while_the_run_goes_on(finished):
    writer = Journal.open(finished.folder / runs.JOURNAL)
    try:
        with pytest.raises(Exception, match="is being written by another process"):
            solve.pick(finished, 1)
    finally:
        writer.close()
