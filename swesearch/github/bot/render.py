"""A report as people and machines read it: comment, check run, SARIF, job summary. All text of a report is hostile and stays text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from swesearch import __version__
from swesearch.agents.clean import visible
from swesearch.github.bot.base import Finding, Fix, Report
from swesearch.github.markdown import block
from swesearch.report.text import safe

MARK = "<!-- swesearch:v1 head:{} -->"
MARKED = re.compile(r"\A<!-- swesearch:v1 head:([0-9a-f]{40}|stopped) -->")
COMMENT, SUMMARY = 60_000, 60_000  # characters; GitHub takes 65,536
SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|>~<&@:-])")
LETTERS = "ABC"
PROJECT = "swesearch"
ENDINGS = {
    "clean": "None of the tests that were run is broken by the change.",
    "findings": "The change breaks something.",
    "untouched": "The change reaches no test.",
    "unknown": "It could not be found out whether the change breaks something.",
}


def plain(text: str) -> str:
    """Hostile text on one line, as it is. GitHub looks for mentions and issues after entities are read, but never in code."""
    flat = " ".join(visible(text).split())
    return f"<code>{SPECIAL.sub(lambda match: f'&#{ord(match[1])};', flat)}</code>"


def comment(report: Report, pick: int = 0, inline: bool = False) -> str:
    """The sticky comment. `pick`: which fix comes first; `inline`: the first fix stands as a suggestion in the diff."""
    parts = [MARK.format(report.head), headline(report)]
    parts += [finding(each, number, pick, inline) for number, each in enumerate(report.findings, 1)]
    parts += _rest(report)
    text = "\n\n".join(parts)
    return text if len(text) <= COMMENT else text[:COMMENT] + "\n\n(cut short)"


def healed(report: Report) -> str:
    """The sticky comment once a later head has nothing wrong."""
    return f"{MARK.format(report.head)}\n**{PROJECT}**: what was found before is gone in {report.head[:12]}. {ENDINGS[report.ending]}"


def stopped() -> str:
    """The sticky comment once somebody told us to stop."""
    return f"{MARK.format('stopped')}\n**{PROJECT}** was told to stop on this pull request. `/swesearch retry` starts it again."


def headline(report: Report) -> str:
    """What the review came to, in a line."""
    number = len(report.findings) + report.others
    tests = sum(len(each.tests) + each.others for each in report.findings)
    if not number:
        return f"**{PROJECT}**: {ENDINGS[report.ending]}"
    many = f"{tests} tests" if tests != 1 else "one test"
    return f"**{PROJECT}**: {many} fail{'s' if tests == 1 else ''} on {report.head[:12]} because of this pull request."


def finding(each: Finding, number: int, pick: int = 0, inline: bool = False) -> str:
    """One finding: what fails, the command that shows it, what it says, and what mends it."""
    where = f" at {plain(each.path)}:{each.line}" if each.path else ""
    lines = [f"### {number}. {plain(each.tests[0] if each.tests else each.error)}", f"{proof(each)}{where}.", block(each.command, "sh")]
    if each.error or each.message:
        lines.append(block(f"{each.error}: {each.message}".strip(": "), "text"))
    if len(each.tests) > 1 or each.others:
        more = [plain(name) for name in each.tests[1:6]]
        left = len(each.tests) - 1 - len(more) + each.others
        lines.append(f"Fail alike: {', '.join(more)}{f' and {left} more' if left else ''}.")
    lines += _fixes(each.fixes, pick, inline)
    return "\n\n".join(lines)


def proof(each: Finding) -> str:
    """How a finding was shown, in words."""
    if each.kind == "own":
        return f"Came with this pull request, and failed in {each.runs} of {each.runs} runs on its head"
    return f"Failed in {each.runs} of {each.runs} runs on the head, passed in {each.runs} of {each.runs} on the base"


def _fixes(fixes: Sequence[Fix], pick: int, inline: bool) -> Iterator[str]:
    if not fixes:
        yield "No fix was found that makes this pass and keeps what passes."
        return
    order = sorted(range(len(fixes)), key=lambda index: index != min(pick, len(fixes) - 1))
    for index in order:
        yield _one(fixes[index], LETTERS[index], index == order[0], inline)
    if len(fixes) > 1:
        yield "`/swesearch pick B` puts another fix first."


def _one(fix: Fix, letter: str, first: bool, inline: bool) -> str:
    """A fix, unfolded if it is the first."""
    how = "Found by searching, and verified in a fresh sandbox" if fix.how == "search" else "Takes lines of this pull request back"
    where = ", stands as a suggestion in the diff" if inline and first and fix.suggestions else ""
    words = "\n".join(f"- {plain(line)}" for line in fix.evidence[:4])
    top = f"<details{' open' if first else ''}><summary>Fix {letter}: {plain(fix.why)}</summary>"
    return "\n\n".join([top, f"{how}{where}.", block(fix.patch, "diff"), words, "</details>"])


def _rest(report: Report) -> Iterator[str]:
    if report.others:
        yield f"{report.others} more findings are proven and not told here."
    details = [f"- {plain(note)}" for note in report.notes] + [f"- flaky, no finding: {plain(name)}" for name in report.flaky]
    if details:
        yield "<details><summary>What was left out</summary>\n\n" + "\n".join(details) + "\n</details>"
    yield f"<sub>{_used(report)} `/swesearch stop` ends this here.</sub>"


def _used(report: Report) -> str:
    money = f"${report.dollars:.2f} for models" if report.dollars else "no model"
    return f"{report.tests} tests, {report.evaluations} states, {report.seconds:.0f} s, {money}."


def text(report: Report) -> str:
    """The report for a terminal, every byte of it safe to print."""
    lines = [headline(report).replace("*", "")]
    for number, each in enumerate(report.findings, 1):
        names = [*each.tests[:6], *([f"and {len(each.tests[6:]) + each.others} more"] if each.tests[6:] or each.others else [])]
        lines += ["", f"{number}. {', '.join(names)}", f"   {proof(each)}.", f"   $ {each.command}"]
        lines += [f"     {row}" for row in f"{each.error}: {each.message}".splitlines()[:8]]
        for letter, fix in zip(LETTERS, each.fixes, strict=False):
            lines += [f"   Fix {letter}: {fix.why}", *(f"     {row}" for row in fix.patch.splitlines())]
    lines += ["", *(f"note: {note}" for note in report.notes), *(f"flaky: {name}" for name in report.flaky), _used(report)]
    return safe("\n".join(lines))


def summary(report: Report) -> str:
    """The whole report for a job summary, a check run or a terminal."""
    text = "\n\n".join([headline(report), *(finding(each, number) for number, each in enumerate(report.findings, 1)), *_rest(report)])
    return text if len(text) <= SUMMARY else text[:SUMMARY] + "\n\n(cut short)"


def notices(report: Report) -> list[dict[str, Any]]:
    """The findings as annotations of a check run, where they have a place."""
    return [
        {
            "path": each.path,
            "start_line": max(1, each.line),
            "end_line": max(1, each.line),
            "annotation_level": "warning",
            "title": visible(each.tests[0] if each.tests else each.error)[:200],
            "message": visible(f"{proof(each)}.\n{each.command}\n{each.error}: {each.message}")[:4000],
        }
        for each in report.findings
        if each.path
    ]


def workflow_command(notice: Mapping[str, Any]) -> str:
    """An annotation as the runner reads it from stdout. Nothing in it can begin a command of its own."""

    def safe_value(value: object, marks: str = "%\r\n:,") -> str:
        return "".join(f"%{ord(c):02X}" if c in marks else c for c in str(value))

    where = {"file": notice["path"], "line": notice["start_line"], "title": notice["title"]}
    about = ",".join(f"{name}={safe_value(value)}" for name, value in where.items())
    return f"::warning {about}::{safe_value(notice['message'], '%' + chr(13) + chr(10))}"


def sarif_of(report: Report) -> bytes:
    """The findings as SARIF 2.1.0, for code scanning."""
    rules = {"broke": "A test that passes on the base fails on the head", "own": "A test that came with the pull request fails"}
    driver = {
        "name": PROJECT, "version": __version__,
        "rules": [{"id": key, "shortDescription": {"text": words}} for key, words in rules.items()],
    }  # fmt: skip
    results = [_result(each) for each in report.findings]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    return json.dumps({"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}, indent=1).encode()


def _result(each: Finding) -> dict[str, Any]:
    name = each.tests[0] if each.tests else each.error
    region = {"artifactLocation": {"uri": each.path or "."}, "region": {"startLine": max(1, each.line)}}
    return {
        "ruleId": each.kind,
        "level": "warning",
        "message": {"text": visible(f"{name}: {each.error}: {each.message}\n{proof(each)}:\n{each.command}")},
        "locations": [{"physicalLocation": region}],
        "partialFingerprints": {"test/v1": name},
    }
