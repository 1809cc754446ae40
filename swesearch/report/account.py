"""A run told in words, for somebody who was not there: what was wrong, what was changed, why it is believed right, at what cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from swesearch.report.progress import STOPPED

SHOWN = 5  # tests, lines and paragraphs of each kind

# What became of attempts: for one of them, and for several.
BECAME = {
    "passes": ("made every test pass", "made every test pass"),
    "partial": ("got further, but not all the way", "got further, but not all the way"),
    "failing": ("left the failing tests failing", "left the failing tests failing"),
    "breaking": ("broke a test that had passed", "broke tests that had passed"),
    "unclean": ("made an error that the linter proves", "made errors that the linter proves"),
    "unparsable": ("was no valid code", "were no valid code"),
    "refused": ("could not be carried out", "could not be carried out"),
}


class Section(TypedDict):
    """A heading and what stands below it, a sentence or two each."""

    title: str
    lines: list[str]


def account(story: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> list[Section]:
    """The account of a story, in the order in which it is to be read. Its text is that of others: escape it where it is shown."""
    parts = {
        "What was wrong": _wrong(story, nodes),
        "What was changed": _changed(story),
        "Why it is believed to be right": _believed(story),
        "What else was tried": _tried(story, nodes),
        "What it cost": _cost(story, nodes),
    }
    return [Section(title=title, lines=lines) for title, found in parts.items() if (lines := list(found))]


def _wrong(story: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if issue := story["issue"].strip():
        yield _short(issue.split("\n\n")[0], 600)
    yield from (f"A test was written from the issue: {each['path']}. It fails because {each['reason']}" for each in story["tests"][:SHOWN])
    for base in story["baseline"]:
        yield f"`{base['check']}` failed on the code as it was: {_many(base['failing'], 'test')} of {base['failing'] + base['passing']}."
        yield from (_short(f"{name}: {words}", 400) for name, words in list(base["tests"].items())[:SHOWN])
    if not story["baseline"]:
        yield from (f"`{check}` failed on the code as it was." for check in story["checks"])
        yield from (_short(words, 400) for words in _first_failure(nodes))
    if story["suspects"]:
        yield "The tests led to " + ", ".join(f"{each['path']}:{each['line']}" for each in story["suspects"][:3]) + "."


def _first_failure(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    """How the check fails where nothing was mended: older journals do not say how it failed before."""
    words = (term["feedback"] for node in nodes for term in node["terms"] if term["name"] == "failing" and term.get("feedback"))
    return list(words)[:1]


def _changed(story: Mapping[str, Any]) -> Iterator[str]:
    if best := _best(story):
        yield _sentence(best["why"] or "the code was changed")
        yield f"{_size(best['patch'])}."
    elif story["solution"]:
        yield f"Nothing: {story['solution']['why']}."
    elif story["running"]:
        yield "Nothing yet: the search is not at its end."
    else:
        yield f"Nothing: {story['error'] or STOPPED.get(story['state'], story['state'])}."


def _believed(story: Mapping[str, Any]) -> Iterator[str]:
    best, solution = _best(story), story["solution"]
    if not best or not solution:
        return
    yield from map(_sentence, best["reasons"])
    if story["picked"]:
        yield "Somebody picked it; the search had put another one first."
    elif solution["why"]:
        yield _sentence(f"chosen: {solution['why']}")
    if solution["confidence"] is not None and not story["picked"]:
        yield f"It is right with an estimated chance of {solution['confidence']:.0%}. Tests are all the evidence there is."


def _tried(story: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    tried, best = [node for node in nodes if node["parent"] is not None], _best(story)
    if not tried:
        return
    became = Counter(node["outcome"] for node in tried)
    found = [f"{became[name]} {more if became[name] > 1 else one}" for name, (one, more) in BECAME.items() if became[name]]
    same = sum(bool(node.get("duplicate")) for node in tried)
    yield f"{_many(len(tried), 'change')} {'was' if len(tried) == 1 else 'were'} tried: {', '.join(found)}." + (
        f" {same} led to code that had been seen before." if same else ""
    )
    others = [each for each in story["finalists"] if not each["chosen"]]
    for each in others[:SHOWN]:
        held = "passed too" if each["verified"] else "did not hold when it was tried afresh"
        own = [reason for reason in each["reasons"] if not best or reason not in best["reasons"]]
        yield f"{_sentence(_short(each['why'] or 'another candidate', 200))[:-1]} ({'; '.join((held, *own))})."
    if len(others) > SHOWN:
        yield f"{len(others) - SHOWN} more were looked at as closely."


def _cost(story: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    cost = story["cost"]
    if nodes:
        spent = f"{_many(cost['evaluations'], 'evaluation')}, {_duration(cost['seconds'])}"
        money = (
            f"${cost['dollars']:.4f} for {cost['tokens']:,} tokens in {_many(cost['answers'], 'answer')} of {', '.join(story['models'])}"
        )
        yield f"{spent}, {money}." if story["models"] else f"{spent}. No model was asked."


def _best(story: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return next((each for each in story["finalists"] if each["chosen"]), None)


def _size(patch: str) -> str:
    """How much a patch changes, counted from its text."""
    rows = patch.splitlines()
    files = [row[6:] for row in rows if row.startswith("+++ b/")] or [row[6:] for row in rows if row.startswith("--- a/")]
    added = sum(row.startswith("+") and not row.startswith("+++") for row in rows)
    taken = sum(row.startswith("-") and not row.startswith("---") for row in rows)
    return f"{', '.join(files[:SHOWN])}: {_many(added, 'line')} added, {_many(taken, 'line')} taken out"


def _sentence(text: str) -> str:
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def _short(text: str, most: int) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def _many(number: int, one: str) -> str:
    return f"{number:,} {one}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{seconds:.1f} s"
