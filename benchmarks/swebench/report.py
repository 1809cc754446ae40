"""What an evaluation says, as numbers. Infrastructure errors are counted apart: they say nothing of the code.

Several results folders that differ in their seed give the mean and the spread over seeds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.swebench.base import Outcome
from benchmarks.swebench.outputs import Result, Results
from benchmarks.swebench.preds import PREDS, put
from benchmarks.swebench.stats import spread, wilson
from benchmarks.swebench.table import ended
from swesearch.base import SwesearchError
from swesearch.report.text import line
from swesearch.runs import JOURNAL, open_run
from swesearch.view import story_of

REPORT = "report.json"
SCHEMA = 2  # as the harness numbers its reports


def write(folder: Path) -> dict[str, Any]:
    """Write report.json and report.html into a results folder and return the numbers. Raises BenchError."""
    from benchmarks.swebench.report_html import page

    found = summary(Results.read(folder))
    for row in found["instances"]:
        row["page"] = _page(folder, row)
    put(folder / REPORT, json.dumps(found, indent=1) + "\n")
    put(folder / "report.html", page(found))
    return found


def summary(results: Results) -> dict[str, Any]:
    """Everything the report shows. The `*_ids` have the names that the official harness gives them."""
    config = results.config()
    chosen: list[str] = config.get("instances") or [result.instance for result in results]
    rows = [results[name] for name in chosen]
    told = [row for row in rows if row.grade]
    return {
        "schema_version": SCHEMA,
        "config": config,
        "rate": rate(told),
        "selection": selection(told),
        "cost": cost(rows),
        **_harness(rows),
        "instances": [_row(row) for row in rows],
    }


def rate(told: Sequence[Result]) -> dict[str, Any]:
    """The share that is resolved, of the instances for which it could be found out, with its 95 % interval (Wilson)."""
    resolved = sum(map(_resolved, told))
    low, high = wilson(resolved, len(told))
    return {"resolved": resolved, "of": len(told), "rate": resolved / len(told) if told else None, "low": low, "high": high}


def selection(told: Sequence[Result]) -> dict[str, Any]:
    """How well the choice among candidates was made, on the instances of which every finalist (up to `k`) was graded.

    recall: of the instances with a right candidate, how often a right one was handed over. false_accepts: of those without one,
    how often something was handed over all the same. oracle: the share with a right one among the first k.
    """
    depth = max((_depth(row) for row in told), default=0)
    known = [row for row in told if _depth(row) >= min(depth, len(_candidates(row)))]
    right = [row for row in known if _right(row, depth)]
    without = [row for row in known if not _right(row, depth)]
    handed = sum(bool(row.outcome and row.outcome.patch.strip()) for row in without)
    had_choice = depth > 1 or all(len(_candidates(row)) <= 1 for row in told)  # else only what was handed over is graded
    return {
        "k": depth,
        "of": len(known),
        "oracle": {str(k): sum(_right(row, k) for row in known) / len(known) for k in range(1, depth + 1)},
        "recall": sum(map(_resolved, right)) / len(right) if right and had_choice else None,
        "false_accepts": handed / len(without) if without else None,
        "with_a_right_candidate": len(right),
        "without": len(without),
    }


def cost(rows: Iterable[Result]) -> dict[str, Any]:
    """What the searches took, over all and in the median; gradings apart."""
    outcomes = [row.outcome for row in rows if row.outcome]
    found: dict[str, Any] = {}
    for name in ("dollars", "tokens", "seconds", "evaluations"):
        values = [getattr(each.cost, name) for each in outcomes]
        found[name] = {"total": sum(values), "median": median(values) if values else None}
    graded = [grade.seconds for row in rows for grade in (row.grades or {}).values()]
    return found | {"grading_seconds": sum(graded), "gradings": len(graded)}


def seeds(summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Several evaluations of the same thing: mean and deviation of the rate, and how often each instance was resolved."""
    rates = [each["rate"]["rate"] for each in summaries if each["rate"]["rate"] is not None]
    often: dict[str, list[bool]] = {}
    for each in summaries:
        for row in each["instances"]:
            if row["status"] in ("resolved", "unresolved", "empty", "unapplied"):
                often.setdefault(row["id"], []).append(row["status"] == "resolved")
    average, deviation = spread(rates) if rates else (None, None)
    both = [name for name, seen in often.items() if len(set(seen)) == 2]
    return {
        "evaluations": [{"seed": each["config"].get("seed"), "rate": each["rate"]["rate"], "of": each["rate"]["of"]} for each in summaries],
        "mean": average,
        "deviation": deviation,
        "always": sorted(name for name, seen in often.items() if all(seen)),
        "never": sorted(name for name, seen in often.items() if not any(seen)),
        "sometimes": sorted(both),
    }


