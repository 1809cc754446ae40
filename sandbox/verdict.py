"""From the bytes on a run's report channel to a TestRun. Nothing here trusts what it reads.

Every frame must carry the right number and the seal of the run's key; the two canaries must have come out as they should; every test
that was collected must have said how it went; and the finish record must agree with all that. Less than that is no evidence.
What code in the test process can still do is lie about single tests while it leaves the canaries alone: no verdict from inside can stop it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any, Literal, get_args

from sandbox.base import Frame, Kind, Outcome, Result, TestOutcome, TestRun

Status = Literal["complete", "timeout", "memory", "crashed", "empty", "broken", "usage", "tampered"]
LONGEST = 4096
BAD = ("failed", "error")
KINDS = ("begin", "collected", "start", "test", "canary", "lines", "kind", "types", "modules", "broken", "usage", "refused", "finish")


class Forged(ValueError):
    """A frame that our runner did not write."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """What only the host and the runner know of a run."""

    key: bytes
    passes: str  # the canary that must pass
    fails: str  # the canary that must fail


@dataclass(slots=True)
class Report:
    """What the frames of a run said, in plain data."""

    collected: tuple[str, ...] | None = None
    outcomes: dict[str, TestOutcome] = field(default_factory=dict)
    underway: str | None = None
    canaries: dict[str, str] = field(default_factory=dict)
    broken: list[Mapping[str, Any]] = field(default_factory=list)
    usage: str = ""
    lines: dict[str, dict[str, set[int]]] = field(default_factory=dict)
    types: dict[str, dict[str, list[Kind]]] = field(default_factory=dict)
    kinds: dict[int, Kind] = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    own: tuple[str, ...] = ()  # top-level names that came from the work tree
    refused: str = ""
    finish: Mapping[str, Any] | None = None
    forged: str = ""
    cut: bool = False  # the last frame is not whole

    def take(self, kind: str, data: Mapping[str, Any]) -> None:
        """Add one frame. Raises Forged on an unknown kind."""
        if self.finish is not None or kind not in KINDS:
            raise Forged(f"a frame {kind!r} where none may be")
        getattr(self, "_take_" + kind)(data)

    def _take_begin(self, _: Mapping[str, Any]) -> None:
        """From here on what happens is the candidate's doing."""

    def _take_collected(self, data: Mapping[str, Any]) -> None:
        self.collected = tuple(map(str, data["ids"]))

    def _take_start(self, data: Mapping[str, Any]) -> None:
        self.underway = str(data["id"])

    def _take_test(self, data: Mapping[str, Any]) -> None:
        outcome = _outcome(data)
        self.outcomes[outcome.id] = outcome
        self.underway = None

    def _take_canary(self, data: Mapping[str, Any]) -> None:
        self.canaries[str(data["name"])] = str(data["outcome"])

    def _take_lines(self, data: Mapping[str, Any]) -> None:
        seen = self.lines.setdefault(str(data["id"]), {}).setdefault(str(data["path"]), set())
        seen.update(map(int, data["lines"]))

    def _take_modules(self, data: Mapping[str, Any]) -> None:
        self.modules, self.own = tuple(map(str, data["modules"])), tuple(map(str, data["own"]))

    def _take_broken(self, data: Mapping[str, Any]) -> None:
        self.broken.append({**data, "frames": _frames(data.get("frames", ()))})

    def _take_usage(self, data: Mapping[str, Any]) -> None:
        self.usage = str(data["message"])[:LONGEST]

    def _take_refused(self, data: Mapping[str, Any]) -> None:
        self.refused = str(data["why"])

    def _take_finish(self, data: Mapping[str, Any]) -> None:
        self.finish = {"status": int(data["status"]), "tests": int(data["tests"]), "stopped": data["stopped"], "wants": data["wants"]}

    def _take_kind(self, data: Mapping[str, Any]) -> None:
        self.kinds[int(data["number"])] = Kind(str(data["name"]), tuple(map(str, data["attributes"])))

    def _take_types(self, data: Mapping[str, Any]) -> None:
        kinds = self.types.setdefault(str(data["at"]), {}).setdefault(str(data["text"]), [])
        kinds.append(replace(self.kinds[int(data["number"])], sample=str(data["sample"])[:80]))


def _outcome(data: Mapping[str, Any]) -> TestOutcome:
    if data["outcome"] not in get_args(Outcome):
        raise Forged(f"unknown outcome {data['outcome']!r}")
    message = str(data.get("message", ""))[:LONGEST]
    return TestOutcome(
        str(data["id"]), data["outcome"], float(data["seconds"]), str(data.get("error", "")), message, _frames(data.get("frames", ()))
    )


def _frames(rows: Any) -> tuple[Frame, ...]:
    return tuple(Frame(str(path), int(line), str(function)) for path, line, function in rows)


