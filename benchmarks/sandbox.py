"""What a whole evaluation costs (clean copy, one changed file, one pytest test), as a ratio to the bare pytest process.

    python -m benchmarks.sandbox [--subjects flask sympy] [--rounds 15] [--scaling | --places] [--json]

The ways take turns, so that a machine that slows down slows all of them; what stands in the table are medians. The source archives
come from the user's package index, their dependencies are installed by uv; --cache keeps both.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import requests

from benchmarks.sandbox_subjects import SUBJECTS, Checkout, check_out, imported, installed
from sandbox.base import Command, Environment, Limits, Quota, Sandbox, SandboxUnavailable
from sandbox.commands import TestJob
from sandbox.pytests import LEVELS, OFTEN, Level, Warm, run_tests

LIMITS = Limits(120.0)
QUOTA = Quota()
BARE = "bare pytest"
PLACES = 8
Way = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Row:
    """What one way of evaluating needed."""

    subject: str
    way: str
    milliseconds: float
    ratio: float
    rounds: int


def bare(checkout: Checkout) -> Way:
    """What a user would do: write the file, start pytest. Nothing is isolated, nothing is cleaned."""

    def run(number: int) -> None:
        (checkout.folder / checkout.subject.path).write_bytes(checkout.candidate(number))
        _passes(
            subprocess.run(_command(checkout), cwd=checkout.folder, env={"PATH": os.defpath}, capture_output=True, check=False).returncode
        )

    return run


def _command(checkout: Checkout) -> list[str]:
    return [checkout.environment.python, "-m", "pytest", *checkout.subject.args]


def _passes(code: int | None) -> None:
    if code != 0:
        raise SystemExit(f"the test should pass, but pytest ended with {code}")


def plain(checkout: Checkout, sandbox: Sandbox) -> Way:
    """pytest itself as a fresh process in a warm box."""

    def run(number: int) -> None:
        _passes(sandbox.run(checkout.files(number), Command(tuple(_command(checkout))), LIMITS).exit_code)

    return run


def ours(checkout: Checkout, sandbox: Sandbox, level: Level) -> Way:
    """Our runner in a warm box, at one level of warmth."""
    warm = Warm(unswapped=Counter({checkout.subject.path: OFTEN}))
    job = TestJob(checkout.subject.args, module=True)
    run_tests(sandbox, checkout.files(0), job, LIMITS, warm)  # tells what a zygote should load
    warm.refused.update({warmer: "not asked for" for warmer in LEVELS[: LEVELS.index(level)]})

    def run(number: int) -> None:
        found = run_tests(sandbox, checkout.files(number), job, LIMITS, warm)
        if not found.passed or found.level != level:
            raise SystemExit(f"the test should pass at level {level}: {found.level}, {found.status}, {found.detail} {warm.why}")

    return run


def container_per_run(checkout: Checkout) -> Way:
    """A fresh hardened container for each candidate."""

    def run(number: int) -> None:
        from sandbox.docker import DockerSandbox

        sandbox = DockerSandbox(checkout.environment, slots=1)
        try:
            plain(checkout, sandbox)(number)
        finally:
            sandbox.close()

    return run


@contextlib.contextmanager
def three_execs(checkout: Checkout) -> Iterator[Way]:
    """A warm container as others use it: `docker exec` to write the file, to run pytest, to put the file back."""
    from sandbox.docker import connect
    from sandbox.images import base_image

    client = connect()
    mounts = {path: {"bind": path, "mode": "ro"} for path in checkout.environment.mounts}
    container = client.containers.run(
        base_image(client), ["sleep", "3600"], detach=True, volumes=mounts, network_mode="none", tmpfs={"/work": "exec"}, init=True
    )
    try:
        _fill(container, checkout)

        def run(number: int) -> None:
            write = ["sh", "-c", 'printf "%s" "$1" > "$2"', "sh", checkout.candidate(number).decode(), checkout.subject.path]
            back = ["cp", f"{checkout.subject.path}.orig", checkout.subject.path]
            codes = [container.exec_run(command, workdir="/work").exit_code for command in (write, _command(checkout), back)]
            _passes(max(codes))

        yield run
    finally:
        container.remove(force=True)
        client.close()


@contextlib.contextmanager
def swe_rex(checkout: Checkout, cache: Path) -> Iterator[Way]:
    """SWE-ReX as SWE-agent uses it: its server in a warm container, one request to write the file, one to run pytest."""
    from sandbox.docker import connect
    from sandbox.images import base_image

    client, server = connect(), installed(cache / "swe-rex-venv", ("swe-rex==1.4.0",))
    port, token = _free_port(), secrets.token_hex(8)
    mounts = {path: {"bind": path, "mode": "ro"} for path in (*checkout.environment.mounts, str(server.parents[1]))}
    command = [str(server), "-m", "swerex.server", "--auth-token", token, "--host", "127.0.0.1", "--port", str(port)]
    container = client.containers.run(
        base_image(client), command, detach=True, volumes=mounts, network_mode="host", tmpfs={"/work": "exec"}, init=True
    )
    with requests.Session() as session:
        session.headers["X-API-Key"] = token

        def ask(what: str, **data: object) -> dict[str, Any]:
            reply = session.post(f"http://127.0.0.1:{port}/{what}", json=data, timeout=120)
            reply.raise_for_status()
            return dict(reply.json())

        def run(number: int) -> None:
            ask("write_file", path=f"/work/{checkout.subject.path}", content=checkout.candidate(number).decode())
            _passes(ask("execute", command=_command(checkout), cwd="/work")["exit_code"])

        try:
            _fill(container, checkout)
            _wait(lambda: session.get(f"http://127.0.0.1:{port}/is_alive", timeout=5))
            yield run
        finally:
            container.remove(force=True)
            client.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(alive: Callable[[], object]) -> None:
    for _ in range(100):
        try:
            alive()
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the SWE-ReX server does not answer")


def _fill(container: object, checkout: Checkout) -> None:
    name = container.id  # type: ignore[attr-defined]
    subprocess.run(["docker", "exec", "-i", name, "tar", "-xC", "/work"], input=checkout.archive, check=True, stdout=subprocess.DEVNULL)
    path = checkout.subject.path
    subprocess.run(["docker", "exec", "-w", "/work", name, "cp", path, f"{path}.orig"], check=True)


def ways(checkout: Checkout, cache: Path, stack: contextlib.ExitStack) -> dict[str, Way]:
    """Every way that works on this machine, by name."""
    found = {BARE: bare(checkout)}
    for name in ("docker", "bubblewrap"):
        try:
            boxes = [_sandbox(name, checkout.environment, 1) for _ in range(5)]  # one for each way, as a search would have it
        except SandboxUnavailable as error:
            print(f"without {name}: {error}", file=sys.stderr)
            continue
        for box in boxes:
            stack.callback(box.close)
        found |= {
            f"{name}, warm box, pytest itself": plain(checkout, boxes[0]),
            f"{name}, fresh process": ours(checkout, boxes[1], "fresh"),
        }
        found |= {
            f"{name}, imports zygote": ours(checkout, boxes[2], "imports"),
            f"{name}, midway zygote": ours(checkout, boxes[3], "midway"),
            f"{name}, function swap": ours(checkout, boxes[4], "swap"),
        }
        if name == "docker":
            found["a fresh container per run"] = container_per_run(checkout)
            found["three docker exec"] = stack.enter_context(three_execs(checkout))
            found["SWE-ReX, warm container"] = stack.enter_context(swe_rex(checkout, cache))
    return found


def _sandbox(name: str, environment: Environment, slots: int) -> Sandbox:
    from sandbox.choose import choose

    return choose(name).make(environment, QUOTA, slots, "")


def compare(name: str, cache: Path, rounds: int) -> list[Row]:
    """All ways in turn, so many times."""
    checkout = check_out(name, cache)
    with contextlib.ExitStack() as stack:
        return _in_turns(name, ways(checkout, cache, stack), rounds)


def _in_turns(name: str, found: dict[str, Way], rounds: int) -> list[Row]:
    times: dict[str, list[float]] = {way: [] for way in found}
    for number in range(-2, rounds):  # twice to warm up
        for way, run in found.items():
            start = time.perf_counter()
            run(number + 1000)
            times[way].append(time.perf_counter() - start)
    medians = {way: 1000 * statistics.median(taken[2:]) for way, taken in times.items()}
    return [Row(name, way, median, median / medians[BARE], rounds) for way, median in medians.items()]


def scaling(name: str, cache: Path, rounds: int) -> list[Row]:
    """Evaluations per second and core with 1, 2, 4 and 8 boxes, against one box."""
    checkout, rows = check_out(name, cache), []
    alone = 0.0
    for slots in (1, 2, 4, 8):
        sandbox = _sandbox("docker", checkout.environment, slots)
        try:
            run = plain(checkout, sandbox)
            with ThreadPoolExecutor(slots) as threads:
                list(threads.map(run, range(2 * slots)))
                start = time.perf_counter()
                list(threads.map(run, range(rounds * slots)))
                rate = rounds * slots / (time.perf_counter() - start)
        finally:
            sandbox.close()
        alone = alone or rate
        rows.append(Row(name, f"{slots} boxes, per core", 1000 / rate, rate / alone / min(slots, os.cpu_count() or 1), rounds * slots))
    return rows


def places(name: str, cache: Path, rounds: int) -> list[Row]:
    """The two zygotes that do not need a swap, for modules evenly spaced over the order in which the project imports its own."""
    checkout, rows = check_out(name, cache), []
    order = imported(checkout, name)
    for place in range(1, 2 * PLACES, 2):
        one = checkout.at(order[place * len(order) // (2 * PLACES)])
        with contextlib.ExitStack() as stack:
            stack.callback(one.close)
            imports, midway = (stack.enter_context(contextlib.closing(_sandbox("docker", one.environment, 1))) for _ in range(2))
            found = {BARE: bare(one), "imports zygote": ours(one, imports, "imports"), "midway zygote": ours(one, midway, "midway")}
            rows += [replace(row, way=f"{row.way}, {one.subject.path}") for row in _in_turns(name, found, rounds)]
    return rows


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| subject | way | ms per evaluation | ratio | rounds |", "|---|---|---:|---:|---:|"]
    lines += [f"| {r.subject} | {r.way} | {r.milliseconds:.1f} | {r.ratio:.2f} | {r.rounds} |" for r in rows]
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--scaling", action="store_true", help="how throughput grows with the number of boxes, instead")
    parser.add_argument("--places", action="store_true", help="what it depends on where a module is imported, instead")
    parser.add_argument("--cache", type=Path, help="keep archives and environments here")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        cache = arguments.cache or Path(folder)
        cache.mkdir(parents=True, exist_ok=True)
        measure = scaling if arguments.scaling else places if arguments.places else compare
        rows = [row for name in arguments.subjects for row in measure(name, cache, arguments.rounds)]
    print(json.dumps([asdict(row) for row in rows], indent=1) if arguments.json else table(rows))


if __name__ == "__main__":
    main()
