"""What dies: the process at any moment, a box, a container, the Docker engine."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import closing

from benchmarks.chaos.case import Stage, case
from benchmarks.chaos.look import agents, below, containers, kill, nothing_left, nothing_lost, paid_twice, result, soon, subreaper
from benchmarks.chaos.place import Place, Running, must
from benchmarks.own_engine import engine_at, lend_image, own_engine


@case("kill", "kill -9 of the process at random moments")
def killed(stage: Stage) -> str:
    """Killed again and again, each time it has got a little further, until it is let through."""
    return _killed_again_and_again(stage, _at_random)


@case("kill-mid-write", "kill -9 of the process just as the journal or the store of states grows", quick=False)
def killed_while_writing(stage: Stage) -> str:
    """The same, with the moment chosen by the files."""
    return _killed_again_and_again(stage, _while_it_writes)


@case("kill-early", "kill -9 of the process before it has evaluated anything", quick=False)
def killed_early(stage: Stage) -> str:
    """Its folder may be there or not; a new run is not disturbed by what is left."""
    for _ in range(stage.rounds):
        with stage.place() as made:
            running = made.fix()
            time.sleep(stage.chance.uniform(0.1, 1.5))
            running.send(signal.SIGKILL)
            running.wait()
            _again(made).ends(0)
            stage.whole(made)
    return f"{stage.rounds} times: the run, or a new one, came to the same result"


def _killed_again_and_again(stage: Stage, wait: Callable[[Place, Running, random.Random], None]) -> str:
    with stage.place() as made:
        running, kills = made.fix(), 0
        for _ in range(stage.rounds):
            wait(made, running, stage.chance)
            running.send(signal.SIGKILL)
            kills += running.wait() == -signal.SIGKILL
            running = _again(made)
        running.ends(0)
        stage.whole(made)
        return f"killed {kills} times, resumed each time; no state found out twice, the same result"


def _again(made: Place) -> Running:
    """Go on; begin, where it had not come to that."""
    return made.resume() if made.has_run else made.fix()


def _at_random(_: Place, running: Running, chance: random.Random) -> None:
    goal, end = len(running.nodes) + chance.randint(1, 3), time.monotonic() + 60
    while len(running.nodes) < goal and running.process.poll() is None and time.monotonic() < end:
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.1))


def _while_it_writes(made: Place, running: Running, chance: random.Random) -> None:
    """Until a file of the run has grown so many times."""
    grown, sizes, goal, end = 0, -1, chance.randint(4, 16), time.monotonic() + 60
    while grown < goal and running.process.poll() is None and time.monotonic() < end:
        now = sum(path.stat().st_size for path in made.home.glob("runs/*/*-wal")) if chance.random() < 0.5 else _logs(made)
        grown, sizes = grown + (now != sizes), now


def _logs(made: Place) -> int:
    return sum(path.stat().st_size for path in made.home.glob("runs/*/store.git/logs/*") if path.exists())


@case("kill-paid", "kill -9 of the process while it asks a model")
def killed_while_asking(stage: Stage) -> str:
    """What was answered and kept is not asked again; at most the question under way is."""
    with stage.modelled() as made:
        assert made.provider
        running, kills, goal = made.fix(), 0, 0
        for _ in range(min(4, stage.rounds)):
            goal += stage.chance.randint(2, 5)
            _until_asked(made, running, goal)
            time.sleep(stage.chance.uniform(0, 0.02))
            running.send(signal.SIGKILL)
            kills += running.wait() == -signal.SIGKILL
            running = _again(made)
        running.ends(0)
        stage.whole(made)
        twice = paid_twice(made, in_flight=kills)
        return f"killed {kills} times; {twice} answers were under way at a kill and paid twice, no other; the same result"


def _until_asked(made: Place, running: Running, count: int) -> None:
    assert made.provider
    end = time.monotonic() + 60
    while len(made.provider.requests) < count and running.process.poll() is None and time.monotonic() < end:
        time.sleep(0.001)


@case("box", "kill -9 of a box in the middle of an evaluation (no isolation)", quick=False)
def box(stage: Stage) -> str:
    """Another one takes its place; the candidate is evaluated again, not judged."""
    return _boxes_killed(stage, lambda _, running: kill(agents(running)))


@case("box-bubblewrap", "kill -9 of a box in the middle of an evaluation (bubblewrap)", "bubblewrap", quick=False)
def box_bubblewrap(stage: Stage) -> str:
    """The same."""
    stage.sandbox = "bubblewrap"
    return _boxes_killed(stage, lambda _, running: kill(agents(running)))


@case("container", "a container is killed in the middle of an evaluation", "docker")
def container(stage: Stage) -> str:
    """The same, with Docker."""
    stage.sandbox = "docker"
    return _boxes_killed(stage, lambda made, _: _kill_containers(made))


@case("kill-docker", "kill -9 of the process while its candidate runs in a container", "docker", quick=False)
def killed_in_docker(stage: Stage) -> str:
    """Its container ends by itself."""
    stage.sandbox = "docker"
    with stage.place() as made:
        running = made.fix()
        running.until_nodes(stage.chance.randint(2, 6))
        running.send(signal.SIGKILL)
        running.wait()
        soon(lambda: not containers(made.run.name), lambda: "the container outlives its run")
        made.resume().ends(0)
        stage.whole(made)
        return "the container ended by itself; resumed to the same result"


def _boxes_killed(stage: Stage, strike: Callable[[Place, Running], int]) -> str:
    with stage.place() as made:
        running, kills = made.fix(), 0
        for _ in range(min(3, stage.rounds)):
            _at_random(made, running, stage.chance)
            if running.process.poll() is None:
                kills += strike(made, running)
        running.ends(0)
        must(kills, "no box was killed")
        stage.whole(made)
        return f"{kills} boxes killed, each replaced; the run came to the same result by itself"


def _kill_containers(made: Place) -> int:
    import docker
    from docker.errors import APIError

    done = 0
    with closing(docker.from_env(timeout=30)) as client:
        for each in containers(made.run.name):
            try:
                client.api.kill(each)
                done += 1
            except APIError:  # it has just ended
                continue
    return done


@case("engine", "kill -9 of dockerd in the middle of a search, and started again", "root", "docker", "dockerd", quick=False)
def engine(stage: Stage) -> str:
    """The run stops resumable: a dead engine is never a test result."""
    stage.sandbox = "docker"
    # What a killed engine leaves must be buried by init: it waits for its containerd as long as there is a process of that number.
    with subreaper(False), own_engine() as (address, start, strike):
        start()
        lend_image(address)
        return _engine_killed(stage, address, start, strike)


def _engine_killed(stage: Stage, address: str, start: Callable[[], None], strike: Callable[[], None]) -> str:
    with stage.place(environ={"DOCKER_HOST": address}) as made:
        running = made.fix()
        running.until_nodes(3)
        strike()
        running.ends(4, line="container")
        before = len(running.nodes)
        start()
        made.before |= below(os.getpid())  # the engine itself
        made.resume().ends(0)
        nothing_lost(made)
        with engine_at(address):
            soon(lambda: not containers(), lambda: f"containers are left: {containers()}", 30)
            nothing_left(made)
        must(result(made)["patch"] == stage.quiet["patch"], "another patch than an undisturbed run's")
        return f"stopped after {before} states with exit code 4; with the engine back, resumed to the same result"
