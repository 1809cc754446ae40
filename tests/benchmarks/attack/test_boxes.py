"""The reduced form of `scripts/attack` in the sandboxes: every attack that needs no deadline, as a candidate in a real box."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from benchmarks.attack import host as on_host
from benchmarks.attack import life
from benchmarks.attack.base import Attack
from benchmarks.attack.boxes import ATTACKS, Arena
from benchmarks.attack.escapes import ESCAPES
from benchmarks.attack.forgeries import LIES, VERDICTS
from benchmarks.attack.ground import Ground, host
from benchmarks.attack.residue import RESIDUE
from benchmarks.attack.table import surprise
from sandbox.base import SandboxUnavailable

QUICK = [attack for attack in ATTACKS if not attack.slow]
BY_THE_ENGINE = {"many processes", "memory bomb of many processes", "full work tree", "inode bomb", "CPU hog"}
# In Docker, what Docker stops: the verdict is the same wherever the tests ran, and so is what the agent itself bounds.
IN_DOCKER = [attack for attack in QUICK if attack in (*ESCAPES, *RESIDUE) or attack.name in BY_THE_ENGINE]
OPEN_DOOR = Attack("an open door", "nothing", body='breach("it is open")\n')
Arenas = Callable[[str], Arena]


@pytest.fixture(scope="session")
def arenas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arenas]:
    """The boxes of a backend, and a host that is worth an attack. One of each for all tests."""
    made: list[Ground] = []
    with host(tmp_path_factory.mktemp("host")) as about:

        @cache
        def of(backend: str) -> Arena:
            made.append(Ground(backend, tmp_path_factory.mktemp(backend)))
            return Arena(made[-1], about)

        yield of
        for ground in made:
            ground.close()
            assert life.left_of(ground.backend, ground.run) == ""


def as_promised(arena: Arena, attack: Attack) -> None:
    finding = arena.attack(attack)
    assert finding.as_promised, surprise(finding)


@pytest.mark.docker
@pytest.mark.parametrize("attack", IN_DOCKER, ids=lambda attack: attack.name)
def test_in_docker_it_is_as_promised(attack: Attack, arenas: Arenas) -> None:
    as_promised(arenas("docker"), attack)


@pytest.mark.parametrize("attack", QUICK, ids=lambda attack: attack.name)
def test_in_bubblewrap_it_is_as_promised(attack: Attack, arenas: Arenas) -> None:
    try:
        arena = arenas("bubblewrap")
    except SandboxUnavailable as error:
        pytest.skip(str(error))
    as_promised(arena, attack)


@pytest.mark.parametrize("attack", [attack for attack in on_host.HOST if not attack.slow], ids=lambda attack: attack.name)
def test_on_the_host_it_is_stopped(attack: on_host.HostAttack, tmp_path: Path) -> None:
    assert [finding.seen for finding in on_host.run([attack], tmp_path)] == [""]


def test_an_attack_that_gets_through_is_a_surprise(arenas: Arenas) -> None:
    finding = arenas("local").attack(OPEN_DOOR)
    assert (finding.stopped, finding.as_promised, finding.seen) == (False, False, "BREACH: it is open")


def test_what_local_is_said_not_to_stop_it_does_not_stop(arenas: Arenas) -> None:
    for name in ("secrets in files", "network", "abstract sockets of the host", "processes of the host", "many processes"):
        finding = arenas("local").attack(next(attack for attack in ATTACKS if attack.name == name))
        assert (finding.stopped, finding.as_promised) == (False, True), surprise(finding)


def test_a_lie_that_is_handed_over_is_a_surprise(arenas: Arenas) -> None:
    """The one lie that is known to get through, under another name: nobody has said that it does."""
    watchful = next(attack for attack in VERDICTS if attack.name == "code that behaves where it is under test")
    finding = arenas("local").attack(Attack("a new lie", "nothing", files=watchful.files))
    assert (finding.stopped, finding.verdict, finding.as_promised) == (False, "handed over", False)


def test_what_would_reach_this_machine_is_not_run(arenas: Arenas) -> None:
    spared = [attack for attack in ATTACKS if "local" in attack.spares]
    assert {"fork bomb", "killed init", "devices and the clock"} <= {attack.name for attack in spared}
    for attack in spared:
        finding = arenas("local").attack(attack)
        assert (finding.run, finding.stopped, finding.as_promised) == (False, False, True), attack.name


def test_the_lies_are_among_the_attacks_and_what_the_engine_bounds_too() -> None:
    names = {attack.name for attack in QUICK}
    assert set(LIES) <= names
    assert names >= BY_THE_ENGINE
