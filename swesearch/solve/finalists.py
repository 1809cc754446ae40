"""From the states that passed while searching to the one that is handed over: minimised, ranked, verified afresh."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sandbox.base import Sandbox, TestRun
from swesearch.base import Attempt, Candidate, Discriminator, Evaluator, State, Verdict
from swesearch.discriminator.minimise import minimise
from swesearch.solve.prepare import Bench
from swesearch.solve.record import Record
from swesearch.value.checks import CheckRun
from swesearch.value.tests import broken_tests

TRIES = 3  # times as many candidates are verified as are wanted, where some fail


@dataclass(frozen=True, slots=True)
class Finals:
    """Ranks, verifies and reports the candidates of one run."""

    bench: Bench
    evaluator: Evaluator
    discriminator: Discriminator
    record: Record

    def run(self, solved: Sequence[Attempt], most: int) -> Verdict:
        """At most `most` verified candidates, best first. Raises SandboxUnavailable."""
        self.record.append("phase", name="minimise", detail=f"{len(solved)} candidates pass")
        small = {attempt.state: attempt for attempt in map(self._minimised, solved)}
        ranked = self.discriminator.pick([self._candidate(attempt) for attempt in small.values()])
        self.record.append("phase", name="verify", detail="each finalist in a sandbox that nothing has run in")
        verified: list[Candidate] = []
        for candidate in ranked.ranking[: TRIES * most]:
            verified += self._verified(candidate, len(verified))
            if len(verified) == most:
                break
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


@dataclass(frozen=True, slots=True)
class Proof:
    """One thing that was looked at, whether it holds, and what was seen."""

    holds: bool
    words: str


def proofs(check: CheckRun, state: State, box: Sandbox, with_rest: bool) -> Iterator[Proof]:
    """What is looked at for one check, from near to far."""
    run = check.verify(state, box)
    yield _check_proof(check, run, box.name)
    if check.baseline.passing:
        yield _nearby_proof(check.baseline.passing, run if check.is_whole else check.whole_files(state, box))
    if with_rest:
        yield from _rest_proof(check, state, box)


def _check_proof(check: CheckRun, run: TestRun, box: str) -> Proof:
    """The user's own command, which failed on the root, passes."""
    words = " ".join(check.check.command)
    if run.passed:
        return Proof(True, f"`{words}` failed before and passes now, in a fresh {box} sandbox ({_count(run)})")
    return Proof(False, f"`{words}` does not pass in a fresh {box} sandbox ({run.status})")


def _nearby_proof(passing: Sequence[str], run: TestRun) -> Proof:
    """The tests around the failing ones go on to pass."""
    if broken := broken_tests(passing, run):
        return Proof(False, f"newly failing in the same files: {', '.join(broken[:3])}")
    return Proof(True, f"{len(passing)} other tests in the same files still pass")


def _rest_proof(check: CheckRun, state: State, box: Sandbox) -> Iterator[Proof]:
    """The tests in other files, where they run within the limits of one run."""
    before = check.rest(check.root, box)
    if before is None or before.status == "empty":
        return
    if before.status != "complete":
        yield Proof(True, f"tests in other files were not compared: on the code as it is they end as {before.status}")
        return
    passing = [outcome.id for outcome in before.outcomes if outcome.outcome == "passed"]
    after = check.rest(state, box)
    if broken := broken_tests(passing, after):
        how = f" ({after.status}: {after.detail[:300]})" if after and after.status != "complete" else ""
        yield Proof(False, f"newly failing elsewhere: {', '.join(broken[:3])}{how}")
    else:
        yield Proof(True, f"none of the {len(passing)} passing tests in other files is broken")


def _count(run: TestRun) -> str:
    number = sum(outcome.outcome == "passed" for outcome in run.outcomes)
    return f"{number} test{'s' if number != 1 else ''}"
