"""What dead branches teach: checked facts for the prompts of others, and weights for priors.

A fact is an edit and what was measured of it, or why it does not apply. What a model said about an attempt is no fact.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from math import prod

from swesearch.agents.history import edit_words, gained, one_line, outcomes, paths
from swesearch.agents.hypothesis import Hypothesis
from swesearch.base import Attempt

MOST = 4000  # characters of all facts together
EDITS = 3  # of one attempt that are shown
KINDS: Mapping[str, re.Pattern[str]] = {
    name: re.compile(rf"\b(?:{words})", re.IGNORECASE)
    for name, words in {
        "guard": "guard|check|validat|early return|skip if|only if",
        "exception": "catch|except|rais|try\\b|rethrow",
        "condition": "condition|compar|bound|off.by.one|invert|operator",
        "conversion": "convert|cast|coerc|encod|decod|normali[sz]|strip",
        "default": "default|fallback|optional argument|keyword argument",
        "order": "order|sort|before|after|earlier|later|swap",
        "state": "cache|copy|mutat|reset|share|alias",
        "pattern": "regex|regular expression|pattern|pars",
        "removal": "remov|delet|drop",
    }.items()
}


def experience(attempts: Sequence[Attempt], most: int = MOST) -> str:
    """Checked facts about `attempts`, the most successful first, in at most `most` characters; empty where there are none."""
    ranked = sorted(attempts, key=lambda attempt: -attempt.evaluation.value)
    facts = list(dict.fromkeys(filter(None, map(fact, ranked))))
    kept: list[str] = []
    for line in facts:
        if sum(map(len, kept)) + len(kept) + len(line) > most:
            break
        kept.append(line)
    return "\n".join(kept)


def fact(attempt: Attempt) -> str:
    """What was found out about one attempt; empty where nothing was: the root, a plan that was given up, a state never measured."""
    if attempt.action is None or not attempt.action.edits:
        return ""
    edits = attempt.action.edits
    more = f"; and {len(edits) - EDITS} more edits" if len(edits) > EDITS else ""
    what = "; ".join(map(edit_words, edits[:EDITS])) + more
    if not attempt.evaluation.terms:  # it was refused before anything was measured
        why = one_line(attempt.evaluation.feedback)
        return f"- {what} -> does not apply: {why}" if why else ""
    return f"- {what} -> {'; '.join(outcomes(attempt)) or 'no failing test passes'}"


def weight(hypothesis: Hypothesis, attempts: Sequence[Attempt]) -> float:
    """How the record of its files and of its kind of approach speaks for a hypothesis; 1 where nothing is known, between 0 and 2.

    The geometric mean over files and kinds of 2 (g + 1) / (n + 2), where n attempts of that sort were measured and g of them gained
    something: Laplace's rule of succession, as a multiple of the chance of what was never tried.
    """
    wanted = {*hypothesis.files, *_kinds(f"{hypothesis.cause} {hypothesis.approach}")}
    records = [(gained(attempt), set(_sorts(attempt))) for attempt in attempts if attempt.action and attempt.evaluation.terms]
    chances = [_succession([good for good, sorts in records if sort in sorts]) for sort in wanted]
    return 2 * prod(chances) ** (1 / len(chances)) if chances else 1.0


def _succession(results: Sequence[bool]) -> float:
    return (sum(results) + 1) / (len(results) + 2)


def _sorts(attempt: Attempt) -> Iterator[str]:
    yield from paths(attempt.action)
    yield from _kinds(attempt.action.why if attempt.action else "")


def _kinds(text: str) -> Iterator[str]:
    return (name for name, words in KINDS.items() if words.search(text))
