"""Pictures of a run's report for the documents, in both themes, taken by a real browser."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from benchmarks import demo, sdists
from benchmarks.browser import BrowserMissing, Page, browser
from sandbox.base import SandboxUnavailable
from swesearch import runs
from swesearch.base import SwesearchError
from swesearch.cli import running
from swesearch.cli.options import home_folder
from swesearch.report.page import page
from swesearch.view import story_of

IMAGES = Path(__file__).parent.parent / "docs" / "images"
BUG = "click-1"
WIDTH, HEIGHT = 1120, 720
LARGEST = 150_000  # bytes of a picture in the repository


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 0, or 4 where something that is needed is not there."""
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    parser.add_argument("run", nargs="?", metavar="RUN", help=f"a finished run; without it the demo's {BUG} is repaired")
    parser.add_argument("--home", type=Path, metavar="DIR", help="where runs are kept")
    parser.add_argument("--out", type=Path, metavar="DIR", default=IMAGES, help="where to put the pictures [docs/images]")
    given = parser.parse_args(arguments)
    home = home_folder(given.home, os.environ)
    try:
        run = runs.open_run(home, given.run) if given.run else _repaired(home)
        pictures = taken(run, given.out)
    except (SwesearchError, SandboxUnavailable, BrowserMissing, sdists.Unavailable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    for picture in pictures:
        print(f"{picture} ({picture.stat().st_size / 1000:.0f} kB)")
    return 0 if all(picture.stat().st_size < LARGEST for picture in pictures) else 1


def taken(run: runs.Run, out: Path) -> list[Path]:
    """The pictures: what the page begins with, in light; the search, in dark. Raises BrowserMissing, JournalError."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, browser() as started:
        file = Path(folder) / "run.html"
        file.write_text(page(story_of(run)))
        shown = started.page(WIDTH, HEIGHT)
        return [_picture(shown, file, out / "report.png", "light", "account"), _picture(shown, file, out / "search.png", "dark", "search")]


def _picture(shown: Page, file: Path, target: Path, theme: Literal["light", "dark"], part: str) -> Path:
    shown.open(file.as_uri(), theme)
    shown.run(f"document.getElementById('{part}').scrollIntoView(), scrollBy(0, {0 if part == 'account' else 40})")
    shown.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shown.picture(target)
    return target


def _repaired(home: Path) -> runs.Run:
    """A new run on the demo's bug. Raises sdists.Unavailable, SandboxUnavailable, SwesearchError."""
    bug = next(each for each in demo.bugs() if each.name == BUG)
    place = home / "demo"
    place.mkdir(parents=True, exist_ok=True)
    repo = demo.check_out(bug, Path(tempfile.mkdtemp(prefix=f"{bug.name}-", dir=place)) / "source", place / "archives")
    demo.repair(bug, repo, home, "auto", running.Output(quiet=True))
    return runs.open_run(home, next(known.id for known in runs.list_runs(home) if known.repo == str(repo)))


if __name__ == "__main__":
    sys.exit(main())
