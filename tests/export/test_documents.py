"""docs/export.md and docs/steering.md say what is so."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.main import get_command

from swesearch.cli.app import app
from swesearch.export import FORMATS, export
from swesearch.report.account import BECAME
from swesearch.runs import Run
from swesearch.steer import KINDS, LONGEST
from swesearch.store.named import ALLOWED

ROOT = Path(__file__).parents[2]
EXPORT, STEERING = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("export.md", "steering.md"))


def rows(text: str) -> list[str]:
    """The names in the first column of every table."""
    return [name for row in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`([^`]+)`", row)]


def test_every_field_of_the_json_form_is_described(finished: Run) -> None:
    told = json.loads(export(finished.id, finished.events(), "json"))
    named = set(re.findall(r"`(\w+)`", EXPORT))

    assert set(told) - {"format", "version"} <= set(rows(EXPORT))
    assert {key for node in told["nodes"] for key in node} <= named
    assert {*BECAME, "root"} <= named


def test_every_format_is_described() -> None:
    assert set(FORMATS) <= set(rows(EXPORT))


def test_every_command_that_is_named_exists() -> None:
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"swesearch ([a-z]+)", EXPORT + STEERING))
    assert named - {"does"} <= commands
    assert set(KINDS) <= named
    assert f"({', '.join(ALLOWED)})" in STEERING
    assert f"{LONGEST:,} characters" in STEERING
