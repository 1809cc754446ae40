"""Which sandbox: the one the user names, or the best there is. Says which, and why."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from sandbox.base import Environment, Quota, Sandbox, SandboxError, SandboxUnavailable
from sandbox.environment import Box, host_box

Tell = Callable[[str], None]
Make = Callable[[Environment, Quota, int | None, str], Sandbox]
SetUp = Callable[[Environment, str, Callable[[], bytes]], Environment]


@dataclass(frozen=True, slots=True)
class Choice:
    """A way to make sandboxes that was found to work."""

    name: str  # "docker", "bubblewrap", "local"
    why: str
    box: Box  # what its boxes bring along
    make: Make  # environment, quota, slots, run -> sandbox
    set_up: SetUp  # environment, command, archive of the repository -> environment in which the command was run once


def choose(kind: str = "auto", tell: Tell = lambda _: None) -> Choice:
    """The sandbox called `kind`; for "auto" the best there is, which is never "local". `tell` hears of what takes long.

    Raises SandboxUnavailable with every reason and what to do, SandboxError for an unknown name.
    """
    if kind != "auto":
        if kind not in KINDS:
            raise SandboxError(f"no sandbox is called {kind!r}: there are auto, {', '.join(KINDS)}")
        return KINDS[kind](tell)
    reasons = []
    for name in ("docker", "bubblewrap"):
        try:
            choice = KINDS[name](tell)
        except SandboxUnavailable as error:
            reasons.append(f"{name}: {error}")
        else:
            return replace(choice, why="; ".join([choice.why, *reasons]))
    raise SandboxUnavailable("no sandbox works here. " + ". ".join(reasons) + ". Without isolation, at your own risk: --sandbox local")


def survey() -> dict[str, str]:
    """Every sandbox that isolates, by name: "" where it works, else why it does not and what to do."""
    found = {}
    for name in ("docker", "bubblewrap"):
        try:
            KINDS[name](lambda _: None)
            found[name] = ""
        except SandboxUnavailable as error:
            found[name] = str(error)
    return found


def _docker(tell: Tell) -> Choice:
    from sandbox import docker, images

    with closing(docker.connect()) as client:
        image = images.base_image(client, tell=tell)
        version = images.python_version(client, image)

    def pullable(name: str) -> bool:
        with closing(docker.connect()) as client:
            return images.pullable(client, name, tell)

    def look(name: str, python: str) -> tuple[str, bool]:
        with closing(docker.connect()) as client:
            return images.interpreter(client, name, python)

    def make(environment: Environment, quota: Quota, slots: int | None, run: str) -> Sandbox:
        return docker.DockerSandbox(environment, quota, slots, run)

    def set_up(environment: Environment, command: str, archive: Callable[[], bytes]) -> Environment:
        with closing(docker.connect()) as client:
            made = images.setup_image(client, environment.image or image, archive(), command, tell)
        return replace(environment, image=made, why=f"{environment.why}, after {command}")

    return Choice("docker", f"closed containers of {image}", Box(version, pullable=pullable, look=look), make, set_up)


def _bubblewrap(_: Tell) -> Choice:
    from sandbox.bubblewrap import BubblewrapSandbox

    BubblewrapSandbox(Environment(), slots=1).close()  # tries it

    def make(environment: Environment, quota: Quota, slots: int | None, run: str) -> Sandbox:
        return BubblewrapSandbox(environment, quota, slots, run)

    return Choice("bubblewrap", "Linux namespaces; memory is watched, CPU share and inodes are not limited", host_box(), make, _no_set_up)


def _local(_: Tell) -> Choice:
    from sandbox.local import WARNING, LocalSandbox

    def make(environment: Environment, quota: Quota, slots: int | None, run: str) -> Sandbox:
        return LocalSandbox(environment, quota, slots, run)

    return Choice("local", WARNING, host_box(), make, _no_set_up)


def _no_set_up(_environment: Environment, _command: str, _archive: Callable[[], bytes]) -> Environment:
    raise SandboxError("--setup needs --sandbox docker; here, prepare a virtual environment and name it with --python")


KINDS: dict[str, Callable[[Tell], Choice]] = {"docker": _docker, "bubblewrap": _bubblewrap, "local": _local}
