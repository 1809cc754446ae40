"""The report as one page in the look of a run's: no script, no address but those of the instances' pages beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any
from urllib.parse import quote

from benchmarks.swebench.report_plots import budget_plot, calibration_plot
from swesearch.report.page import policy, source

STYLE = """
.big{font-size:2.2rem;font-weight:620;letter-spacing:-.02em;margin-right:.6rem}
.share{position:relative;height:12px;background:var(--soft);border-radius:6px;margin:.7rem 0;max-width:40rem}
.share i{position:absolute;top:0;bottom:0;background:var(--v1);opacity:.55;border-radius:6px}
.share b{position:absolute;top:-3px;bottom:-3px;width:3px;background:var(--pass)}
.plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(26rem,100%),1fr));gap:1.1rem} .plot{padding:1rem .9rem 0}
.plot svg{display:block;width:100%;height:auto} .plot text{font-size:11px;fill:var(--dim)} .plot .grid{stroke:var(--line)}
.plot .best{fill:none;stroke:var(--accent);stroke-width:2} .plot .spend{fill:none;stroke:var(--dim);stroke-width:1.4;stroke-dasharray:4 4}
.plot .point{fill:var(--accent)} .plot figcaption{margin:0 -.9rem} h2,h3{margin-bottom:.7rem}
"""
KINDS = {"resolved": "solved", "unresolved": "lost", "not begun": ""}
NUMBERS = ("dollars", "tokens", "seconds", "evaluations")


def page(found: Mapping[str, Any]) -> str:
    """A summary (see report.py) as HTML."""
    parts = (
        _head(found),
        _rate(found["rate"], found),
        _plots(found["instances"]),
        _selection(found["selection"]),
        _cost(found["cost"]),
        _instances(found["instances"]),
    )
    title = escape(str(found["config"].get("model_name_or_path", "evaluation")))
    style = source("page.css") + STYLE
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{policy(style, marks=True)}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'
        f"<style>{style}</style></head><body>"
        '<header class="top"><span class="mark">swesearch</span><span class="where">evaluation</span></header>'
        f"<main>{''.join(f'<section>{part}</section>' for part in parts)}</main><footer></footer></body></html>\n"
    )


def _head(found: Mapping[str, Any]) -> str:
    config = found["config"]
    told = [f"{key}: {config[key]}" for key in ("mode", "source", "seed", "version", "began") if config.get(key) not in (None, "")]
    return f"<p class=kicker>{escape(' · '.join(told))}</p><h1>{escape(str(config.get('model_name_or_path', '')))}</h1>"


def _rate(rate: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    if rate["rate"] is None:
        return f"<h2>Resolved</h2><p>nothing is graded yet</p>{_apart(found)}"
    low, high, at = (100 * rate[key] for key in ("low", "high", "rate"))
    return (
        f"<h2>Resolved</h2><p><span class=big>{at:.1f} %</span> {rate['resolved']} of {rate['of']} "
        f"<span class=dim>(95 % interval {low:.1f} to {high:.1f} %, Wilson)</span></p>"
        f'<div class=share><i style="left:{low:.1f}%;width:{high - low:.1f}%"></i><b style="left:{at:.1f}%"></b></div>{_apart(found)}'
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
    head = f"<h2>Choice among candidates</h2><p class=dim>on {chosen['of']} instances whose candidates are graded</p>"
    return f"{head}<div class=panel><table>{cells}</table></div>"


def _cost(cost: Mapping[str, Any]) -> str:
    head = "".join(f"<th class=n>{name}" for name in NUMBERS)
    total = "".join(f"<td class=n>{_number(cost[name]['total'])}" for name in NUMBERS)
    middle = "".join(f"<td class=n>{_number(cost[name]['median'])}" for name in NUMBERS)
    return (
        f"<h2>Cost</h2><div class=panel><table><tr><th>{head}<tr><td>all searches{total}<tr><td>median of an instance{middle}</table></div>"
        f"<p class=dim>{cost['gradings']} gradings took {_number(cost['grading_seconds'])} s</p>"
    )


def _instances(rows: Iterable[Mapping[str, Any]]) -> str:
    head = "<tr><th>instance<th>status<th class=n>F2P<th class=n>P2P<th class=n>candidates<th class=n>$<th class=n>s<th>"
    return f"<h2>Instances</h2><div class=panel><table>{head}{''.join(map(_instance, rows))}</table></div>"


def _instance(row: Mapping[str, Any]) -> str:
    status = f'<span class="state {KINDS.get(row["status"], "lost")}">{escape(row["status"])}</span>'
    tests = "".join(f"<td class=n>{'/'.join(map(str, row[key])) if row[key] else ''}" for key in ("fail_to_pass", "pass_to_pass"))
    return (
        f"<tr><td>{_link(row)}<td>{status}{tests}<td class=n>{row['candidates']}"
        f"<td class=n>{_number(row['dollars'])}<td class=n>{_number(row['seconds'])}<td class=dim>{escape(row['why'][:300])}"
    )


def _link(row: Mapping[str, Any]) -> str:
    """The instance's name, leading to the page of its run where there is one."""
    name = escape(row["id"])
    return f'<a href="{quote(row["page"])}">{name}</a>' if row.get("page") else name


def _plots(rows: Iterable[Mapping[str, Any]]) -> str:
    told = list(rows)
    return (
        f"<div class=plots><div><h3>Resolved within a budget</h3>{budget_plot(told)}</div>"
        f"<div><h3>Stated chance and what came of it</h3>{calibration_plot(told)}</div></div>"
    )


def _percent(share: float | None) -> str:
    return "not measured" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}".rstrip("0").rstrip(".")
