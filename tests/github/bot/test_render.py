"""What is posted: short, with the command that shows it, and hostile text stays text."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from swesearch.github.bot.base import Finding, Fix, Report
from swesearch.github.bot.render import MARKED, comment, healed, notices, plain, sarif_of, stopped, summary, text, workflow_command
from swesearch.github.markdown import block

EVIL = (
    "x`</code></details><!-- --> @octocat [a](http://evil) ![i](http://evil/?t) Fixes #1 \u202e <script>alert(1)</script>\n::error::pwned"
)
FIX = Fix("search", EVIL, "```\n````suggestion\nevil\n" + EVIL, (), (EVIL,))
FINDING = Finding(
    "broke", f"python -m pytest -q '{EVIL}'", 3, (EVIL, "t.py::b"), 4, EVIL, EVIL, "src/x.py", 3, (FIX, replace(FIX, how="undo"))
)
REPORT = Report("a" * 40, "b" * 40, "findings", 7, (FINDING,), notes=(EVIL,), flaky=(EVIL,))


def outside_of_code(markdown: str) -> str:
    """What GitHub would read as markup: all but fences and code elements."""
    without = re.sub(r"^(`{3,})[^\n]*\n.*?^\1$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<code>[^<]*</code>", "", without)


def test_hostile_text_is_only_ever_in_code() -> None:
    for shown in (comment(REPORT), summary(REPORT)):
        left = outside_of_code(shown)
        for mark in ("octocat", "evil", "script", "Fixes", "pwned"):
            assert mark not in left
    assert "\u202e" not in comment(REPORT)


def test_a_fence_cannot_be_closed_from_inside() -> None:
    shown = block("a\n```\nb\n`````\nc")
    assert shown.startswith("``````\n")
    assert shown.endswith("\n``````")


def test_a_mention_is_in_code_and_written_as_an_entity() -> None:
    assert plain("@octocat #1") == "<code>&#64;octocat &#35;1</code>"


def test_the_comment_begins_with_the_head_that_was_reviewed() -> None:
    for shown, head in ((comment(REPORT), "b" * 40), (healed(REPORT), "b" * 40), (stopped(), "stopped")):
        found = MARKED.match(shown)
        assert found
        assert found[1] == head


def test_each_finding_shows_its_command_and_how_often_it_was_proven() -> None:
    shown = comment(replace(REPORT, findings=(replace(FINDING, command="python -m pytest -q t.py::a"),)))
    assert "```sh\npython -m pytest -q t.py::a\n```" in shown
    assert "Failed in 3 of 3 runs on the head, passed in 3 of 3 on the base" in shown


def test_another_fix_can_come_first() -> None:
    fixes = (Fix("search", "first", "+a\n"), Fix("undo", "second", "+b\n"))
    shown = comment(replace(REPORT, findings=(replace(FINDING, fixes=fixes),)), pick=1)
    assert shown.index("second") < shown.index("first")
    assert "Fix B" in shown


def test_no_comment_is_longer_than_github_takes() -> None:
    long = replace(FINDING, fixes=tuple(Fix("search", "w", "+" + "`\n" * 9_000) for _ in range(3)))
    assert len(comment(replace(REPORT, findings=(long,) * 3))) < 65_536


def test_a_runner_reads_one_command_and_no_second_one() -> None:
    said = workflow_command(notices(REPORT)[0])
    assert said.startswith("::warning file=src/x.py,line=3,title=")
    assert "\n" not in said
    assert "\r" not in said


def test_sarif_names_rule_place_and_message() -> None:
    run = json.loads(sarif_of(REPORT))["runs"][0]
    assert run["results"][0]["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    where = run["results"][0]["locations"][0]["physicalLocation"]
    assert where == {"artifactLocation": {"uri": "src/x.py"}, "region": {"startLine": 3}}


def test_nothing_steers_the_terminal() -> None:
    assert "\x1b" not in text(replace(REPORT, notes=("\x1b[2J",)))
