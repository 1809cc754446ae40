"""Which of several recorded patches is right? Measured without a model and without hidden tests, against choosing blindly.

Each instance's patches go through mode `recorded`: valued in its own image by the tests that the repository has at the base commit and by
the issue's examples. That is kept below --out and never done again. Then each way of choosing names one patch, and only now the record
is asked whether it is right. Patches of which nobody knows are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.swebench.base import BenchError, Instance
from benchmarks.swebench.checkout import Repositories
from benchmarks.swebench.data import choose, load
from benchmarks.swebench.images import Environments
from benchmarks.swebench.recorded import WHY, Recorded, RecordedProposer, load_patches, load_truth
from benchmarks.swebench.search import search_one
from benchmarks.swebench.selection_fit import held_out
from sandbox.base import SandboxError
from swesearch import runs
from swesearch.base import Attempt, Candidate, EditError, Evaluation, State, SwesearchError
from swesearch.codec import decode
from swesearch.discriminator.weigh import WEIGHTS, Signs, Weigh
from swesearch.settings import Settings
from swesearch.store import Store
from swesearch.value.hybrid import Hybrid
from swesearch.value.lint import Lint
from swesearch.value.parses import Parses

SECONDS = 60.0  # of CPU time, for one run of tests


@dataclass(frozen=True, slots=True)
class Case:
    """One instance's candidates whose truth is known, with their signs, and whether each is right."""

    instance: str
    sources: tuple[str, ...]
    signs: tuple[Signs, ...]
    right: tuple[bool, ...]
    unknown: int = 0  # candidates that were left out


Choose = Callable[[Case], int]


def first(_: Case) -> int:
    """The first of the record."""
    return 0


def majority(case: Case) -> int:
    """One whose code, but for layout and comments, most candidates share; the first among equals."""
    votes = Counter(signs.code for signs in case.signs)
    return max(range(len(case.signs)), key=lambda n: (votes[case.signs[n].code], -n))


def smallest(case: Case) -> int:
    """The one that changes the fewest tokens."""
    return max(range(len(case.signs)), key=lambda n: (case.signs[n].values["size"], -n))


def value(case: Case) -> int:
    """The one with the best hybrid value; the first among equals."""
    return max(range(len(case.signs)), key=lambda n: (case.signs[n].candidate.attempt.evaluation.value, -n))


def discriminator(case: Case) -> int:
    """The one that the product's discriminator puts first."""
    return max(range(len(case.signs)), key=lambda n: (case.signs[n].score(WEIGHTS), -n))


WAYS: Mapping[str, Choose] = {"first": first, "majority": majority, "smallest": smallest, "value": value, "discriminator": discriminator}


def resolved(cases: Sequence[Case]) -> dict[str, float]:
    """How many instances each way of choosing gets right; `random` is the expectation, `oracle` what could be had."""
    found = {"random": sum(sum(case.right) / len(case.right) for case in cases)}
    found |= {name: float(sum(case.right[way(case)] for case in cases)) for name, way in WAYS.items()}
    fitted = held_out([([each.values for each in case.signs], case.right) for case in cases], WEIGHTS)
    found["fitted"] = float(sum(case.right[place] for case, place in zip(cases, fitted, strict=True)))
    return found | {"oracle": float(sum(any(case.right) for case in cases))}


def case_of(instance: Instance, folder: Path, truth: Mapping[str, bool | None]) -> Case | None:
    """The case that a finished run below `folder` gives; None where no patch of known truth could be applied. `truth`: by source."""
    run = next(runs.open_run(folder, each.id) for each in runs.list_runs(folder))
    events = list(run.events())
    root = State(next(event.data["root"] for event in events if event.kind == "started"))
    found = [_candidate(event.data) for event in events if event.kind == "node" and event.data["terms"]]
    store = Store.open(run.task.repo, run.store)
    try:
        return _case(instance, store, root, found, truth)
    finally:
        store.close()


def static_case(instance: Instance, repo: Path, folder: Path, patches: Sequence[Recorded], truth: Mapping[str, bool | None]) -> Case | None:
    """The case by what the patches' text alone tells, nothing run; None where no patch of known truth could be applied."""
    store = Store.open(repo, folder)
    try:
        root = store.root()
        hybrid, start = Hybrid((Parses(store, root), Lint(store, root))), Attempt(None, root, Evaluation(0.0))
        found = []
        for plan in RecordedProposer(patches, store).propose((start,)):
            with suppress(EditError):  # it fits nowhere: nobody can choose it
                action = plan.carry_out()
                state = store.apply(root, action.edits)
                found.append(Candidate(Attempt(action, state, hybrid.evaluate(state, None)), b"", verified=False))
        return _case(instance, store, root, found, truth)
    finally:
        store.close()


def _case(instance: Instance, store: Store, root: State, found: Sequence[Candidate], truth: Mapping[str, bool | None]) -> Case | None:
    known = [(each, right) for each in sorted(found, key=_place(truth)) if (right := truth.get(_source(each))) is not None]
    signs = Weigh(store, root, instance.issue).signs([each for each, _ in known])
    left_out = sum(right is None for right in truth.values())
    return (
        Case(instance.id, tuple(_source(each) for each, _ in known), tuple(signs), tuple(right for _, right in known), left_out)
        if known
        else None
    )


