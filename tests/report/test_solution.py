from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from swesearch.base import Action, Attempt, Candidate, Check, Cost, Evaluation, Measurement, Solution, State, Task
from swesearch.report.solution import show_solution
from swesearch.report.terminal import console

PATCH = b"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a\x1b[2J\n+b \xe9\n"
TASK = Task(Path("/repo"), (Check(("pytest", "-q")),))


def candidate(why: str, tests: int = 1) -> Candidate:
    term = Measurement("failing", 1.0, facts={"passed": [f"test_x.py::test_{i}" for i in range(tests)]})
    return Candidate(Attempt(Action((), why), State("t"), Evaluation(1.0, True, (term,))), PATCH, True, (f"{why} is small",))


def shown(solution: Solution, out: Console, stream: io.StringIO) -> str:
    show_solution(out, solution, TASK, "run1", Path("/home/run1/patch.diff"))
    return stream.getvalue()


def test_a_fix_is_shown_with_its_evidence_its_rivals_and_how_to_apply_it() -> None:
    stream = io.StringIO()
    solution = Solution(candidate("swap"), (candidate("guard"), candidate("[b]cast")), "fewest edits", Cost(12, 3.25))
    text = shown(solution, console(stream), stream)
    assert text.splitlines() == [
        "fixed: swap (12 evaluations, 3.2 s)",
        "",
        "diff --git a/x.py b/x.py",
        "--- a/x.py",
        "+++ b/x.py",
        "@@ -1 +1 @@",
        "-a\\x1b[2J",
        "+b \\xe9",
        "",
        "check:       pytest -q",
        "passes now:  test_x.py::test_0",
        "evidence:    swap is small",
        "chosen:      fewest edits",
        "",
        "also passed (apply one with swesearch apply run1 -n NUMBER):",
        "  1. guard",
        "     guard is small",
        "  2. [b]cast",
        "     [b]cast is small",
        "",
        "apply it:    swesearch apply run1",
        "patch file:  /home/run1/patch.diff",
    ]


def test_a_patch_is_coloured_on_a_terminal_but_brings_no_colours_of_its_own() -> None:
    stream = io.StringIO()
    text = shown(Solution(candidate("swap"), (), "", Cost()), Console(file=stream, force_terminal=True, color_system="standard"), stream)
    assert "\x1b[31m-a\\x1b[2J" in text
    assert "\x1b[2J" not in text


@pytest.mark.parametrize("again", ["swesearch resume run1 --budget 500", ""])
def test_without_a_fix_it_says_why_and_where_it_could_help_how_to_go_on(again: str) -> None:
    stream = io.StringIO()
    solution = Solution(None, (), "two candidates failed when verified", Cost(500, 60.0))
    show_solution(console(stream), solution, TASK, "run1", Path("/x"), again=again)
    rows = [
        "no fix was verified (500 evaluations, 60.0 s): two candidates failed when verified",
        "see what was tried: swesearch show run1",
        f"go on from there:   {again}",
    ]
    assert stream.getvalue().splitlines() == rows[: 2 + bool(again)]


def test_many_tests_that_pass_now_are_counted() -> None:
    stream = io.StringIO()
    text = shown(Solution(candidate("swap", tests=12), (), "", Cost()), console(stream), stream)
    assert text.count("passes now:") == 10
    assert "and 2 more tests" in text


def test_tests_that_were_written_for_the_run_are_named() -> None:
    stream = io.StringIO()
    show_solution(console(stream), Solution(candidate("swap"), (), "", Cost()), TASK, "run1", Path("/x"), Path("/r/reproduction"))
    assert "tests:       /r/reproduction (written from the issue; no part of the patch)" in stream.getvalue()
