"""Attack a real installation: hostile candidates in every sandbox, hostile repositories on the host, hostile words to a model.

Exit code 0: everything is as promised, no better and no worse (see docs/security.md). 1: a surprise. 4: a sandbox is not here.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks.attack.suite import PLACES, Plan, run
from benchmarks.attack.table import outcome, show, surprises, write
from sandbox.base import SandboxUnavailable
from swesearch import __version__

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"


def main() -> int:
    """Carry the attacks out and print what came of them."""
    given = _arguments()
    progress, out = (
        Console(stderr=True, highlight=False),
        Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else 160),
    )
    findings, began = [], time.monotonic()
    plan = Plan(given.backend or PLACES, given.only or (), given.quick)
    try:
        with tempfile.TemporaryDirectory(prefix="attack-") as folder:
            for finding in run(plan, Path(folder)):
                findings.append(finding)
                progress.print(f"{finding.place}: {finding.attack}: {outcome(finding)}", markup=False)
    except SandboxUnavailable as error:
        show(out, findings)
        progress.print(f"error: {error}", markup=False)
        return 4
    if not findings:
        progress.print("error: no attack has such a name", markup=False)
        return 2
    show(out, findings)
    out.print(f"{len(findings)} attacks in {time.monotonic() - began:.0f} s, {surprises(findings)} not as promised")
    if given.markdown:
        where = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
        note = f"swesearch {__version__}, {where}, {time.strftime('%Y-%m-%d')}."
        write(given.markdown, findings, note)
    return 1 if surprises(findings) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/attack", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out what takes long: deadlines, killed boxes, git's own commands")
    parser.add_argument("--backend", action="append", choices=PLACES, help="only here; repeatable. Default: all of them")
    parser.add_argument("--only", action="append", metavar="NAME", help="only attacks with this in their name; repeatable")
    parser.add_argument(
        "--markdown", type=Path, nargs="?", const=DOCUMENT, metavar="FILE", help="put the tables into FILE (docs/security.md)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