def _opened(report: bytes, key: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each frame, unsealed. Raises Forged."""
    for number, line in enumerate(report.split(b"\n")[:-1]):
        count, _, rest = line.partition(b" ")
        seal, _, text = rest.partition(b" ")
        expected = blake2b(b"%d %s" % (number, text), key=key, digest_size=12).hexdigest().encode()
        if count != b"%d" % number or not hmac.compare_digest(seal, expected):
            raise Forged(f"frame {number} is not ours")
        kind, data = json.loads(text)
        yield kind, data


def read(report: bytes, key: bytes) -> Report:
    """All frames of a run; `forged` says where something else was among them."""
    found = Report(cut=bool(report) and not report.endswith(b"\n"))
    try:
        for kind, data in _opened(report, key):
            found.take(kind, data)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        found.forged = str(error)[:200] or type(error).__name__
    return found


def judge(result: Result, report: Report, secrets: Secrets, only: Collection[str], expect: Collection[str]) -> tuple[Status, str]:
    """What a run was, and why."""
    if report.forged:
        return "tampered", report.forged
    if result.status == "memory":
        return "memory", "out of memory"
    if result.status == "timeout":
        return "timeout", f"cut short after {result.seconds:.1f} s"
    if result.status == "tampered":
        return "tampered", "the box says so"
    if report.finish is None or report.cut:
        return "crashed", _crash(result, report)
    return _finished(result, report, secrets, {*only, *expect})


def _finished(result: Result, report: Report, secrets: Secrets, wanted: Collection[str]) -> tuple[Status, str]:
    finish, collected = report.finish or {}, report.collected or ()
    if result.exit_code != finish["status"]:
        return "crashed", f"ended with exit status {result.exit_code} after reporting {finish['status']}"
    if report.broken:  # first, as pytest calls it wrong usage to name a test in a file that cannot be imported
        return "broken", _said(report.broken[0])
    if report.usage:
        return "usage", report.usage
    missing = [name for name in wanted if name not in set(collected)]
    if missing:
        return ("broken" if collected else "empty"), "not collected: " + ", ".join(missing[:20])
    if not collected:
        return "empty", "no test was collected"
    return _consistent(report, secrets, collected, finish)


def _consistent(report: Report, secrets: Secrets, collected: Collection[str], finish: Mapping[str, Any]) -> tuple[Status, str]:
    failed = [o.id for o in report.outcomes.values() if o.outcome in BAD]
    stopped = bool(finish["stopped"] and failed)  # at a failure, as asked: what came later was not reached
    canaries = report.canaries.get(secrets.passes), report.canaries.get(secrets.fails)
    if set(report.canaries) - {secrets.passes, secrets.fails} or not _sane(*canaries, stopped):
        return "tampered", f"the canaries came out as {canaries}: pytest itself was bent"
    silent = set(collected) - set(report.outcomes)
    if silent and not stopped:
        return "tampered", "collected but never reported: " + ", ".join(sorted(silent)[:20])
    if set(report.outcomes) - set(collected) or finish["tests"] < len(report.outcomes):
        return "tampered", "more tests reported than collected"
    if bool(failed) != (finish["status"] == 1) or finish["status"] not in (0, 1, 2):
        return "crashed", f"exit status {finish['status']} with {len(failed)} failed tests"
    return "complete", ""


def _sane(passes: str | None, fails: str | None, stopped: bool) -> bool:
    """As they should be, or both hit by the same hook (a conftest that skips everything, a setup that raises): nothing passes then."""
    if stopped and None in (passes, fails):
        return passes in ("passed", None) and fails in ("failed", None)
    return (passes, fails) == ("passed", "failed") or (passes == fails and passes in ("skipped", "error"))


def _said(broken: Mapping[str, Any]) -> str:
    where = f"{broken['id']}: " if broken.get("id") else ""
    error = f"{broken['error']}: " if broken.get("error") else ""
    return (where + error + str(broken.get("message", "")))[:LONGEST]


def _crash(result: Result, report: Report) -> str:
    tail = result.stderr.decode("utf-8", "replace")[-1500:].strip()
    at = f" in {report.underway}" if report.underway else ""
    return f"the test process ended{at} with exit status {result.exit_code}, its report unfinished. {tail}".strip()


def outcomes(report: Report, status: Status) -> tuple[TestOutcome, ...]:
    """The outcomes to hand over: with the test that was cut short, and with lines where they were traced."""
    found = dict(report.outcomes)
    if status == "timeout" and report.underway and report.underway not in found:
        found[report.underway] = TestOutcome(report.underway, "failed", error="Timeout", message="cut short")
    if "" in report.lines:
        found[""] = TestOutcome("", "skipped")
    return tuple(_with_lines(outcome, report.lines.get(name, {})) for name, outcome in found.items())


def _with_lines(outcome: TestOutcome, lines: Mapping[str, set[int]]) -> TestOutcome:
    if not lines:
        return outcome
    table = {path: tuple(sorted(seen)) for path, seen in lines.items()}
    return TestOutcome(outcome.id, outcome.outcome, outcome.seconds, outcome.error, outcome.message, outcome.frames, table)


def test_run(result: Result, report: Report, secrets: Secrets, only: Collection[str], expect: Collection[str]) -> TestRun:
    """The whole verdict on a run that ended by itself or was ended."""
    status, detail = judge(result, report, secrets, only, expect)
    if status == "tampered":  # nothing that was said counts
        return TestRun(status, detail=detail, result=result)
    frames = report.broken[0]["frames"] if report.broken else ()
    types = {at: {text: tuple(kinds) for text, kinds in table.items()} for at, table in report.types.items()}
    return TestRun(status, outcomes(report, status), report.collected or (), detail, frames, types, report.modules, result=result)
