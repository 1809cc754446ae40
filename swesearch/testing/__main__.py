"""`python -m swesearch.testing --say TEXT`: a provider that always says the same, to try things with no account."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Sequence

from . import FakeProvider, says


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m swesearch.testing", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--say", default="I have nothing to add.", metavar="TEXT", help="what each answer says")
    chosen = parser.parse_args(arguments)
    with FakeProvider(says(chosen.say), port=chosen.port) as provider:
        try:
            print(f"export ANTHROPIC_BASE_URL={provider.url} ANTHROPIC_API_KEY=none", flush=True)
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
