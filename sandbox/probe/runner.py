"""The test runner inside a box. Started by the agent as `python -B -s runner.py [serve]`; see `session` and `zygote`.

fd 3 brings the job (JSON until EOF), fd 4 takes the report. As `serve`, fd 3 is a socket on which jobs come one by one.
"""

import os
import sys
import types

NAME = "swesearch_probe"  # our siblings must not take the names of the repository's own modules
PROBE = os.path.dirname(os.path.abspath(__file__))


def _house() -> None:
    """Make this folder a package of that name and take it off the import path again."""
    package = types.ModuleType(NAME)
    package.__path__ = [PROBE]
    sys.modules[NAME] = package
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != PROBE]


def main() -> None:
    """Serve jobs, or run the one job that waits on fd 3."""
    _house()
    if sys.argv[1:] == ["serve"]:
        from swesearch_probe import zygote  # type: ignore[import-not-found]

        zygote.serve(3)
    else:
        from swesearch_probe import session

        session.fresh(3, 4)


if __name__ == "__main__":
    main()
