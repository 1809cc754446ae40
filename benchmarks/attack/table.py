"""The findings as tables: on the terminal, and in docs/security.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.attack.base import Finding
from swesearch.report.text import line

BEGIN, END = "<!-- attacks: made by scripts/attack --markdown -->", "<!-- end of attacks -->"
BOXES = ("docker", "bubblewrap", "local")
HEADINGS = {"host": "On the host", "model": "Through the model"}


def show(out: Console, findings: Sequence[Finding]) -> None:
    """One table for each place, and what was not as promised."""
    for place in dict.fromkeys(finding.place for finding in findings):
        table = Table(title=place, title_justify="left")
        for heading in ("attack", "outcome", "verdict", "stopped by, or what was seen", "seconds"):
            table.add_column(heading, justify="right" if heading == "seconds" else "left")
        mine = [finding for finding in findings if finding.place == place]
        for finding in mine:
            told = finding.by if finding.stopped else finding.seen or "not run"
            table.add_row(
                finding.attack, outcome(finding), finding.verdict, line(told, 70), f"{finding.seconds:.1f}" if finding.run else ""
            )
        out.print(table)
        stopped = sum(finding.stopped for finding in mine)
        out.print(f"{place}: {stopped} of {len(mine)} stopped, {sum(not finding.as_promised for finding in mine)} not as promised")
    for finding in findings:
        if not finding.as_promised:
            out.print(f"SURPRISE in {finding.place}: {finding.attack}: {surprise(finding)}")


def outcome(finding: Finding) -> str:
    """In a word or two, what came of it."""
    words = "stopped" if finding.stopped else "not stopped" if finding.run else "not stopped (not run)"
    return words if finding.as_promised else f"{words} !"


def surprise(finding: Finding) -> str:
    """Why a finding is not as promised."""
    promise = "" if finding.stopped == finding.promised else "not stopped" if finding.promised else "stopped, though it is said not to be"
    return line("; ".join(filter(None, (promise, finding.problem, finding.seen))), 400)


def markdown(findings: Sequence[Finding]) -> str:
    """The same for a document: sandboxes side by side, then the rest."""
    boxes = [finding for finding in findings if finding.place in BOXES]
    places = [place for place in BOXES if any(finding.place == place for finding in boxes)]
    rows = [f"| attack | {' | '.join(places)} | stopped by |", f"|---|{'---|' * len(places)}---|"]
    for attack in dict.fromkeys(finding.attack for finding in boxes):
        mine = {finding.place: finding for finding in boxes if finding.attack == attack}
        cells = [_cell(mine[place]) if place in mine else "" for place in places]
        rows.append(f"| {attack} | {' | '.join(cells)} | {next(iter(mine.values())).by} |")
    for place, heading in HEADINGS.items():
        rest = [finding for finding in findings if finding.place == place]
        rows += ["", f"{heading}:", "", "| attack | outcome | stopped by |", "|---|---|---|"] if rest else []
        rows += [f"| {finding.attack} | {_cell(finding)} | {finding.by} |" for finding in rest]
    return "\n".join(rows)


def write(document: Path, findings: Sequence[Finding], note: str) -> None:
    """Put the tables between the marks of a document. Raises ValueError where it has none."""
    text = document.read_text(encoding="utf-8")
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{document} has no lines {BEGIN!r} and {END!r} to put the table between")
    document.write_text(f"{head}{BEGIN}\n{note}\n\n{markdown(findings)}\n{END}{tail}", encoding="utf-8")


def _cell(finding: Finding) -> str:
    if finding.stopped:
        return "stopped"
    return "**not stopped**" if finding.run else "**not stopped** (not run)"


def surprises(findings: Iterable[Finding]) -> int:
    """How many findings are not as promised."""
    return sum(not finding.as_promised for finding in findings)
