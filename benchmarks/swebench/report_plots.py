"""Plots of an evaluation as SVG: what share is resolved within a budget, and whether stated chances are right as often as they say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from benchmarks.swebench.stats import wilson

WIDE, HIGH, LEFT, BOTTOM = 560, 250, 44, 40
BINS = 5

Rows = Sequence[Mapping[str, Any]]
Curve = list[tuple[float, float]]


def budget_plot(rows: Rows) -> str:
    """The share of instances resolved against what a search may use: if the right one is always chosen (oracle), and as it was chosen."""
    graded = [row for row in rows if row["right"] is not None]
    unit = "dollars" if any(row["dollars"] for row in graded) else "evaluations"
    most = max((row[unit] for row in graded), default=0)
    if not graded or not most:
        return "<p class=dim>nothing is graded yet</p>"
    lines = [
        ("oracle", "spend", curve([row[unit] for row in graded if row["right"]], len(graded), most)),
        ("selected", "best", curve([row[unit] for row in graded if row["status"] == "resolved"], len(graded), most)),
    ]
    paths = "".join(f'<path class={style} d="{_steps(points, most)}"/>' for _, style, points in lines)
    ends = ", ".join(f"{name} {points[-1][1]:.0%}" for name, _, points in lines)
    words = f"{ends} of {len(graded)} graded instances, with everything that was used"
    return _figure(
        paths + _axis(most, unit), words, (("best", "selected: handed over and right"), ("spend", "oracle: a right one was found"))
    )


def calibration_plot(rows: Rows) -> str:
    """How often patches are right, by the chance that was stated; with 95 % intervals (Wilson)."""
    said = [(row["confidence"], row["status"] == "resolved") for row in rows if row["confidence"] is not None and row["status"] in JUDGED]
    if not said:
        return "<p class=dim>no patch with a stated chance is graded yet</p>"
    marks = "".join(map(_mark, bins(said)))
    ideal = f'<path class=spend d="M{_x(0, 1):.1f} {_y(0):.1f}L{_x(1, 1):.1f} {_y(1):.1f}"/>'
    brier = sum((chance - right) ** 2 for chance, right in said) / len(said)
    words = f"{len(said)} patches that were handed over; Brier score {brier:.3f}, 0 is perfect"
    return _figure(_axis(1, "stated chance") + ideal + marks, words, (("spend", "right as often as stated"),))


JUDGED = ("resolved", "unresolved", "unapplied")


def curve(costs: Iterable[float], of: int, most: float) -> Curve:
    """Steps: by each budget the share of all that is done within it."""
    found = [(0.0, 0.0), *((cost, (place + 1) / of) for place, cost in enumerate(sorted(costs)))]
    return [*found, (most, found[-1][1])]


def bins(said: Sequence[tuple[float, bool]]) -> list[tuple[float, int, int]]:
    """For each fifth of the chances that has any: the mean chance, how many were right, how many there are."""
    found = []
    for place in range(BINS):
        inside = [(chance, right) for chance, right in said if min(BINS - 1, int(chance * BINS)) == place]
        if inside:
            found.append((sum(chance for chance, _ in inside) / len(inside), sum(right for _, right in inside), len(inside)))
    return found


def _mark(bin_: tuple[float, int, int]) -> str:
    chance, right, of = bin_
    low, high = wilson(right, of)
    x = _x(chance, 1)
    return (
        f'<path class=best d="M{x:.1f} {_y(low):.1f}V{_y(high):.1f}"/><circle class=point cx={x:.1f} cy={_y(right / of):.1f} r=4.5 >'
        f"<title>{right} of {of} are right, {chance:.0%} was stated</title></circle>"
    )


def _steps(points: Curve, most: float) -> str:
    first, *rest = points
    return f"M{_x(first[0], most):.1f} {_y(first[1]):.1f}" + "".join(f"H{_x(x, most):.1f}V{_y(y):.1f}" for x, y in rest)


def _axis(most: float, name: str) -> str:
    grid = "".join(map(_line, (0, 0.25, 0.5, 0.75, 1)))
    ticks = "".join(
        _text(_x(most * share, most), HIGH - BOTTOM + 18, "end" if share == 1 else "middle", f"{most * share:,.4g}")
        for share in (0, 0.5, 1)
    )
    return grid + ticks + _text((LEFT + WIDE) / 2, HIGH - 4, "middle", name)


def _line(share: float) -> str:
    y = _y(share)
    return f"<line class=grid x1={LEFT} x2={WIDE} y1={y:.1f} y2={y:.1f} />{_text(LEFT - 8, y + 4, 'end', f'{share:.0%}')}"


def _text(x: float, y: float, anchor: str, words: str) -> str:
    return f"<text x={x:.1f} y={y:.1f} text-anchor={anchor}>{escape(words)}</text>"


def _figure(inside: str, words: str, keys: Iterable[tuple[str, str]]) -> str:
    shown = "".join(
        f'<span class=key><i class="swatch{" spend" if style == "spend" else ""}"></i>{escape(name)}</span>' for style, name in keys
    )
    return (
        f'<figure class="panel plot"><svg viewBox="0 0 {WIDE} {HIGH}" role=img aria-label="{escape(words)}">{inside}</svg>'
        f"<figcaption>{shown}<span>{escape(words)}</span></figcaption></figure>"
    )


def _x(value: float, most: float) -> float:
    return LEFT + (WIDE - LEFT - 6) * value / most


def _y(share: float) -> float:
    return 8 + (HIGH - BOTTOM - 8) * (1 - share)
