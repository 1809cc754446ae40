"""What became of earlier attempts, read off their edits and measurements: nothing here is a model's opinion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from swesearch.agents.clean import visible
from swesearch.base import Action, Attempt, Edit, Measurement, Rename, Replace

MEASURED = frozenset({"parses", "lint", "failing", "nearby", "reproduction"})  # terms that run or parse code; a judge has opinions
NAMES = 5  # tests that are named
LINE = 80  # characters of a line of an edit


def one_line(text: str, most: int = 300) -> str:
    """`text` on one line, cut."""
    words = " ".join(text.split())
    return words if len(words) <= most else words[: most - 3] + "..."


def paths(action: Action | None) -> tuple[str, ...]:
    """The files that an action changes."""
    return tuple(dict.fromkeys(edit.path for edit in action.edits)) if action else ()


def edit_words(edit: Edit) -> str:
    """One edit in one line."""
    if isinstance(edit, Replace):
        return f"{edit.path}: {_changed(edit)}"
    return f"rename {edit.path} to {edit.to}" if isinstance(edit, Rename) else f"{type(edit).__name__.lower()} {edit.path}"


def size(action: Action | None) -> int:
    """Lines that an action takes out or puts in, whichever are more, summed over its edits."""
    return sum(_size(edit) for edit in action.edits) if action else 0


def outcomes(attempt: Attempt) -> Iterator[str]:
    """What was measured of an attempt: tests that pass now, tests newly broken, what the first failure says."""
    for term in attempt.evaluation.terms:
        if term.name in MEASURED:
            yield from _tests(term, "passed", "pass now")
            yield from _tests(term, "broken", "newly fail")
            if term.feedback and not term.facts.get("broken"):
                yield f"{term.name}: {one_line(term.feedback)}"


def gained(attempt: Attempt) -> bool:
    """Whether something that failed on the root passes, or gets further, now, and nothing is broken."""
    terms = attempt.evaluation.terms
    return any(term.name == "failing" and term.score > 0 for term in terms) and not any(term.blocked for term in terms)


def advice(path: Sequence[Attempt]) -> str:
    """What the user said about the attempts of a path, to be put before a model; empty where nothing was said."""
    said = "\n".join(f"- {visible(hint)}" for attempt in path for hint in attempt.hints)
    return (
        f"The user who runs this search looked at the change so far, and says (weigh it above your own guesses):\n{said}\n\n"
        if said
        else ""
    )


def _tests(term: Measurement, fact: str, words: str) -> Iterator[str]:
    names: Sequence[str] = [str(name) for name in term.facts.get(fact, ())]
    if names:
        more = f" and {len(names) - NAMES} more" if len(names) > NAMES else ""
        yield f"{', '.join(names[:NAMES])}{more} {words}"


def _changed(edit: Replace) -> str:
    """The first place where the lines differ."""
    took, put = next(iter(_differences(edit)), ((), ()))
    return f"{_quoted(took)} became {_quoted(put)}"


def _quoted(lines: Sequence[str]) -> str:
    return f"`{one_line(' '.join(lines), LINE)}`" if lines else "nothing"


def _size(edit: Edit) -> int:
    if isinstance(edit, Replace):
        return sum(max(len(took), len(put)) for took, put in _differences(edit))
    return len(getattr(edit, "content", b"").splitlines()) or 1


def _differences(edit: Replace) -> list[tuple[Sequence[str], Sequence[str]]]:
    """The lines that an edit takes out, each run with those that stand there instead."""
    old, new = (side.decode(errors="replace").splitlines() for side in (edit.before, edit.after))
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [(old[i:j], new[k:m]) for kind, i, j, k, m in blocks if kind != "equal"]