def rows(folder: Path, found: dict[str, Any]) -> Iterator[str]:
    """A summary as lines of text."""
    rate, chosen, cost = found["rate"], found["selection"], found["cost"]
    if rate["of"]:
        yield f"resolved {rate['resolved']} of {rate['of']}: {rate['rate']:.1%} (95 % interval {rate['low']:.1%} to {rate['high']:.1%})"
    for k, share in chosen["oracle"].items():
        yield f"oracle@{k} {share:.1%}"
    for name in ("recall", "false_accepts"):
        if chosen[name] is not None:
            yield f"{name.replace('_', ' ')} {chosen[name]:.1%}"
    yield ", ".join(f"{cost[name]['total']:,.6g} {name}" for name in ("evaluations", "seconds", "tokens", "dollars"))
    if found["error_instances"]:
        yield f"{found['error_instances']} could not be found out: {', '.join(found['error_ids'][:5])}"
    yield f"predictions: {line(str(folder / PREDS))}   report: {line(str(folder / 'report.html'))}"


def seed_rows(found: dict[str, Any]) -> Iterator[str]:
    """A summary of seeds as lines of text."""
    if found["mean"] is not None:
        yield f"over {len(found['evaluations'])} evaluations: {found['mean']:.1%} on average, standard deviation {found['deviation']:.1%}"
    yield f"always resolved {len(found['always'])}, sometimes {len(found['sometimes'])}, never {len(found['never'])}"
    yield from (f"  sometimes: {name}" for name in found["sometimes"])


def _harness(rows: Sequence[Result]) -> dict[str, Any]:
    """The lists of the official harness's report."""
    lists = {
        "submitted_ids": [row.instance for row in rows if row.outcome],
        "completed_ids": [row.instance for row in rows if row.grade and row.grade.status in ("resolved", "unresolved")],
        "resolved_ids": [row.instance for row in rows if _resolved(row)],
        "unresolved_ids": [row.instance for row in rows if row.grade and row.grade.status in ("unresolved", "unapplied")],
        "empty_patch_ids": [row.instance for row in rows if row.outcome and not row.outcome.patch.strip()],
        "error_ids": [row.instance for row in rows if row.error],
        "incomplete_ids": [row.instance for row in rows if not row.outcome and not row.error],
    }
    counts = {f"{name.removesuffix('_ids')}_instances": len(found) for name, found in lists.items()}
    return {"total_instances": len(rows), **counts, **lists}


def _row(row: Result) -> dict[str, Any]:
    outcome, grade = row.outcome or Outcome(row.instance, "", ""), row.grade
    return {
        "id": row.instance,
        "status": ended(row) if row.outcome or row.error else "not begun",
        "exit_status": outcome.exit_status,
        "candidates": len(_candidates(row)),
        "fail_to_pass": list(grade.fail_to_pass) if grade else None,
        "pass_to_pass": list(grade.pass_to_pass) if grade else None,
        "why": row.error or (grade.why if grade else ""),
        "dollars": outcome.cost.dollars,
        "tokens": outcome.cost.tokens,
        "seconds": outcome.cost.seconds,
        "evaluations": outcome.cost.evaluations,
        "run": outcome.run,
        "right": _right(row, _depth(row)) if grade else None,
        "confidence": outcome.confidence,
    }


def _page(folder: Path, row: dict[str, Any]) -> str:
    """Write the page of an instance's run beside its journal, unless it is as new; returns where it is, "" where there is no run here."""
    from swesearch.report.page import page

    home = folder / row["id"]
    journal, target = home / "runs" / row["run"] / JOURNAL, home / "run.html"
    if not row["run"] or not journal.is_file():
        return ""
    if not target.is_file() or target.stat().st_mtime < journal.stat().st_mtime:
        try:
            put(target, page(story_of(open_run(home, row["run"]))))
        except SwesearchError:  # a journal that cannot be read: the numbers are there without its page
            return ""
    return f"{row['id']}/run.html"


def _candidates(row: Result) -> tuple[str, ...]:
    """What could have been handed over, what was handed over first."""
    if row.outcome is None:
        return ()
    patches = (row.outcome.patch, *(each.patch for each in row.outcome.finalists))
    return tuple(dict.fromkeys(patch for patch in patches if patch.strip()))


def _depth(row: Result) -> int:
    """How many of the candidates, from the first on, have a verdict."""
    patches = _candidates(row)
    return next((number for number, patch in enumerate(patches) if not row.grade_of(patch)), len(patches))


def _right(row: Result, k: int) -> bool:
    grades = (row.grade_of(patch) for patch in _candidates(row)[:k])
    return any(grade is not None and grade.status == "resolved" for grade in grades)


def _resolved(row: Result) -> bool:
    return row.grade is not None and row.grade.status == "resolved"
