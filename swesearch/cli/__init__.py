"""The command line: a few lines per command that call the library. Importing this is quick; each command imports what it needs."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

from sandbox.base import SandboxError, SandboxUnavailable
from swesearch.base import SwesearchError


def main() -> None:
    """Run the command line and exit. Every foreseen error is one line on stderr and an exit code; --debug shows where it came from."""
    from swesearch.cli.app import app

    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    try:
        app(prog_name="swesearch")
    except (SwesearchError, SandboxError) as error:
        if debug:
            raise
        print(f"error: {_one_line(error)}", file=sys.stderr)
        sys.exit(exit_code(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains once more while it exits
        sys.exit(1)
    except OSError as error:  # a full disk, a file that may not be written, a terminal that was closed
        if debug:
            raise
        with suppress(OSError):
            print(f"error: {_one_line(error)}", file=sys.stderr)
        sys.exit(exit_code(error))


def exit_code(error: SwesearchError | SandboxError | OSError) -> int:
    """What to exit with."""
    if isinstance(error, SwesearchError):
        return error.exit_code
    return 4 if isinstance(error, SandboxUnavailable | OSError) else 2


def _one_line(error: Exception) -> str:
    from swesearch.report.text import line

    words = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else str(error)
    return line(words or type(error).__name__, 1000)
