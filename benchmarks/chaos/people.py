"""What people do: Ctrl-C once and twice, SIGTERM, a closed terminal, two resumes at once."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time

from benchmarks.chaos.case import Stage, case
from benchmarks.chaos.look import events, nothing_left, nothing_lost, soon
from benchmarks.chaos.place import ROOT, TEMPLATES, Place, must

STOPPED = 130


@case("ctrl-c", "Ctrl-C in the middle of a search")
def once(stage: Stage) -> str:
    """It finishes what is under way, and says how to go on."""
    return _asked_to_stop(stage, signal.SIGINT)


@case("sigterm", "SIGTERM in the middle of a search", quick=False)
def terminated(stage: Stage) -> str:
    """The same as Ctrl-C."""
    return _asked_to_stop(stage, signal.SIGTERM)


def _asked_to_stop(stage: Stage, number: int) -> str:
    with stage.place() as made:
        running = made.fix()
        running.until_nodes(stage.chance.randint(2, 8))
        running.send(number)
        running.ends(STOPPED)
        must(running.events[-1].get("why") == "interrupted", f"the last event is {running.events[-1]}")
        before = len(running.nodes)
        _interrupted(stage, made)
        return f"stopped after {before} states with exit code {STOPPED}, resumed to the same result"


def _interrupted(stage: Stage, made: Place) -> None:
    """The journal says so, nothing is left, and a resume comes to the same end."""
    last = events(made)[-1]
    must(last.kind == "stopped" and last.data["why"] == "interrupted", f"the last event is {last.kind} {last.data}")
    nothing_left(made)
    made.resume().ends(0)
    stage.whole(made)


@case("ctrl-c-twice", "Ctrl-C twice while a state is evaluated", quick=False)
def twice(stage: Stage) -> str:
    """It ends at once."""
    with stage.place(pause=0.8) as made:
        running = made.fix()
        running.until_nodes(2)
        began = time.monotonic()
        running.send(signal.SIGINT)
        soon(lambda: "stopping" in running.said, lambda: "it did not say that it is stopping")
        running.send(signal.SIGINT)
        running.ends(STOPPED)
        took = time.monotonic() - began
        must(took < 2, f"it took {took:.1f} s")
        nothing_left(made, sealed=False)
        made.resume("--budget", "2").ends(0, 3)
        nothing_lost(made)
        nothing_left(made)
        return f"ended at once with exit code {STOPPED}; resume went on"


@case("hangup", "the terminal is closed in the middle of a search (SIGHUP, and nothing can be written to it)")
def hangup(stage: Stage) -> str:
    """It stops as at Ctrl-C: cleanly, and resumable."""
    with stage.place() as made:
        terminal, inside = pty.openpty()
        words = [str(made.repo), *TEMPLATES, "--sandbox", made.sandbox, "--workers", "1", "--python", sys.executable]
        process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", sys.executable, "-m", "swesearch", "fix", *words], stdin=inside, stdout=inside, stderr=inside,
            cwd=ROOT, env=made.environment(),
        )  # fmt: skip
        os.close(inside)
        soon(lambda: made.has_run and sum(event.kind == "node" for event in events(made)) >= 3, lambda: "no state was reached", 60)
        os.close(terminal)  # the kernel sends SIGHUP
        process.wait(60)
        _interrupted(stage, made)
        return "stopped as interrupted, resumed to the same result"


@case("broken-pipe", "whoever reads --json goes away", quick=False)
def broken_pipe(stage: Stage) -> str:
    """It stops as at Ctrl-C, with the exit code of a broken pipe."""
    with stage.place() as made:
        running = made.fix()
        running.until_nodes(3)
        running.deaf()
        running.ends(1)
        _interrupted(stage, made)
        return "stopped as interrupted with exit code 1, resumed to the same result"


@case("two-resumes", "two `resume` of one run at once")
def two_resumes(stage: Stage) -> str:
    """One goes on, the other says in one line that it may not."""
    with stage.place() as made:
        running = made.fix()
        running.until_nodes(4)
        running.send(signal.SIGKILL)
        running.wait()
        pair = [made.resume(), made.resume()]
        codes = sorted(one.wait() for one in pair)
        must(codes == [0, 4], f"exit codes {codes}")
        loser = next(one for one in pair if one.wait() == 4)
        loser.ends(4, line="is being written by another process")
        stage.whole(made)
        return "one went on to the same result, the other ended with exit code 4 and one line"
