"""Commands of packages beside this one, found by their entry points: this package cannot import what knows the answers."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import entry_points

import typer

from swesearch.base import UsageError

GROUP = "swesearch.commands"
WHERE = "it comes with a checkout of the repository, not with the installed package: pip install -e '.[bench]' in the checkout"


def run(name: str, arguments: Sequence[str]) -> int:
    """Run the command of this name. Returns its exit code. Raises UsageError where it is not installed."""
    found = [point for point in entry_points(group=GROUP) if point.name == name]
    if not found:
        raise UsageError(f"`swesearch {name}` is not installed: {WHERE}")
    try:
        command = typer.main.get_command(found[0].load())
    except ModuleNotFoundError as error:
        raise UsageError(f"`swesearch {name}` cannot be loaded ({error}): {WHERE}") from error
    code = command.main([*arguments], prog_name=f"swesearch {name}", standalone_mode=False)
    return code if isinstance(code, int) else 0
