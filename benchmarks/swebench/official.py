"""The official rules, taken from `swebench` itself: its eval scripts, its log parsers, its verdicts.

4.1 is the last version that holds specifications, eval scripts and grading in one package. It takes seconds to import, so that is
done where it is used.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.swebench.base import Grade, Instance
from benchmarks.swebench.specs import specification
from sandbox.docker import connect
from sandbox.images import remove_image


@dataclass(frozen=True, slots=True)
class Script:
    """How the harness runs the tests of an instance."""

    text: str
    cpus: float | None  # some projects count them
    capabilities: tuple[str, ...]
    applies: tuple[str, ...]  # commands that may apply a patch, to be tried in this order


def script(instance: Instance) -> Script:
    """The official eval script of `instance`, as it is. Raises BenchError where swebench does not know the instance."""
    entry = specification(instance)
    from swebench.harness.run_evaluation import GIT_APPLY_CMDS

    cpus = entry.get("nano_cpus")
    added = entry.get("docker_specs", {}).get("run_args", {}).get("cap_add", ())
    return Script(_described(instance).eval_script, cpus / 1e9 if cpus else None, tuple(added), tuple(GIT_APPLY_CMDS))


def verdict(instance: Instance, log: Path, blank: Grade) -> Grade:
    """`blank` filled in with what the official rules say of a log."""
    from swebench.harness.grading import get_eval_report

    prediction = {"instance_id": instance.id, "model_name_or_path": "", "model_patch": ""}
    said = get_eval_report(test_spec=_described(instance), prediction=prediction, test_log_path=str(log), include_tests_status=True)
    found = said[instance.id]
    if "tests_status" not in found:  # the script did not come to the tests, or not to their end
        return replace(blank, status="unresolved", why="the log holds no whole run of the tests")
    wanted, kept = found["tests_status"]["FAIL_TO_PASS"], found["tests_status"]["PASS_TO_PASS"]
    failed = [*wanted["failure"], *kept["failure"]]
    why = f"not passed: {', '.join(failed[:3])}" + (f" and {len(failed) - 3} more" if failed[3:] else "") if failed else ""
    status = "resolved" if found["resolved"] else "unresolved"
    return replace(blank, status=status, why=why[:500], fail_to_pass=_count(wanted), pass_to_pass=_count(kept))


def complete(log: str) -> bool:
    """Whether the tests came to their end: the script marks where they begin and where they end."""
    from swebench.harness.constants import END_TEST_OUTPUT, START_TEST_OUTPUT

    return START_TEST_OUTPUT in log and END_TEST_OUTPUT in log


def harness(instance: Instance, image: str, patch: str, run: str, seconds: int) -> dict[str, bool]:
    """What the official harness itself says of `patch` in `image`: {"completed", "resolved"}. It keeps its logs in ./logs."""
    from swebench.harness.run_evaluation import run_instance

    client = connect()
    described = replace(_described(instance), namespace="swesearch-parity")  # a namespace is what says that nothing is to be built
    name = described.instance_image_key
    try:
        # its containers do not heed the signal to stop, for which it waits 15 seconds
        client.images.build(fileobj=io.BytesIO(f"FROM {image}\nSTOPSIGNAL SIGKILL\n".encode()), tag=name, rm=True)
        prediction = {"instance_id": instance.id, "model_name_or_path": "parity", "model_patch": patch}
        said: dict[str, bool] = run_instance(described, prediction, False, False, client, run, seconds)
        return said
    finally:
        remove_image(client, name)
        client.close()


def _described(instance: Instance) -> Any:
    """swebench's own description of an instance, without the scripts that install it: they would be fetched from the network."""
    from swebench.harness.constants import MAP_REPO_TO_EXT
    from swebench.harness.test_spec.create_scripts import make_eval_script_list
    from swebench.harness.test_spec.test_spec import TestSpec

    entry = specification(instance)
    row = {**instance.row, "repo": instance.repo, "version": instance.version}
    lines = make_eval_script_list(row, entry, "testbed", "/testbed", instance.base_commit, instance.test_patch)
    return TestSpec(
        instance_id=instance.id, repo=instance.repo, version=instance.version, repo_script_list=[], eval_script_list=lines,
        env_script_list=[], arch="x86_64", FAIL_TO_PASS=list(instance.fail_to_pass), PASS_TO_PASS=list(instance.pass_to_pass),
        language=MAP_REPO_TO_EXT[instance.repo], docker_specs=entry.get("docker_specs", {}), namespace=None,
    )  # fmt: skip


def _count(tests: Mapping[str, Sequence[str]]) -> tuple[int, int]:
    return len(tests["success"]), len(tests["success"]) + len(tests["failure"])
