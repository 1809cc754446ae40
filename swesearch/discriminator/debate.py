"""A debate among the few finalists that evidence cannot tell apart well: it decides only what is close, and cannot be argued into more.

Evidence orders the candidates. The first few that differ in patch and behaviour play each other; each pair is asked about twice, the
order swapped, and a model that changes its mind with the order has no opinion (Zheng et al., "Judging LLM-as-a-judge", 2023, on position
bias). Only one that beats every other finalist (a Condorcet winner) goes before the one that the evidence puts first: to count wins would
let a model that tosses coins undo most of the evidence. Then objections to the winner are asked for; one that rests on evidence against
it, which the next finalist does not share, makes that one the winner: a self-check with few revisions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Protocol

from swesearch.base import Candidate, Discriminator, Verdict
from swesearch.discriminator.rules import RULES

CHANGED = re.compile(r"changes \d+% of what the code did on changed inputs of passing tests")
SHORTEST = 8  # characters of a quotation that can bear something out
OPINION = "judge"  # the term whose words are no evidence


class Referee(Protocol):
    """Whoever is asked for opinions. No answer is no opinion."""

    def compare(self, first: Candidate, second: Candidate) -> tuple[Candidate | None, str]:
        """The better of two, None where neither is; and why."""
        ...

    def objections(self, candidate: Candidate, evidence: str) -> Sequence[tuple[str, str]]:
        """What should stop the candidate, each with the words of `evidence` that it rests on."""
        ...


class Debate:
    """Wraps another discriminator. At most `calls` questions go to the referee, `revisions` + 1 of them kept back for the self-check.

    `behave` says what a candidate does on changed inputs, where that is known. Errors of the kinds `spared` (the money is used up, say)
    end the debate and leave the order as it is by then; all others are raised.
    """

    def __init__(
        self,
        inner: Discriminator,
        referee: Referee,
        *,
        behave: Callable[[Candidate], Mapping[str, str]] = lambda _: {},
        top: int = 3,
        calls: int = 9,
        revisions: int = 2,
        spared: tuple[type[Exception], ...] = (),
    ) -> None:
        self._inner = inner
        self._referee = referee
        self._behave = behave
        self._top = top
        self._calls = calls
        self._revisions = revisions
        self._spared = spared

    def pick(self, candidates: Sequence[Candidate]) -> Verdict:
        """Evidence first, the debate among the first, the self-check of its winner. Raises what the referee raises."""
        verdict = self._inner.pick(candidates)
        finalists = self._finalists(verdict.ranking)
        match = _Match(self._referee, finalists)
        try:
            match.play((self._calls - self._revisions - 1) // 2)
            match.check(min(self._revisions, self._calls - 1))
        except self._spared as error:
            match.note(f"the debate ended early: {error}")
        ranking = (*match.ranking(), *(each for each in verdict.ranking if not _among(each, finalists)))
        kept = not finalists or ranking[0].attempt.state == finalists[0].attempt.state
        return Verdict(ranking, verdict.why if kept else f"first in a debate among {len(finalists)} that the evidence left open")

    def _finalists(self, ranking: Sequence[Candidate]) -> list[Candidate]:
        """The first of each kind of patch and behaviour, as well verified as the very first."""
        found: list[Candidate] = []
        shown: list[Mapping[str, str]] = []
        for candidate in ranking:
            if len(found) == self._top or candidate.verified != ranking[0].verified:
                break
            behaviour = self._behave(candidate)
            new = behaviour not in [known for known in shown if known]
            if new and _core(candidate) not in map(_core, found):
                found.append(candidate)
                shown.append(behaviour)
        return found


class _Match:
    """One debate: who goes first, and what was said about whom. Finalists are numbered in the order of the evidence."""

    def __init__(self, referee: Referee, finalists: Sequence[Candidate]) -> None:
        self._referee = referee
        self._finalists = finalists
        self._order = list(range(len(finalists)))  # best first
        self._notes: dict[int, list[str]] = {number: [] for number in self._order}

    def ranking(self) -> list[Candidate]:
        """The finalists from best to worst, with what was said about them."""
        return [
            replace(self._finalists[number], reasons=(*self._finalists[number].reasons, *self._notes[number])) for number in self._order
        ]

    def note(self, words: str) -> None:
        """Say something about the first."""
        for number in self._order[:1]:
            self._notes[number].append(words)

    def play(self, pairs: int) -> None:
        """Ask about at most `pairs` pairs, and put first who wins all of theirs. Pairs that cannot change the order are left out."""
        wins = dict.fromkeys(self._order[1:], 0)  # of those who may still win against all
        for one, other in sorted(combinations(self._order, 2), key=sum):
            if pairs <= 0 or wins.keys().isdisjoint((one, other)):
                continue
            pairs -= 1
            winner = self._winner(one, other)
            for number in {one, other} & wins.keys():
                if number == winner:
                    wins[number] += 1
                else:
                    del wins[number]
        for number, count in wins.items():
            if count == len(self._finalists) - 1:
                self._put_first(number)

    def check(self, revisions: int) -> None:
        """Look for objections to the winner; one that is borne out makes the next finalist the winner, `revisions` times at most."""
        for place, number in enumerate(self._order[: revisions + 1]):
            if not self._objected(number, self._order[place + 1 : place + 2]):
                self._put_first(number)
                return

    def _put_first(self, number: int) -> None:
        self._order = [number, *(other for other in self._order if other != number)]

    def _winner(self, one: int, other: int) -> int | None:
        """Who is better in both orders; None where neither is."""
        winner, why = self._asked_twice(one, other)
        if winner is not None:
            self._notes[winner].append(f"a model prefers it to another finalist, in both orders: {why}")
            self._notes[one + other - winner].append(f"a model prefers another finalist, in both orders: {why}")
        return winner

    def _asked_twice(self, one: int, other: int) -> tuple[int | None, str]:
        """The winner, and why."""
        first, second = self._finalists[one], self._finalists[other]
        ahead, why = self._referee.compare(first, second)
        if ahead is None:  # whatever the other order says, they would not agree
            return None, ""
        again, _ = self._referee.compare(second, first)
        if again is None or again.attempt.state != ahead.attempt.state:
            return None, ""
        return (one if ahead.attempt.state == first.attempt.state else other), why

    def _objected(self, number: int, following: Sequence[int]) -> bool:
        """Whether an objection to a finalist is borne out by evidence that the next one does not share."""
        against = list(adverse(self._finalists[number]))
        shared = {line for other in following for line in adverse(self._finalists[other])}
        borne_out = False
        for claim, quote in self._referee.objections(self._finalists[number], "\n".join(against)):
            line = next((line for line in against if _quotes(quote, line)), "")
            self._notes[number].append(f'objection, borne out by "{line}": {claim}' if line else f"objection without evidence: {claim}")
            borne_out = borne_out or bool(line and line not in shared)
        return borne_out


def adverse(candidate: Candidate) -> Iterator[str]:
    """What was found out against a candidate, line by line. Neither opinions are among it, nor praise, nor reasons of unknown kinds."""
    bad = {rule.sentence for rule in RULES}
    yield from (reason for reason in candidate.reasons if reason in bad or CHANGED.fullmatch(reason))
    terms = candidate.attempt.evaluation.terms
    yield from (line for term in terms if term.name != OPINION for line in term.feedback.splitlines() if line.strip())


def _quotes(quote: str, line: str) -> bool:
    words = _plain(quote)
    return len(words) >= SHORTEST and words in _plain(line)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _core(candidate: Candidate) -> tuple[bytes, ...]:
    """A patch without its line numbers and blank lines: patches with equal cores are one."""
    lines = (line.rstrip() for line in candidate.patch.splitlines())
    return tuple(line for line in lines if len(line) > 1 and not line.startswith((b"@@", b"index ")))


def _among(candidate: Candidate, others: Sequence[Candidate]) -> bool:
    return any(candidate.attempt.state == other.attempt.state for other in others)
