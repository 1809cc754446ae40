"""Attempts as a search makes them."""

from __future__ import annotations

from swesearch.base import Action, Attempt, Evaluation, Measurement, Replace, State

ROOT = Attempt(None, State("0" * 40), Evaluation(0.3))


def edit(path: str = "a.py", before: str = "x > 1", after: str = "x >= 1") -> Replace:
    return Replace(path, before.encode(), after.encode())


def tried(why: str, *edits: Replace, passed=(), broken=(), value: float = 0.0, says: str = "", judge: str = "") -> Attempt:
    """An attempt that was measured: tests that pass now, tests that are broken, what the first failure says, what a judge says."""
    terms = [Measurement("failing", len(passed) / 2, blocked=not passed, feedback=says, facts={"passed": list(passed)})]
    if broken:
        terms.append(Measurement("nearby", 0.5, blocked=True, facts={"broken": list(broken)}))
    if judge:
        terms.append(Measurement("judge", 0.5, feedback=judge))
    feedback = "\n".join(term.feedback for term in terms if term.feedback)
    tree = f"{hash((why, edits)) & (1 << 160) - 1:040x}"
    return Attempt(Action(edits, why), State(tree), Evaluation(value, terms=tuple(terms), feedback=feedback))


def refused(why: str, feedback: str, *edits: Replace) -> Attempt:
    """An attempt that came to nothing: given up (no edits), or edits that do not apply."""
    return Attempt(Action(edits, why), ROOT.state, Evaluation(0.0, feedback=feedback))
