"""The documents of evaluations name what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import typer

from benchmarks.cli import app
from benchmarks.swebench import scale
from benchmarks.swebench.base import Mode
from benchmarks.swebench.data import NAMES

ROOT = Path(__file__).parents[3]
DOCUMENTS = ("docs/swebench.md", "docs/scaling.md")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = {name: {option for parameter in command.params for option in parameter.opts} for name, command in COMMANDS.items()}
# of ray, of swesearch show, of the engine
OTHERS = {"--address", "--resources", "--head", "--home", "--host", "--nodes", "--model", "--generate"}


def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_in_the_documents_takes_its_flags(document: str) -> None:
    found = re.findall(r"swesearch bench (\w+)([^\n`]*)", "\n".join(re.findall(r"```console\n(.*?)```", text(document), re.DOTALL)))
    assert found
    for command, rest in found:
        used = set(re.findall(r"(?<!\S)(--?[a-z][a-z-]*)", rest))
        assert used <= OPTIONS[command], f"{command}: {used - OPTIONS[command]}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_flag_in_the_documents_exists(document: str) -> None:
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text(document)))
    known = set().union(*OPTIONS.values()) | OTHERS | {f"--{name.replace('_', '-')}" for name in scale.Load.__dataclass_fields__}
    known |= {"--no-pull", "--help"}
    assert flags <= known, flags - known


def test_modes_and_data_sets_are_named() -> None:
    words = set(re.findall(r"`([\w-]+)`", text("docs/swebench.md")))
    assert set(get_args(Mode)) <= words
    assert set(NAMES) - {"multimodal"} <= words


def test_the_figures_are_those_of_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    (command,) = re.findall(r"benchmarks\.swebench\.scale ([^\n]*)", text("docs/scaling.md"))
    assert scale.main(command.split()) == 0
    assert capsys.readouterr().out in text("docs/scaling.md")


def test_more_nodes_than_instances_need_do_not_help() -> None:
    assert scale.Load(nodes=63).wall_minutes == scale.Load(nodes=640).wall_minutes < scale.Load(nodes=16).wall_minutes
    assert scale.Load(nodes=1, prune=True).disk_gb < scale.Load(nodes=1).disk_gb
    assert scale.Load(attempts=100).instance_dollars == scale.Load().budget
