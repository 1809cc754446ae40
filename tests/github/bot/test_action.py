"""The action and the workflows that people copy: who holds what, and that no text of a pull request gets into a script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from swesearch.cli.bot import app

ROOT = Path(__file__).parents[3]
ACTION = (ROOT / "action.yml").read_text()
REVIEW = (ROOT / "docs/bot/swesearch-review.yml").read_text()
POST = (ROOT / "docs/bot/swesearch-post.yml").read_text()


def scripts(text: str) -> list[str]:
    """What stands in each `run: |`."""
    return re.findall(r"^ *run: \|\n((?: {8,}.*\n)+)", text, re.MULTILINE)


def test_no_expression_stands_in_a_script() -> None:
    assert len(scripts(ACTION)) == 3
    assert [each for each in scripts(ACTION) if "${{" in each] == []
    assert "run: " not in REVIEW + POST


@pytest.mark.parametrize("text", [ACTION, REVIEW, POST])
def test_every_action_is_pinned_by_its_hash(text: str) -> None:
    used = [each for each in re.findall(r"uses: (\S+)", text) if each != "OWNER/swesearch@COMMIT"]
    assert used or text is not ACTION
    assert [each for each in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each)] == []


def test_the_workflow_that_runs_code_has_no_secret_and_no_right_to_write() -> None:
    assert re.search(r"^permissions:\n  contents: read\n\n", REVIEW, re.MULTILINE)
    assert not re.search(r"secrets\.|github\.token|pull_request_target|write", REVIEW)
    assert "persist-credentials: false" in REVIEW


def test_the_workflow_with_the_token_checks_nothing_out() -> None:
    assert "checkout" not in POST
    assert "contents:" not in POST
    assert "mode: post" in POST


def test_the_action_uses_commands_and_flags_that_there_are() -> None:
    for name in ("action", "post"):
        (script,) = [each for each in scripts(ACTION) if f"bot {name}" in each]
        shown = CliRunner().invoke(app, [name, "--help"]).stdout
        assert [flag for flag in re.findall(r"(?<![\w-])--[a-z-]+", script) if flag not in shown] == []
