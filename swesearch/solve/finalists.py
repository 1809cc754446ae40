"""From the states that passed while searching to the one that is handed over: minimised, ranked, verified afresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from swesearch.base import Attempt, Candidate, Discriminator, Evaluator, State, Verdict
from swesearch.discriminator.minimise import minimise
from swesearch.solve.prepare import Bench
from swesearch.solve.proofs import Proof, proofs
from swesearch.solve.record import Record

TRIES = 3  # times as many candidates are verified as are wanted, where some fail


@dataclass(frozen=True, slots=True)
class Finals:
    """Ranks, verifies and reports the candidates of one run."""

    bench: Bench
    evaluator: Evaluator
    discriminator: Discriminator
    record: Record
    over: Callable[[], bool] = lambda: False  # whether the time is up: then one that holds is enough
    refuted: set[State] = field(default_factory=set)  # states that did not hold, now or in an earlier session

    def __post_init__(self) -> None:
        past = (event.data for event in self.record.past if event.kind == "finalist")
        self.refuted.update(State(data["node"]) for data in past if not data["verified"])

    def run(self, solved: Sequence[Attempt], most: int) -> Verdict:
        """At most `most` verified candidates, best first. Raises SandboxUnavailable."""
        self.record.append("phase", name="minimise", detail=f"{len(solved)} candidates pass")
        small = {attempt.state: self._minimised(attempt) for attempt in solved}
        fresh = {attempt.state: attempt for attempt in small.values() if attempt.state not in self.refuted}
        ranked = self.discriminator.pick([self._candidate(attempt) for attempt in fresh.values()])
        self.record.append("phase", name="verify", detail="each finalist in a sandbox that nothing has run in")
        verified: list[Candidate] = []
        for candidate in ranked.ranking[: TRIES * most]:
            verified += self._verified(candidate, len(verified))
            if len(verified) == most or (verified and self.over()):
                break
        self.refuted.update(state for state, attempt in small.items() if attempt.state in self.refuted)
        return Verdict(tuple(verified), ranked.why if verified and verified[0].attempt == ranked.ranking[0].attempt else "")

    def _minimised(self, attempt: Attempt) -> Attempt:
        def still_good(state: State) -> bool:
            return self.evaluator.evaluate(state, None).solved

        state = minimise(self.bench.store, self.bench.root, attempt.state, still_good)
        return attempt if state == attempt.state else replace(attempt, state=state, evaluation=self.evaluator.evaluate(state, None))

    def _candidate(self, attempt: Attempt) -> Candidate:
        return Candidate(attempt, self.bench.store.diff(self.bench.root, attempt.state), verified=False)

    def _verified(self, candidate: Candidate, rank: int) -> Iterator[Candidate]:
        """The candidate with its evidence, if it holds."""
        found = list(self._evidence(candidate.attempt.state, with_rest=rank == 0))
        good = all(proof.holds for proof in found)
        reasons = (*(proof.words for proof in found), *candidate.reasons)
        tree = candidate.attempt.state.tree
        self.record.append(
            "finalist", node=tree, verified=good, patch=candidate.patch.decode(errors="replace"), reasons=reasons, rank=rank + 1
        )
        if good:
            yield replace(candidate, verified=True, reasons=reasons)
        else:
            self.refuted.add(candidate.attempt.state)

    def _evidence(self, state: State, with_rest: bool) -> Iterator[Proof]:
        """Proofs in a sandbox of its own, up to the first that does not hold."""
        box = self.bench.fresh()
        try:
            for check in self.bench.checks:
                for proof in proofs(check, state, box, with_rest):
                    yield proof
                    if not proof.holds:
                        return
        finally:
            box.close()
