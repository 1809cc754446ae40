"""The report as one page: no script, no address outside it, every text of others escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.4rem;margin:0} h2{font-size:1.05rem;margin:2rem 0 .5rem} p{margin:.3rem 0} .dim{color:#667}
table{border-collapse:collapse;width:100%} td,th{padding:.25rem .6rem;text-align:left;border-bottom:1px solid #e4e7eb;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums} .big{font-size:2rem;font-weight:600}
.bar{position:relative;height:12px;background:#eef0f3;border-radius:6px;margin:.4rem 0}
.bar i{position:absolute;top:0;bottom:0;background:#9bd5ad;border-radius:6px}
.bar b{position:absolute;top:-3px;bottom:-3px;width:3px;background:#1a7f37}
.resolved{color:#1a7f37} .unresolved,.unapplied{color:#9a6700} .error{color:#cf222e} .empty,.not{color:#667}
@media(prefers-color-scheme:dark){body{background:#15181c;color:#e4e7eb}td,th{border-color:#2c3138}
.bar{background:#2c3138}.bar i{background:#2f6f44}}
"""
NUMBERS = ("dollars", "tokens", "seconds", "evaluations")


def page(found: Mapping[str, Any]) -> str:
    """A summary (see report.py) as HTML."""
    parts = (
        _head(found),
        _rate(found["rate"], found),
        _selection(found["selection"]),
        _cost(found["cost"]),
        _instances(found["instances"]),
    )
    title = escape(str(found["config"].get("model_name_or_path", "evaluation")))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>{"".join(parts)}</body></html>\n'
    )


def _head(found: Mapping[str, Any]) -> str:
    config = found["config"]
    told = [f"{key}: {config[key]}" for key in ("mode", "source", "seed", "version", "began") if config.get(key) not in (None, "")]
    return f"<h1>{escape(str(config.get('model_name_or_path', '')))}</h1><p class=dim>{escape(' · '.join(told))}</p>"


def _rate(rate: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if rate["rate"] is None:
        return f"<h2>Resolved</h2><p>nothing is graded yet</p>{_apart(found)}"
    low, high, at = (100 * rate[key] for key in ("low", "high", "rate"))
    return (
        f"<h2>Resolved</h2><p><span class=big>{at:.1f} %</span> {rate['resolved']} of {rate['of']} "
        f"<span class=dim>(95 % interval {low:.1f} to {high:.1f} %, Wilson)</span></p>"
        f'<div class=bar><i style="left:{low:.1f}%;width:{high - low:.1f}%"></i><b style="left:{at:.1f}%"></b></div>{_apart(found)}'
    )


def _apart(found: Mapping[str, Any]) -> str:
    return (
        f"<p class=dim>{found['total_instances']} instances; {found['empty_patch_instances']} without a patch; apart from the rate: "
        f"{found['error_instances']} infrastructure errors, {found['incomplete_instances']} not begun</p>"
    )


def _selection(chosen: Mapping[str, Any]) -> str:
    rows = [(f"oracle@{k}: a right one is among the first {k}", share) for k, share in chosen["oracle"].items()]
    rows.append(("selector recall: a right one was handed over where there was one", chosen["recall"]))
    rows.append(("false accepts: something was handed over where nothing was right", chosen["false_accepts"]))
    cells = "".join(f"<tr><td>{escape(what)}<td class=n>{_percent(share)}" for what, share in rows)
    return f"<h2>Choice among candidates</h2><p class=dim>on {chosen['of']} instances whose candidates are graded</p><table>{cells}</table>"


def _cost(cost: Mapping[str, Any]) -> str:
    head = "".join(f"<th class=n>{name}" for name in NUMBERS)
    total = "".join(f"<td class=n>{_number(cost[name]['total'])}" for name in NUMBERS)
    middle = "".join(f"<td class=n>{_number(cost[name]['median'])}" for name in NUMBERS)
    return (
        f"<h2>Cost</h2><table><tr><th>{head}<tr><td>all searches{total}<tr><td>median of an instance{middle}</table>"
        f"<p class=dim>{cost['gradings']} gradings took {_number(cost['grading_seconds'])} s</p>"
    )


def _instances(rows: Iterable[Mapping[str, Any]]) -> str:
    head = "<tr><th>instance<th>status<th class=n>F2P<th class=n>P2P<th class=n>candidates<th class=n>$<th class=n>s<th>"
    return f"<h2>Instances</h2><table>{head}{''.join(map(_instance, rows))}</table>"


def _instance(row: Mapping[str, Any]) -> str:
    status = escape(row["status"])
    tests = "".join(f"<td class=n>{'/'.join(map(str, row[key])) if row[key] else ''}" for key in ("fail_to_pass", "pass_to_pass"))
    return (
        f'<tr><td>{escape(row["id"])}<td class="{status}">{status}{tests}<td class=n>{row["candidates"]}'
        f"<td class=n>{_number(row['dollars'])}<td class=n>{_number(row['seconds'])}<td class=dim>{escape(row['why'][:300])}"
    )


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
