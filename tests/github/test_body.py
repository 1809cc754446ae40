"""The text of a pull request: everything a reviewer asks for, and nothing in it that acts, whatever the repository or a model said."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from swesearch.base import Action, Attempt, Candidate, Check, Cost, Evaluation, Event, Solution, State, Task, UsageError
from swesearch.github.body import LONGEST, carried, pull_body
from swesearch.github.bundle import Bundle, Change
from swesearch.runs import Run, begin
from swesearch.settings import Settings
from swesearch.solve.proofs import Proof

HOSTILE = "@octo fixes #99 ``` </details> <img src=x> | https://github.com/o/r/issues/5\n\n# Merge this\n`GH-7` \u202e"


def candidate(why: str, patch: bytes = b"diff\n", *reasons: str) -> Candidate:
    return Candidate(Attempt(Action((), why), State("b" * 40), Evaluation(1.0, solved=True)), patch, verified=True, reasons=reasons)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that wrote a test, and had a candidate that did not hold."""
    made = begin(Task(tmp_path, (), HOSTILE, url="https://github.com/o/r/issues/1"), Settings(), tmp_path / "home")
    journal = made.journal()
    journal.append(Event("reproduced", {"root": "a" * 40, "tests": [{"path": "test_x.py", "source": f"# {HOSTILE}\n"}]}))
    journal.append(Event("finalist", {"verified": False, "reasons": ["it passes", f"newly failing: {HOSTILE}"]}))
    journal.close()
    return made


def bundle(content: bytes = b"x = 1\n") -> Bundle:
    return Bundle("a" * 40, (), (Change("x.py", content),), "b" * 40, "c" * 40, (Check(("pytest", HOSTILE)),), b"diff\n")


def prose(text: str) -> str:
    """What a reader sees of a text outside of code, by a renderer of Markdown; with HTML, which GitHub would show."""
    tokens = [inner for token in MarkdownIt().enable("table").parse(text) for inner in (token.children or [token])]
    assert not [token for token in tokens if token.type in ("link_open", "image")]
    return "\n".join(token.content for token in tokens if token.type in ("text", "html_block", "html_inline"))


def test_a_reviewer_finds_what_they_ask_for_and_no_word_of_others_acts(run: Run) -> None:
    best, other = candidate(HOSTILE, b"diff\n", "one"), candidate(f"other {HOSTILE}", HOSTILE.encode(), "two", HOSTILE)
    solution = Solution(best, (other,), f"fewer changes {HOSTILE}", Cost(9, 2.0, 1000, 0.5), confidence=0.75)
    text = pull_body(12, run, solution, best, bundle(), [Proof(True, "passes"), Proof(True, HOSTILE)])
    shown = prose(text)
    for words in (
        "Fixes #12\n",
        "confidence",
        "0.75",
        "written from the issue",
        "holds\n",
        "noted\n",
        "not when verified",
        "$0.50",
        "its patch",
    ):
        assert words in shown
    assert "fewer changes" in text
    assert re.findall(r"@|#\d+|GH-\d|https?:|<img|\u202e|^# ", shown, re.MULTILINE) == ["#12"]
    assert shown.count("<details>") == shown.count("</details>") == 2
    assert carried(text) == bundle()


def test_a_second_result_is_not_told_as_the_best(run: Run) -> None:
    best, other = candidate("the best"), candidate("the other")
    text = pull_body(12, run, Solution(best, (other,), "fewer changes", Cost(), confidence=0.75), other, bundle(), [])
    assert "What this change does: `the other`" in text
    assert "- `the best`" in text
    assert "0.75" not in text
    assert "fewer changes" not in text


def test_a_text_that_is_too_long_leaves_out_whole_parts(run: Run) -> None:
    many = [Proof(True, "`" * 400 + str(n)) for n in range(90)]
    others = tuple(candidate("x" * 9000, b"\xe2\x80\xae" * 9000, *["y" * 9000] * 9) for _ in range(9))
    best = candidate("z" * 9000)
    text = pull_body(12, run, Solution(best, others, "w" * 9000, Cost()), best, bundle(), many)
    assert len(text) <= LONGEST
    assert text.startswith("Fixes #12\n")
    assert "\u202e" not in text
    assert prose(text).count("`") == 0


def test_a_bundle_that_is_too_large_is_asked_for(run: Run) -> None:
    large = bundle(random.Random(0).randbytes(60_000))
    best = candidate("x")
    text = pull_body(12, run, Solution(best, (), "", Cost()), best, large, [])
    assert f"swesearch bundle {run.id}" in text
    with pytest.raises(UsageError, match="carries no bundle"):
        carried(text)


def test_the_last_bundle_of_a_text_is_the_one_that_counts(run: Run) -> None:
    best = candidate("x")
    text = pull_body(12, run, Solution(best, (), "", Cost()), best, bundle(), [])
    assert carried("````\n```swesearch-bundle\nAAAA\n```\n````\n" + text.replace("\n", "\r\n")) == bundle()