def _candidate(node: Mapping[str, Any]) -> Candidate:
    return Candidate(Attempt(decode(node["action"]), State(node["tree"]), decode(node["evaluation"])), b"", verified=False)


def _source(candidate: Candidate) -> str:
    action = candidate.attempt.action
    return action.why.removeprefix(WHY) if action else ""


def _place(truth: Mapping[str, bool | None]) -> Callable[[Candidate], int]:
    order = {source: place for place, source in enumerate(truth)}
    return lambda candidate: order.get(_source(candidate), len(order))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns 0 where every instance could be measured, 4 else."""
    given = _parse(arguments)
    try:
        patches, truth = load_patches(given.patches), load_truth(given.patches)
        instances = [one for one in choose(load(given.data), ids=_ids(given.instances)) if one.id in patches]
        return _measure(given, instances, patches, truth)
    except BenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


def _measure(
    given: argparse.Namespace,
    instances: Sequence[Instance],
    patches: Mapping[str, Sequence[Recorded]],
    truth: Mapping[str, Mapping[str, bool | None]],
) -> int:
    environments = Environments(given.out / "cache", given.repos, given.python_root, pull_images=given.pull)
    repositories = Repositories(given.out / "cache", given.repos)

    def static(instance: Instance) -> Case | None:
        folder = given.out / "static" / f"{instance.id}.git"
        folder.parent.mkdir(parents=True, exist_ok=True)
        return static_case(instance, repositories.checkout(instance), folder, patches[instance.id], truth[instance.id])

    def one(instance: Instance) -> Case | str | None:
        try:
            if given.static:
                return static(instance)
            if why := _search(instance, environments, patches[instance.id], given):
                print(f"{instance.id:32} by its text alone: {why}", flush=True)
                return static(instance)
            return case_of(instance, given.out / "runs" / instance.id, truth[instance.id])
        except (SandboxError, SwesearchError, BenchError) as error:
            return f"{type(error).__name__}: {error}"

    cases, failed = [], 0
    with ThreadPoolExecutor(given.jobs) as pool:
        for instance, found in zip(instances, pool.map(one, instances), strict=True):
            print(_line(instance, found), flush=True)
            failed += isinstance(found, str)
            cases += [found] if isinstance(found, Case) else []
    print("\n".join(_table(cases, failed)))
    if given.json:
        given.json.write_text(json.dumps({"instances": len(cases), "failed": failed, "resolved": resolved(cases)}, indent=1) + "\n")
    return 4 if failed else 0


def _search(instance: Instance, environments: Environments, patches: Sequence[Recorded], given: argparse.Namespace) -> str:
    """Value the patches by running things, unless that was done before. Returns why it could not be done."""
    settings = Settings().updated({"sandbox": {"seconds": SECONDS}, "search": {"workers": 1}}, "the benchmark")
    folder = given.out / "runs" / instance.id
    if any(each.state in ("solved", "exhausted") for each in runs.list_runs(folder)):
        return ""
    try:
        place = environments.ready(instance)
    except (SandboxError, BenchError) as error:
        return str(error)
    outcome = search_one(instance, place, "recorded", settings, given.out / "runs", patches=patches)
    if given.prune:
        environments.done(instance)
    return outcome.error


def _line(instance: Instance, found: Case | str | None) -> str:
    if isinstance(found, str):
        return f"{instance.id:32} not measured: {found}"
    if found is None:
        return f"{instance.id:32} no patch of known truth could be applied"
    chosen = discriminator(found)
    words = "right" if found.right[chosen] else "wrong" if any(found.right) else "none is right"
    return (
        f"{instance.id:32} {sum(found.right)} of {len(found.right)} right, {found.unknown} unknown; chosen {found.sources[chosen]}: {words}"
    )


def _table(cases: Sequence[Case], failed: int) -> Iterator[str]:
    if not cases:
        yield "nothing could be measured"
        return
    found = resolved(cases)
    yield f"\n{len(cases)} instances, {failed} not measured; {sum(len(case.right) for case in cases)} patches"
    yield f"{'choose by':14} {'resolved@1':>10}  of all   of those with a right one"
    for name, count in found.items():
        yield f"{name:14} {count:10.2f}  {count / len(cases):6.1%}  {count / max(1.0, found['oracle']):6.1%}"


def _ids(text: str) -> list[str]:
    return [name for name in text.split(",") if name]


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.swebench.selection", description=__doc__)
    parser.add_argument("--data", required=True, metavar="ROWS", help="a file of SWE-bench rows, or a data set's name")
    parser.add_argument(
        "--patches", type=Path, required=True, metavar="FILE", help='JSONL: {"instance_id", "patches": [{"source", "patch", "resolved"}]}'
    )
    parser.add_argument("--repos", type=Path, metavar="DIR", help="bare mirrors of the repositories; without it GitHub is asked")
    parser.add_argument("--python-root", type=Path, metavar="DIR", help="interpreters: DIR/3.9.18/bin/python, ...")
    parser.add_argument("--instances", default="", metavar="ID,ID", help="these only")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="instances at once [1]")
    parser.add_argument("--out", type=Path, default=Path("selection"), metavar="DIR", help="where what was found out is kept [selection]")
    parser.add_argument("--pull", action="store_true", help="use the official images where they can be pulled")
    parser.add_argument("--static", action="store_true", help="run nothing: choose by the patches' text alone, in minutes")
    parser.add_argument("--prune", action="store_true", help="remove each image once its instance is done")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
