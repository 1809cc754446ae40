"""Which sandbox to use: the one the user names, or the best there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.base import Environment, Quota, Sandbox, SandboxError, SandboxUnavailable
from sandbox.environment import Box, host_box

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choice:
    """A kind of sandbox that works here."""

    name: str
    why: str
    box: Box  # what its boxes bring along
    make: Callable[[Environment, Quota, int | None, str], Sandbox]  # environment, quota, slots, run id
    set_up: Callable[[Environment, str, Callable[[], bytes]], Environment]  # environment, command, the repository as a tar


def choose(kind: str, tell: Tell) -> Choice:
    """`kind` is docker, bubblewrap, local, or auto: the best that works here, never local. Raises SandboxUnavailable."""
    if kind != "auto":
        return KINDS[kind](tell)
    reasons = []
    for name in ("docker", "bubblewrap"):
        try:
            return KINDS[name](tell)
        except SandboxUnavailable as error:
            reasons.append(f"{name}: {error}")
    raise SandboxUnavailable("no sandbox works here. " + ". ".join(reasons) + ". `swesearch doctor` says more")


def _docker(tell: Tell) -> Choice:
    from sandbox.docker import DockerSandbox, connect
    from sandbox.images import base_image, setup_image

    client = connect()
    base = ""

    def with_base(environment: Environment) -> Environment:
        nonlocal base
        base = environment.image or base or base_image(client, tell=tell)
        return replace(environment, image=environment.image or base)

    def make(environment: Environment, quota: Quota, slots: int | None, run: str) -> Sandbox:
        return DockerSandbox(with_base(environment), quota, slots, run)

    def set_up(environment: Environment, command: str, archive: Callable[[], bytes]) -> Environment:
        placed = with_base(environment)
        return replace(placed, image=setup_image(client, placed.image or "", archive(), command, tell))

    return Choice("docker", f"Docker engine {client.version()['Version']}", Box(), make, set_up)


def _bubblewrap(tell: Tell) -> Choice:
    from sandbox.bubblewrap import BubblewrapSandbox, probe

    probe()
    tell("no Docker engine answers: bubblewrap is used")
    return Choice("bubblewrap", "no Docker engine answers", host_box(), BubblewrapSandbox, _no_setup)


def _local(tell: Tell) -> Choice:
    from sandbox.local import WARNING, LocalSandbox

    tell(WARNING)
    return Choice("local", "as asked, without isolation", host_box(), LocalSandbox, _no_setup)


def _no_setup(_environment: Environment, _command: str, _archive: Callable[[], bytes]) -> Environment:
    raise SandboxError("--setup needs Docker: elsewhere prepare an environment yourself and name it with --python")


KINDS: dict[str, Callable[[Tell], Choice]] = {"docker": _docker, "bubblewrap": _bubblewrap, "local": _local}
