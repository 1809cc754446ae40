"""What is left when things die: searches, graded, with drivers, workers, containers, engines and Ray nodes killed at random moments.

    python -m benchmarks.swebench.kill_tests --seed 1                 six quick searches, processes on this machine
    python -m benchmarks.swebench.kill_tests --seed 1 --on ray        two Ray nodes in processes of their own
    python -m benchmarks.swebench.kill_tests --seed 1 --own-engine    a Docker engine of its own, which is killed too (needs root)
    python -m benchmarks.swebench.kill_tests --seed 1 --every 60 -- --subset ROWS --instances ID,ID ...     real instances

What follows `--` is handed to `swesearch bench swebench`. The same command is given again until it ends with 0. Then the predictions must
be those of a run that nobody disturbed, no state may have been evaluated twice in a journal, no verdict found twice, no container left.
Without --own-engine the death of all containers of a search stands for that of its engine.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import docker
from docker.errors import APIError

from benchmarks.own_engine import engine_at, lend_image, own_engine
from benchmarks.swebench.data import instance
from benchmarks.swebench.images import official_name
from benchmarks.swebench.layers import archive
from benchmarks.swebench.preds import read
from sandbox.docker import connect, sweep
from sandbox.images import add_layer, base_image, remove_image
from swesearch.journal import Journal

BUGS = {  # module: (as it is, as it should be, a test that fails, one that passes)
    "add": ("return a - b", "return a + b", "add(2, 1) == 3", "add(1, 0) == 1"),
    "most": ("return a if a < b else b", "return a if a > b else b", "most(1, 2) == 2", "most(2, 2) == 2"),
    "even": ("return (a + b) % 2 == 1", "return (a + b) % 2 == 0", "even(1, 1)", "even(1, 1) in (True, False)"),
    "within": ("return 0 <= a < b", "return 0 <= a <= b", "within(2, 2)", "within(1, 2)"),
    "both": ("return a or b", "return a and b", "not both(True, False)", "both(True, True)"),
    "area": ("return a + b", "return a * b", "area(3, 4) == 12", "area(2, 2) == 4"),
}
TOOLS = ("pytest", "pluggy", "iniconfig", "packaging", "pygments")
HOME = "opt/miniconda3/envs/testbed"  # where the official images have their interpreter
ACTIVATE = f"export PATH=/{HOME}/bin:$PATH PYTHONPATH=/testbed\nconda() {{ :; }}\n"
INSTALL = f"python3 -m venv --without-pip /{HOME} && cp -r /opt/tools/. /{HOME}/lib/python3.*/site-packages/"
PYTEST = f'#!/bin/sh\nexec /{HOME}/bin/python -m pytest "$@"\n'
ROUNDS = 60  # calls of the command before it is given up
MOST = 8  # kills of a trial
EVERY = 9.0  # seconds


@dataclass(slots=True)
class World:
    """A repository with six bugs, its mirror, its rows, and where everything of a run is kept."""

    folder: Path
    instances: Sequence[str] = ()  # the words that say which, and where their repositories are
    on: str = "local"
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> Path:
        """The data set of the six bugs."""
        return self.folder / "rows.jsonl"

    def command(self, output: Path) -> list[str]:
        """The evaluation."""
        words = [sys.executable, "-m", "benchmarks.cli", "swebench", *self.instances, "--no-pull", "--mode", "check", "-o", str(output)]
        return [*words, "--budget", "60,30m", "-c", "search.workers=1", "--on", self.on, "-w", "2"]

    def start(self, output: Path) -> subprocess.Popen[bytes]:
        """Begin a call of it."""
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(self.command(output), env=self.environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log)


@contextmanager
def world(folder: Path, on: str = "local") -> Iterator[World]:
    """A repository with six bugs, its mirror, its rows and images. The images are removed at the end."""
    tree = folder / "tree"
    tree.mkdir(parents=True)
    _git(tree, "init", "-q", "-b", "main")
    for name, (bad, _, _, _) in BUGS.items():
        (tree / f"{name}.py").write_text(f"def {name}(a, b):\n    {bad}\n")
    _git(tree, "add", "-A")
    _git(tree, "-c", "user.name=kill", "-c", "user.email=kill@example.com", "commit", "-q", "-m", "six bugs")
    _git(folder, "clone", "-q", "--bare", "tree", "mirrors/pallets__flask")
    commit = _git(tree, "rev-parse", "HEAD").strip()
    rows = [_row(tree, name, commit) for name in BUGS]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = ("--subset", str(folder / "rows.jsonl"), "--repos", str(folder / "mirrors"))
    with closing(connect()) as client, _images(client, tree, [official_name(instance(row)) for row in rows]):
        yield World(folder, words, on, _environ(folder))
        for image in client.images.list("swebench-instance"):
            for tag in image.tags:
                if any(row["instance_id"] in tag for row in rows):
                    remove_image(client, tag)


def _environ(folder: Path) -> dict[str, str]:
    return {**os.environ, "SWESEARCH_HOME": str(folder / "home"), "PYTHONPATH": str(Path(__file__).parents[2])}


def _row(tree: Path, name: str, commit: str) -> dict[str, Any]:
    bad, good, fails, passes = BUGS[name]
    test = f"from {name} import {name}\n\n\ndef test_bug():\n    assert {fails}\n\n\ndef test_rest():\n    assert {passes}\n"
    return {
        "instance_id": f"pallets__flask-{name}-{commit[:8]}", "repo": "pallets/flask", "base_commit": commit, "version": "2.3",
        "problem_statement": f"{name} is wrong", "patch": _diff(tree, f"{name}.py", (tree / f"{name}.py").read_text().replace(bad, good)),
        "test_patch": _diff(tree, f"test_{name}.py", test),
        "FAIL_TO_PASS": [f"test_{name}.py::test_bug"], "PASS_TO_PASS": [f"test_{name}.py::test_rest"],
    }  # fmt: skip


def _diff(tree: Path, path: str, text: str) -> str:
    (tree / path).write_text(text)
    _git(tree, "add", "-A")
    patch = _git(tree, "diff", "--cached", "--binary")
    _git(tree, "reset", "-q", "--hard")
    return patch


def _git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout


@contextmanager
def _images(client: docker.DockerClient, tree: Path, names: Sequence[str]) -> Iterator[None]:
    """One image under the official name of each instance."""
    with archive() as tar:
        tar.add(tree, "testbed")
        tar.write("opt/miniconda3/bin/activate", ACTIVATE)
        tar.write("opt/pytest", PYTEST)
        for file in (file for name in TOOLS for file in distribution(name).files or ()):
            if ".." not in file.parts and "__pycache__" not in file.parts:
                tar.add(Path(str(file.locate())), f"opt/tools/{file}")
        command = f"{INSTALL} && cp /opt/pytest /{HOME}/bin/pytest && chmod +x /{HOME}/bin/pytest"
        add_layer(client, base_image(client), tar.done(), names[0], command)
    try:
        for name in names[1:]:
            client.images.get(names[0]).tag(*name.rsplit(":", 1))
        yield
    finally:
        for name in names:
            remove_image(client, name)


@contextmanager
def ray_nodes(made: World) -> Iterator[Callable[[], None]]:
    """A head and two nodes with Docker slots, each a process of its own. Gives what kills a node and starts another."""
    from ray.cluster_utils import Cluster

    os.environ.update(made.environ)  # the nodes inherit it
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes = [cluster.add_node(num_cpus=2, resources={"docker": 2}) for _ in range(2)]
    made.environ["RAY_ADDRESS"] = cluster.address

    def kill() -> None:
        cluster.remove_node(nodes.pop(0), allow_graceful=False)
        nodes.append(cluster.add_node(num_cpus=2, resources={"docker": 2}))

    try:
        yield kill
    finally:
        cluster.shutdown()  # type: ignore[no-untyped-call]


def owners(made: World) -> set[int]:
    """The workers: processes of this world that own containers."""
    with closing(connect()) as client:
        found = client.api.containers(all=True, filters={"label": "sandbox.owner"})
    pids = {int(json.loads(each["Labels"]["sandbox.owner"] or "{}").get("pid", 0)) for each in found}
    return {pid for pid in pids if _ours(pid, made)}


def _ours(pid: int, made: World) -> bool:
    with suppress(OSError):
        return f"SWESEARCH_HOME={made.folder / 'home'}".encode() in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return False


def kill_workers(made: World) -> None:
    """Kill every worker that owns a container."""
    for pid in owners(made):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def kill_containers(made: World) -> None:
    """Kill every container of this world, as the end of a Docker engine does."""
    mine = owners(made)
    with closing(connect()) as client:
        for each in client.api.containers(filters={"label": "sandbox.owner"}):
            if json.loads(each["Labels"]["sandbox.owner"] or "{}").get("pid") in mine:
                with suppress(APIError):  # it has just ended
                    client.api.kill(each["Id"])


@contextmanager
def killable_engine() -> Iterator[Callable[[], None]]:
    """An engine of its own, which everything here talks to from now on. Gives what kills it and starts it again."""

    def kill() -> None:
        strike()
        start()

    with own_engine() as (address, start, strike):
        start()
        lend_image(address)
        with engine_at(address):
            yield kill


def disturbed(made: World, output: Path, chance: random.Random, others: Mapping[str, Callable[[], None]], every: float) -> Counter[str]:
    """Call the command until it ends with 0, with a kill about `every` so many seconds. Returns what was killed, how often."""
    done: Counter[str] = Counter()
    verdicts: dict[Path, int] = {}
    for _ in range(ROUNDS):
        driver = made.start(output)
        while not _ended(driver, chance.uniform(every / 3, every * 5 / 3)) and done.total() < MOST:
            victim = chance.choice(["driver", "worker", "containers", *others])
            done[victim] += 1
            print(f"killing: {victim}", flush=True)
            if victim == "driver":
                driver.kill()
            elif victim in others:
                others[victim]()
            else:
                (kill_workers if victim == "worker" else kill_containers)(made)
        code = driver.wait(3600)
        changed = [path for path, seen in verdicts.items() if path.stat().st_mtime_ns != seen]
        assert not changed, f"graded again: {changed}"
        verdicts |= {path: path.stat().st_mtime_ns for path in output.glob("grades/*/*.json")}
        if code == 0:
            return done
    raise AssertionError(f"not done after {ROUNDS} calls, see {made.folder / 'log'}")


def _ended(driver: subprocess.Popen[bytes], seconds: float) -> bool:
    with suppress(subprocess.TimeoutExpired):
        driver.wait(seconds)
    return driver.poll() is not None


def evaluated_twice(output: Path) -> list[str]:
    """States that a journal holds two evaluations of."""
    found = []
    for path in output.glob("*/runs/*/journal.sqlite"):
        with closing(Journal.read(path)) as journal:
            trees = Counter(event.data["tree"] for _, event in journal.events() if event.kind == "node" and not event.data.get("duplicate"))
        found += [f"{path.parent.name}: {tree}" for tree, times in trees.items() if times > 1]
    return found


def containers(made: World) -> int:
    """How many containers of this world are left, once those whose owner is dead are swept."""
    with closing(connect()) as client:
        until = time.monotonic() + 20
        while owners(made) and time.monotonic() < until:
            time.sleep(0.5)
        sweep(client)
    return len(owners(made))


def trial(folder: Path, seed: int, on: str, own: bool, instances: Sequence[str], every: float = EVERY) -> Counter[str]:
    """One run without and one with kills, compared. Returns what was killed. Raises AssertionError where they differ."""
    with ExitStack() as stack:
        others = {"engine": stack.enter_context(killable_engine())} if own else {}
        made = World(folder, instances, on, _environ(folder)) if instances else stack.enter_context(world(folder, on))
        others |= {"node": stack.enter_context(ray_nodes(made))} if on == "ray" else {}
        quiet, loud = folder / "quiet", folder / "loud"
        assert made.start(quiet).wait(3600) == 0, f"the undisturbed run failed, see {folder / 'log'}"
        killed = disturbed(made, loud, random.Random(seed), others, every)
        assert read(quiet / "preds.json") == read(loud / "preds.json"), "the predictions differ"
        assert evaluated_twice(loud) == []
        assert containers(made) == 0, "containers are left"
        rates = [json.loads((each / "report.json").read_text())["rate"]["resolved"] for each in (quiet, loud)]
        assert rates[0] == rates[1] == (rates[0] if instances else len(BUGS)), f"resolved {rates}"
        return killed


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.swebench.kill_tests", description=__doc__.partition("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--on", choices=("local", "ray"), default="local")
    parser.add_argument("--own-engine", action="store_true", help="start a Docker engine for this, and kill it too; needs root")
    parser.add_argument("--every", type=float, default=EVERY, metavar="S", help="seconds between two kills, on average [%(default)s]")
    parser.add_argument("instances", nargs="*", metavar="-- WORDS", help="other instances than the six quick ones")
    given = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="kill-tests-"))
    began = time.monotonic()
    killed = trial(folder, given.seed, given.on, given.own_engine, given.instances, given.every)
    print(f"killed {dict(killed)}; the same predictions, nothing done twice, no container left; {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
