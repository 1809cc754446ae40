"""How large the report of a run is, how soon it is painted, and how smooth it stays: in a real browser that draws without a GPU.

    python -m benchmarks.page [--nodes 500 10000]

Times of the page are CPU seconds of its main thread, which drawing, layout and script share; the first paint is on the clock.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.browser import BrowserMissing, Page, browser
from benchmarks.made_up import MadeUp
from swesearch.report.page import page
from swesearch.view import story_of

TIMES = 20
ACTIONS = {
    "draw the whole map": "page.map.fit(), page.map.paint()",
    "draw it zoomed in": "page.map.zoom(9), page.map.paint(), page.map.fit()",
    "choose a state": "page.choose(K * 7 % page.model.order.length)",
    "search": "page.search('subtract ' + K)",
    "scroll the list": "page.search(''), (page.outline.box.scrollTop = K * 500), page.outline.render()",
    "take in a new state": "page.take(page.model.head, [page.model.nodes.get(K)])",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table. Returns 0, or 4 without a browser."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", type=int, nargs="+", default=[500, 10_000], metavar="N", help="sizes of runs [500 10000]")
    sizes = parser.parse_args(arguments).nodes
    try:
        found = [measured(size) for size in sizes]
    except BrowserMissing as error:
        print(f"error: {error}", file=sys.stderr)
        return 4
    print("| | " + " | ".join(f"{size:,} states" for size in sizes) + " |\n|---" + "|---:" * len(sizes) + "|")
    for name in found[0]:
        print(f"| {name} | " + " | ".join(each[name] for each in found) + " |")
    return 0


def measured(size: int) -> dict[str, str]:
    """What there is to say of the page of a run with so many states. Raises BrowserMissing."""
    with tempfile.TemporaryDirectory() as folder, browser() as started:
        run = MadeUp(Path(folder) / "run", size).make()
        begun = time.process_time()
        file = Path(folder) / "run.html"
        file.write_text(page(story_of(run)))
        told = {"written in (CPU)": f"{time.process_time() - begun:.1f} s", "size": f"{file.stat().st_size / 1e6:.2f} MB"}
        shown = started.page()
        shown.open(file.as_uri())
        paint = shown.painted()
        told |= {"first paint": f"{paint:.0f} ms", "ready (CPU)": f"{1000 * shown.cpu():.0f} ms"}
        told |= {name: f"{1000 * _took(shown, code):.1f} ms" for name, code in ACTIONS.items()}
        assert shown.troubles() == []
    return told


def _took(shown: Page, code: str) -> float:
    """CPU seconds of an action, in the mean."""
    before = shown.cpu()
    shown.run(f"(() => {{ for (let K = 1; K <= {TIMES}; K++) {{ {code}; document.body.offsetHeight }} }})()")
    return (shown.cpu() - before) / TIMES


if __name__ == "__main__":
    sys.exit(main())
