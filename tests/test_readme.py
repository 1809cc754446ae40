"""What the documents name must exist."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from swesearch.dialogue import ModelRole
from swesearch.settings import KEYS, PRESETS, STRATEGIES, Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/models.md",
    "docs/swebench.md",
    "docs/scaling.md",
    "docs/bot.md",
    "docs/github.md",
    "docs/report.md",
    "docs/steering.md",
    "docs/export.md",
    "docs/reliability.md",
)
CODE = re.findall(r"```.*?```|`[^`\n]+`", README, re.DOTALL)
COMMANDS = sorted({command for code in CODE for command in re.findall(r"swesearch (\w+)", code) if not code.startswith("```toml")})
FLAGS = sorted({flag for code in CODE for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*", code)} - {"--list"})  # of scripts/demo


@cache
def help_of(*command: str) -> str:
    done = subprocess.run([sys.executable, "-m", "swesearch", *command, "--help"], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_readme_names_commands_and_flags() -> None:
    assert {"bench", "fix", "apply", "resume", "runs", "show", "doctor", "config"} <= set(COMMANDS)
    assert "--check" in FLAGS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_the_readme_exists(command: str) -> None:
    assert f"Usage: swesearch {command}" in help_of(command)


@pytest.mark.parametrize("flag", FLAGS)
def test_every_flag_in_the_readme_exists(flag: str) -> None:
    commands = [*((name,) for name in COMMANDS), ("bench", "swebench"), ("bot", "review")]
    assert any(re.search(rf"{flag}\b", help_of(*command)) for command in commands)


def test_the_exit_codes_of_the_readme_are_those_of_the_help() -> None:
    table = set(re.findall(r"^\| (\d+) \|", README, re.MULTILINE))
    text = help_of()
    assert table == set(re.findall(r"\b\d+\b", text[text.index("Exit codes:") :]))


def test_the_settings_of_the_readme_can_be_loaded() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)
    assert Settings().updated(tomllib.loads(block), "README.md").search.strategy == "mcts"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_and_link_in_the_documents_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    paths = re.findall(r"`((?:swesearch|sandbox|benchmarks|tests|scripts|docs|\.ci)/[\w./-]*)", text)
    missing = [name for name in links if not (ROOT / document).parent.joinpath(name).exists()]
    assert missing + [name for name in paths if not (ROOT / name).exists()] == []
    assert links or paths


def test_the_document_on_models_names_every_role_strategy_preset_and_flag_as_it_is() -> None:
    text = (ROOT / "docs/models.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([^`\n]+)`", text))
    assert {f"model.{role}" for role in get_args(ModelRole)} <= named
    assert {"synthesis", "progressive", "auto", "mcts", "best_of_n", "linear"} <= named & set(STRATEGIES)
    assert set(PRESETS) <= named
    settings = re.findall(r"\b((?:model|agents|discriminator|search|budget)\.[a-z_]+)=", text) + re.findall(r"`(model\.\w+)`", text)
    assert [key for key in settings if key not in KEYS] == []
    assert [flag for flag in re.findall(r"(?<![\w-])--[a-z][a-z-]*", text) if flag not in help_of("fix") + help_of("resume")] == []
