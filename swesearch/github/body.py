"""What a pull request says of itself. Words that are not ours stand in code spans and blocks: there they are read, and do nothing."""

from __future__ import annotations

import base64
import binascii
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from swesearch import __version__
from swesearch.base import Candidate, Solution, UsageError
from swesearch.github.bundle import Bundle, pack, unpack
from swesearch.github.markdown import block, cell, code, title
from swesearch.runs import Run
from swesearch.solve.proofs import Proof

LONGEST = 65_000  # GitHub takes 65,536 characters
ROWS, ALTERNATIVES, CHECKS = 20, 3, 5
SHOWN = 6_000  # characters of a test or of a patch that was rejected
CARRIED = 24_000  # characters of a bundle that the text itself carries
LANGUAGE = "swesearch-bundle"
CARRIER = re.compile(rf"^```{LANGUAGE}\n([A-Za-z0-9+/=\n]+)\n```$", re.MULTILINE)


def pull_title(number: int, issue_title: str) -> str:
    """The title of a pull request; in a squash merge it becomes a commit message."""
    return f"Fix #{number}: {title(issue_title)}"


def pull_body(number: int, run: Run, solution: Solution, chosen: Candidate, bundle: Bundle, found: Sequence[Proof]) -> str:
    """The text of a pull request that closes issue `number`."""
    parts = [
        f"Fixes #{number}",
        *_cause(chosen, solution),
        *_reproduction(run, bundle),
        *_evidence(found, chosen),
        *_rejected(run, solution, chosen),
        *_cost(run, solution),
        *_verify(run, bundle),
    ]
    return "\n\n".join(_fitting(parts, LONGEST))


def _fitting(parts: Iterable[str], room: int) -> Iterator[str]:
    """The parts that fit, each as a whole: half a code span would let loose what is in it."""
    for part in parts:
        if len(part) + 2 <= room:
            yield part
            room -= len(part) + 2


def carried(text: str) -> Bundle:
    """The bundle that the text of a pull request carries. Raises UsageError where it has none."""
    found = CARRIER.findall(text.replace("\r\n", "\n"))
    if not found:
        raise UsageError("the text of this pull request carries no bundle of swesearch")
    try:
        return unpack(base64.b64decode(found[-1]))  # ours is the last: a test that is quoted above may look like one
    except binascii.Error as error:
        raise UsageError(f"the bundle in the text of this pull request is damaged: {error}") from error


def _cause(chosen: Candidate, solution: Solution) -> Iterator[str]:
    why = chosen.attempt.action.why if chosen.attempt.action else ""
    yield "## Cause"
    yield f"What this change does: {code(why)}. The failing test, and the lines that it runs through, led there."
    if solution.confidence is not None and chosen == solution.best:
        yield f"Stated confidence that it is the right fix: {solution.confidence:.2f}. Tests are all the evidence there is: please read it."


def _reproduction(run: Run, bundle: Bundle) -> Iterator[str]:
    yield "## Reproduction"
    for check in bundle.checks[:CHECKS]:
        yield f"The check {code(' '.join(check.command))} fails on {bundle.commit[:12]} and passes with this change."
    written = [event.data["tests"][0] for event in run.events() if event.kind == "reproduced"]
    if written:
        yield f"The test was written from the issue; it is no part of this change ({code(written[-1]['path'])}):"
        yield block(written[-1]["source"][:SHOWN], "python")


def _evidence(found: Sequence[Proof], chosen: Candidate) -> Iterator[str]:
    rows = [f"| {'holds' if proof.holds else 'FAILS'} | {cell(proof.words)} |" for proof in found[:ROWS]]
    rows += [f"| noted | {cell(reason)} |" for reason in chosen.reasons if reason not in {proof.words for proof in found}][:ROWS]
    yield "## Evidence"
    yield "\n".join(["| | what was looked at, in sandboxes that nothing had run in |", "|---|---|", *rows])


def _rejected(run: Run, solution: Solution, chosen: Candidate) -> Iterator[str]:
    others = [each for each in (*([solution.best] if solution.best else []), *solution.alternatives) if each != chosen][:ALTERNATIVES]
    failed = [event.data for event in run.events() if event.kind == "finalist" and not event.data["verified"]][:ALTERNATIVES]
    yield "## Alternatives that were rejected"
    if not others and not failed:
        yield "None: nothing else that was tried passed."
    if others and solution.why and chosen == solution.best:
        yield f"Why this one: {code(solution.why)}."
    for other in others:
        yield f"- {code(other.attempt.action.why if other.attempt.action else '')}: {'; '.join(map(code, other.reasons[-3:]))}"
        yield _details("its patch", block(other.patch[:SHOWN], "diff"))
    for data in failed:
        yield f"- passed while searching, not when verified: {'; '.join(map(code, list(data['reasons'])[-2:]))}"


def _cost(run: Run, solution: Solution) -> Iterator[str]:
    cost, name = solution.cost, run.settings.model.name
    money = f", {cost.tokens:,} tokens, ${cost.dollars:.2f} ({code(name)})" if cost.tokens else ", no language model"
    yield "## Cost"
    yield f"{cost.evaluations} versions of the code were evaluated in {cost.seconds:.0f} s{money}; swesearch {__version__}."


def _verify(run: Run, bundle: Bundle) -> Iterator[str]:
    yield "## How to verify"
    carrier = "\n".join(textwrap.wrap(base64.b64encode(pack(bundle)).decode(), 100))
    if len(carrier) > CARRIED:
        yield f"The bundle is too large for this text: ask for it (`swesearch bundle {run.id}` makes it), then `swesearch verify BUNDLE`."
        return
    yield "In a clone: `swesearch verify` and the address of this pull request. No model, no key: it replays all of the above."
    yield _details("the bundle that it reads", f"```{LANGUAGE}\n{carrier}\n```")


def _details(summary: str, text: str) -> str:
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"
