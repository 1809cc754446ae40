"""What a run hands over, in the terminal: the patch, what speaks for it, what else passed, and how to apply it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.text import Text

from swesearch.base import Candidate, Solution, Task
from swesearch.report.text import line, safe

SHOWN = 10  # tests that pass now; the rest is counted
COLOURS = {"+": "green", "-": "red", "@": "cyan"}
HEADERS = ("diff ", "index ", "--- ", "+++ ", "new file", "deleted file", "old mode", "new mode", "rename ", "similarity ")


def diff(patch: bytes) -> Text:
    """A patch in colours, safe to print."""
    text = Text()
    for row in safe(patch).splitlines(keepends=True):
        text.append(row, "bold" if row.startswith(HEADERS) else COLOURS.get(row[:1], ""))
    return text


def show_solution(
    out: Console, solution: Solution, task: Task, run: str, patch_file: Path, tests: Path | None = None, again: str = ""
) -> None:
    """Print the outcome of a run. `tests`: where those are that were written for it; `again`: a command that goes on, if any."""
    cost = f"{solution.cost.evaluations} evaluations, {solution.cost.seconds:.1f} s"
    if solution.cost.tokens:
        cost += f", ${solution.cost.dollars:.4f}, {solution.cost.tokens:,} tokens"
    if solution.best is None:
        out.print(Text.assemble((f"no fix was verified ({cost})", "bold yellow"), f": {line(solution.why, 600)}"))
        _alternatives(out, solution.alternatives, run)
        _tests(out, tests)
        out.print(f"see what was tried: swesearch show {run}")
        if again:
            out.print(f"go on from there:   {again}")
        return
    out.print(Text(f"fixed: {line(solution.best.attempt.action.why if solution.best.attempt.action else '')}", "bold green"), f"({cost})")
    out.print()
    out.print(diff(solution.best.patch), end="")
    out.print()
    _evidence(out, solution.best, solution.why, solution.confidence, task)
    _alternatives(out, solution.alternatives, run)
    out.print(f"apply it:    swesearch apply {run}")
    out.print(f"patch file:  {safe(str(patch_file))}")
    _tests(out, tests)


def _evidence(out: Console, best: Candidate, why: str, sure: float | None, task: Task) -> None:
    for check in task.checks:
        out.print(Text(f"check:       {line(' '.join(check.command))}"))
    passed = [test for term in best.attempt.evaluation.terms for test in term.facts.get("passed", ())]
    for test in passed[:SHOWN]:
        out.print(Text(f"passes now:  {line(test)}"))
    if len(passed) > SHOWN:
        out.print(f"             and {len(passed) - SHOWN} more tests")
    for reason in best.reasons:
        out.print(Text(f"evidence:    {line(reason)}"))
    if sure is not None:
        out.print(f"confidence:  {sure:.2f}")
    if why:
        out.print(Text(f"chosen:      {line(why)}"))
    out.print()


def _tests(out: Console, folder: Path | None) -> None:
    """Where the tests are that stood in for a check."""
    if folder:
        out.print(f"tests:       {safe(str(folder))} (written from the issue; no part of the patch)")


def _alternatives(out: Console, others: tuple[Candidate, ...], run: str) -> None:
    """What else passed, and what tells it apart."""
    if not others:
        return
    out.print(f"also passed (apply one with swesearch apply {run} -n NUMBER):")
    for number, other in enumerate(others, start=1):
        why = other.attempt.action.why if other.attempt.action else ""
        out.print(Text(f"  {number}. {line(why)}", "cyan"))
        out.print(Text("".join(f"     {line(reason)}\n" for reason in other.reasons)), end="")
    out.print()
