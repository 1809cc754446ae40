"""Run Python tests in a sandbox and say test by test what happened, as warm as can be: swap, midway, imports, then fresh.

`job_of` reads what a user would type (pytest, python -m pytest, python -m unittest); `run_tests` runs it. A level that cannot serve
a candidate refuses before running anything and the next colder one takes over; `Warm` remembers what is known about a base.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from sandbox import verdict
from sandbox.base import Command, Files, Limits, Result, Sandbox, TestRun
from sandbox.commands import TestJob, job_of

__all__ = ["TestJob", "Warm", "job_of", "run_tests"]

Level = Literal["fresh", "imports", "midway", "swap"]
LEVELS: tuple[Level, ...] = ("swap", "midway", "imports", "fresh")  # warmest first
WARM: Mapping[Level, Literal["", "imports", "midway", "collected"]] = {
    "fresh": "", "imports": "imports", "midway": "midway", "swap": "collected",
}  # fmt: skip
OFTEN = 2  # candidates that changed a file in a way that cannot be swapped, before a zygote is made for it
KILLED, TOO_LONG = -9, -24  # SIGKILL, SIGXCPU
NEVER = "never: "  # how a zygote says that no candidate of this base can be served


@dataclass(slots=True)
class Warm:
    """What is known about a base and a command. One for all candidates; safe to share between threads."""

    modules: tuple[str, ...] | None = None  # None until a fresh run told them
    own: tuple[str, ...] = ()
    autoload: bool | None = None  # None until a run told whether plugins of the environment are needed
    refused: dict[Level, str] = field(default_factory=dict)  # levels that cannot serve this base, and why
    why: dict[Level, str] = field(default_factory=dict)  # the last refusal of one candidate
    unswapped: Counter[str] = field(default_factory=Counter)  # by path: candidates that changed it and could not be swapped
    cold: set[str] = field(default_factory=set)  # paths for which no `midway` zygote is of use
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def learn(self, report: verdict.Report) -> None:
        """Take over what a cold run told."""
        with self.lock:
            if self.modules is None and report.modules:
                self.modules, self.own = report.modules, report.own

    @property
    def before(self) -> tuple[str, ...]:
        """The modules that a `midway` zygote stops before: the same for all candidates, as a zygote of its own for each would not pay."""
        with self.lock:
            return tuple(sorted(path for path, count in self.unswapped.items() if count >= OFTEN and path not in self.cold))


def run_tests(sandbox: Sandbox, files: Files, job: TestJob, limits: Limits, warm: Warm | None = None) -> TestRun:
    """Run `job` on `files`, at the warmest level that serves it. Raises SandboxUnavailable where we could not find out."""
    state = warm or Warm()
    for level in _levels(job, files, state, warm is not None):
        run = _at(sandbox, files, job, limits, state, level)
        if run is not None:
            return run
    raise AssertionError("the fresh level refuses nothing")


def _levels(job: TestJob, files: Files, warm: Warm, wanted: bool) -> Sequence[Level]:
    """Which levels to try, warmest first. The first run of a base is cold: it tells what the zygotes should load."""
    own_pytest = {"pytest", "_pytest"}.intersection(warm.own)  # the work tree is pytest itself: a zygote would load the base's
    if not wanted or warm.modules is None or own_pytest or any(name.startswith("PYTHON") and name != "PYTHONPATH" for name, _ in job.env):
        return ("fresh",)
    often = files.changed and set(files.changed) <= set(warm.before)
    useless = ("swap", "midway") if job.trace else () if often else ("midway",)
    return tuple(level for level in LEVELS if level not in warm.refused and level not in useless)


def _at(sandbox: Sandbox, files: Files, job: TestJob, limits: Limits, warm: Warm, level: Level) -> TestRun | None:
    """The run at one level, None where it refused."""
    known = warm.autoload
    secret = _secrets()
    payload = _payload(job, files, secret, bool(known), learn=warm.modules is None)
    preload = b"" if level == "fresh" else _preload(job, warm, level)
    env = {name: value for name, value in job.env if name.startswith("PYTHON") and name != "PYTHONPATH"}
    result = sandbox.run(files, Command(job=json.dumps(payload).encode(), env=env, warm=WARM[level], preload=preload), limits)
    result = _out_of_time(result, limits)
    report = verdict.read(result.report, secret.key)
    if level != "fresh" and (result.refused or report.refused or _silent(result)):
        _refusal(warm, level, result.refused, report.refused or "the fork ended before it said anything", files)
        return None
    run = replace(verdict.test_run(result, report, secret, job.only, job.expect), level=level)
    if known is None and _needs_plugins(run, report):
        warm.autoload = True
        return _at(sandbox, files, job, limits, warm, level)
    if run.status == "complete":
        warm.autoload = bool(known)
    if run.status != "tampered":
        warm.learn(report)
    return run


def _silent(result: Result) -> bool:
    """Whether a fork ended by itself without a word: its zygote's fault, maybe. A colder level will tell."""
    return result.status == "done" and not result.report


def _out_of_time(result: Result, limits: Limits) -> Result:
    """The kernel ends what used its CPU time with SIGXCPU. Code that ignores it gets SIGKILL a second later, which looks like any other."""
    ignored = result.exit_code == KILLED and limits.cpu_seconds and result.cpu_seconds > limits.cpu_seconds
    return replace(result, status="timeout", exit_code=None) if ignored or result.exit_code == TOO_LONG else result


def _needs_plugins(run: TestRun, report: verdict.Report) -> bool:
    """Whether this run shows that a plugin of the environment is missing."""
    return run.status == "usage" or bool(report.finish and report.finish["wants"])


def _refusal(warm: Warm, level: Level, lasting: str, single: str, files: Files) -> None:
    """Remember that a level did not serve a candidate: for ever, or for the like of it."""
    with warm.lock:
        warm.why[level] = lasting or single
        if level == "midway":
            warm.cold.update(files.changed)
        elif lasting or single.startswith(NEVER):
            warm.refused[level] = lasting or single.removeprefix(NEVER)
        elif level == "swap":
            warm.unswapped.update(files.changed.keys())


def _secrets() -> verdict.Secrets:
    return verdict.Secrets(secrets.token_bytes(16), "test_" + secrets.token_hex(6), "test_" + secrets.token_hex(6))


def _base(job: TestJob, autoload: bool) -> dict[str, Any]:
    """What a job and the zygote that serves it must agree on."""
    return {"args": job.args, "env": dict(job.env), "module": job.module, "site": job.site, "autoload": autoload}


def _payload(job: TestJob, files: Files, secret: verdict.Secrets, autoload: bool, learn: bool) -> dict[str, Any]:
    return _base(job, autoload) | {
        "key": secret.key.hex(),
        "canaries": [secret.passes, secret.fails] if secrets.randbits(1) else [secret.fails, secret.passes],
        "fails": secret.fails,
        "places": [secrets.randbits(30), secrets.randbits(30)],
        "only": job.only,
        "stop": job.stop,
        "trace": job.trace,
        "focus": dict(job.focus),
        "seconds": job.seconds,
        "learn": learn,
        "changed": sorted(files.changed),
    }


def _preload(job: TestJob, warm: Warm, level: Level) -> bytes:
    base: dict[str, Any] = {"site": job.site, "modules": warm.modules, "own": warm.own}
    if level in ("swap", "midway"):
        base |= _base(job, bool(warm.autoload))
    if level == "midway":
        base |= {"before": warm.before}
    return json.dumps(base).encode()
