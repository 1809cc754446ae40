"""A program for test_ray: an evaluation on a Ray head and two nodes, in processes of their own. One node dies with its disk."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
import threading
import time
from pathlib import Path

from ray.cluster_utils import Cluster

from benchmarks.swebench.outputs import Results
from benchmarks.swebench.purse import Purse
from benchmarks.swebench.ray_engine import RayEngine
from benchmarks.swebench.ray_journals import journals
from benchmarks.swebench.run import Evaluation, Plan
from benchmarks.swebench.table import Board
from swesearch.report.terminal import console
from tests.benchmarks.swebench.steps import Count, Grader, instance, ready

NAMES = ["right-1", "right-2"]


def main(folder: Path) -> None:
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    nodes = [cluster.add_node(num_cpus=1, resources={"docker": 1}) for _ in range(2)]
    os.environ["RAY_ADDRESS"] = cluster.address
    told = io.StringIO()
    engine = RayEngine("ray", folder / "out", None)
    killer = threading.Thread(target=kill, args=(cluster, nodes[0], folder))
    killer.start()
    try:
        with Results.open(folder / "out", {"model_name_or_path": "m", "instances": NAMES}, ()) as results:
            plan = Plan(ready, lambda _: Count(folder / "notes"), Grader(folder / "graded"))
            board = Board(console(told), len(NAMES))
            code = Evaluation(results, engine, plan, Purse(0.0, None), board, threading.Event()).run([instance(name) for name in NAMES])
            counted = {name: [row.data.get("n") for row in journals(results.home(name))] for name in NAMES}
    finally:
        killer.join()
        engine.close()
        cluster.shutdown()
    print(json.dumps({"code": code, "told": told.getvalue(), "counted": counted}))


def kill(cluster: Cluster, node: object, folder: Path) -> None:
    """Kill a node once both instances are at work for a while, and what its disk held; add another."""
    while not (folder / "notes").exists() or len((folder / "notes").read_text().splitlines()) < 10:
        time.sleep(0.05)
    at_work = dict((row.split()[0], int(row.split()[2])) for row in (folder / "notes").read_text().splitlines())
    cluster.remove_node(node, allow_graceful=False)
    until = time.monotonic() + 5
    while all(Path(f"/proc/{worker}").exists() for worker in at_work.values()) and time.monotonic() < until:
        time.sleep(0.02)
    for name, worker in at_work.items():
        if not Path(f"/proc/{worker}").exists():
            shutil.rmtree(next((folder / "home").glob(f"swebench/*/{name}")))
    cluster.add_node(num_cpus=1, resources={"docker": 1})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
