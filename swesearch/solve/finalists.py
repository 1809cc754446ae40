"""From the states that passed while searching to the one that is handed over: minimised, ranked, verified afresh."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial

from sandbox.base import Sandbox
from swesearch.base import Attempt, Candidate, Discriminator, Evaluator, State, Verdict
from swesearch.discriminator.minimise import minimise
from swesearch.solve.prepare import Bench
from swesearch.solve.proofs import Proof, proofs, rest_proofs, to_the_first_doubt
from swesearch.solve.record import Record
from swesearch.value.checks import CheckRun

Look = Callable[[CheckRun, State, Sandbox], Iterator[Proof]]
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
        with ThreadPoolExecutor(self.bench.sandbox.slots) as pool:
            small = dict(zip((attempt.state for attempt in solved), pool.map(self._minimised, solved), strict=True))
        fresh = {attempt.state: attempt for attempt in small.values() if attempt.state not in self.refuted}
        ranked = self.discriminator.pick([self._candidate(attempt) for attempt in fresh.values()])
        self.record.append("phase", name="verify", detail="each finalist in a sandbox that nothing has run in")
        waiting, verified = list(ranked.ranking[: TRIES * most]), list[Candidate]()
        while waiting and len(verified) < most and not (verified and self.over()):
            some = 1 if self.over() else min(self.bench.sandbox.slots, most - len(verified))
            verified += self._verified(waiting[:some], len(verified))
            del waiting[:some]
        self.refuted.update(state for state, attempt in small.items() if attempt.state in self.refuted)
        return Verdict(tuple(verified), ranked.why if verified and verified[0].attempt == ranked.ranking[0].attempt else "")

    def _minimised(self, attempt: Attempt) -> Attempt:
        def still_good(state: State) -> bool:
            return self.evaluator.evaluate(state, None).solved

        state = minimise(self.bench.store, self.bench.root, attempt.state, still_good)
        return attempt if state == attempt.state else replace(attempt, state=state, evaluation=self.evaluator.evaluate(state, None))

    def _candidate(self, attempt: Attempt) -> Candidate:
        return Candidate(attempt, self.bench.store.diff(self.bench.root, attempt.state), verified=False)

    def _verified(self, candidates: Sequence[Candidate], rank: int) -> list[Candidate]:
        """Those that hold, looked at side by side. The one that leads (rank 0) has to hold in the tests of other files too."""
        good: list[Candidate] = []
        states = [candidate.attempt.state for candidate in candidates]
        with ThreadPoolExecutor(len(states)) as pool, ExitStack() as open_boxes:
            boxes = [open_boxes.enter_context(closing(self.bench.fresh())) for _ in states]
            for candidate, box, found in zip(candidates, boxes, pool.map(partial(self._found, proofs), states, boxes), strict=True):
                if rank + len(good) == 0 and _hold(found):
                    found += self._found(rest_proofs, candidate.attempt.state, box)
                good += self._told(candidate, found, rank + len(good))
        return good

    def _found(self, look: Look, state: State, box: Sandbox) -> list[Proof]:
        return list(to_the_first_doubt(proof for check in self.bench.checks for proof in look(check, state, box)))

    def _told(self, candidate: Candidate, found: Sequence[Proof], rank: int) -> Iterator[Candidate]:
        """The candidate with its evidence, if it holds."""
        reasons = (*(proof.words for proof in found), *candidate.reasons)
        tree = candidate.attempt.state.tree
        self.record.append(
            "finalist", node=tree, verified=_hold(found), patch=candidate.patch.decode(errors="replace"), reasons=reasons, rank=rank + 1
        )
        if _hold(found):
            yield replace(candidate, verified=True, reasons=reasons)
        else:
            self.refuted.add(candidate.attempt.state)


def _hold(found: Sequence[Proof]) -> bool:
    return all(proof.holds for proof in found)
