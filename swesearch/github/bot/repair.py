"""Fixes for findings: found by the search that `swesearch fix` is, or by taking back only those lines of the change that do the harm."""

from __future__ import annotations

import json
import shlex
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.base import File
from swesearch import runs
from swesearch.base import Candidate, Check, CheckPasses, CheckUnusable, Cost, Event, ModelUnavailable, State, Task
from swesearch.discriminator.minimise import minimise
from swesearch.github.bot.base import Finding, Fix, How, can_be_told
from swesearch.github.bot.checkout import Pair
from swesearch.github.bot.diffs import suggestions
from swesearch.github.bot.prove import NAMED, Lines, cut
from swesearch.github.bot.trials import Seen, Side
from swesearch.settings import Settings
from swesearch.solve.search import search
from swesearch.store import Store
from swesearch.store.gitsafe import write_file
from swesearch.value.checks import BAD
from swesearch.value.protect import protected

TOLD = 2  # candidates of a search
TRIES = 24  # states that are tried to make what is taken back small
LARGEST = 1 << 20  # bytes of changed files, both sides together, that are taken apart into lines
LONGEST, SHOWN = 20_000, 8  # characters of a patch, and suggestions of it
BOOK = "searches.json"  # which run looked for which fix, for the next time
Changed = Mapping[str, File | None]  # files of the head to replace


@dataclass(slots=True)
class Repairs:
    """Looks for fixes of one pull request's findings, and adds up what that costs."""

    pair: Pair
    head: Side
    seen: Seen  # what the tests near the change do on the head
    settings: Settings
    home: Path
    show: Callable[[Event], None]
    stop: threading.Event
    seconds: float  # for one run of tests
    lines: Lines  # of the head that the pull request changed
    cost: Cost = field(default_factory=Cost)
    notes: list[str] = field(default_factory=list)
    found: list[Changed] = field(default_factory=list)  # the first fix of each finding so far

    def mended(self, findings: Sequence[Finding]) -> tuple[Finding, ...]:
        """The findings with what mends each, best first; what one fix mends is one finding. Raises SandboxUnavailable."""
        done: list[Finding] = []
        for finding in findings:
            cause = next((n for n, changed in enumerate(self.found) if changed and self._passes(finding, changed)), None)
            if cause is None:
                wanted = len(done) < self.settings.bot.fixes and not self.stop.is_set()
                fixes = self._fixes(finding) if wanted else []
                self.found.append(fixes[0][0] if fixes else {})
                done.append(replace(finding, fixes=tuple(fix for _, fix in fixes[:3])))
            else:
                done[cause] = _joined(done[cause], finding)
        return tuple(done)

    def _fixes(self, finding: Finding) -> list[tuple[Changed, Fix]]:
        """Different fixes of one finding. Those come first that change only what the pull request changed: that is where the cause is."""
        found = [*self._searched(finding), *(self._undone(finding) if finding.kind == "broke" else ())]
        different = list({fix.patch: (changed, fix) for changed, fix in reversed(found)}.values())[::-1]
        return sorted(different, key=lambda each: not self._inside(each[1]))

    def _inside(self, fix: Fix) -> bool:
        lines = ((each.path, line) for each in fix.suggestions for line in range(each.first, each.last + 1))
        return bool(fix.suggestions) and all(line in self.lines.get(path, ()) for path, line in lines)

    def _searched(self, finding: Finding) -> Iterator[tuple[Changed, Fix]]:
        run = self._run(finding)
        try:
            solution = search(run, self.show, self.stop)
        except (CheckPasses, CheckUnusable, ModelUnavailable) as error:
            self.notes.append(cut(f"no fix was searched for: {error}", 500))
            return
        self.cost = _sum(self.cost, solution.cost)
        if solution.best is None:
            self.notes.append(cut(f"no fix was found for {finding.tests[0]}: {solution.why}", 500))
            return
        store = Store.open(run.task.repo, run.store)
        try:
            for candidate in (solution.best, *solution.alternatives)[:TOLD]:
                if self._keeps(store.changed(self.pair.head.state, candidate.attempt.state)):
                    yield from _fix(store, self.pair.head.state, candidate.attempt.state, "search", _why(candidate), candidate.reasons)
        finally:
            store.close()

    def _run(self, finding: Finding) -> runs.Run:
        """The run that looked for this fix in an earlier review of the same head, which then goes on, or a new one."""
        book = self.home / BOOK
        known: dict[str, str] = json.loads(book.read_text()) if book.is_file() else {}
        key = f"{self.pair.head.state.tree} {finding.command}"
        if key in known and (self.home / "runs" / known[key]).is_dir():
            before = runs.open_run(self.home, known[key])
            return runs.Run(before.folder, replace(before.task, repo=self.pair.head.folder), self.settings)
        task = Task(self.pair.head.folder, (Check(tuple(shlex.split(finding.command))),), issue=_words(finding))
        run = runs.begin(task, self.settings, self.home)
        write_file(book, json.dumps({**known, key: run.id}).encode())
        return run

    def _undone(self, finding: Finding) -> Iterator[tuple[Changed, Fix]]:
        """The head without those lines of the change that do the harm; nothing where that would be all of them."""
        store, base, head = self.head.store, self.pair.base.state, self.pair.head.state
        files = store.files(head)
        paths = [path for path in store.changed(base, head) if not protected(path, files)]
        old = store.overlay(head, base, paths)

        def good(state: State) -> bool:
            return state != head and self._passes(finding, store.changed(head, state))

        size = sum(len(before or b"") + len(after or b"") for _, before, after in store.texts(head, old))
        if self.stop.is_set() or not paths or size > LARGEST or not good(old):
            return
        least = minimise(store, head, old, good, TRIES)
        if least != old and self._keeps(store.changed(head, least)):
            words = "Without these lines of the pull request the tests pass"
            yield from _fix(store, head, least, "undo", words, ("tests near the change that passed on the head still pass",))

    def _passes(self, finding: Finding, changed: Changed) -> bool:
        """Whether the tests of a finding pass with these files."""
        files = [[name] for name in finding.tests if "::" not in name]  # each has a process to itself
        tests = [name for name in finding.tests if "::" in name]
        return all(self.head.run(some, self.seconds, changed).passed for some in (*files, tests) if some)

    def _keeps(self, changed: Changed) -> bool:
        """Whether no test that the pull request reaches, and that passes on its head, is broken with these files."""
        good = [name for name, outcome in self.seen.outcomes.items() if outcome.outcome == "passed"]
        after = self.head.look(list(dict.fromkeys(name.partition("::")[0] for name in good)), self.seconds, changed)
        return not {name for name, outcome in after.outcomes.items() if outcome.outcome in BAD}.intersection(good)


def _fix(store: Store, head: State, state: State, how: How, why: str, evidence: tuple[str, ...]) -> Iterator[tuple[Changed, Fix]]:
    """The way from `head` to `state` as a fix that can be shown, where it is one."""
    try:
        patch = store.diff(head, state).decode()
    except UnicodeDecodeError:
        return
    lines = suggestions(store, head, state)
    short = len(lines) <= SHOWN and all(len(line.text) <= 4000 and can_be_told(line.path) for line in lines)
    if len(patch) <= LONGEST:
        words = tuple(cut(each, 500) for each in evidence[:10])
        yield store.changed(head, state), Fix(how, cut(why, 300), patch, lines if short else (), words)


def _why(candidate: Candidate) -> str:
    why = candidate.attempt.action.why if candidate.attempt.action else "a change"
    return why[:1].upper() + why[1:]


def _words(finding: Finding) -> str:
    """What the search is told."""
    return f"{finding.error}: {finding.message[:1000]}\n\n`{finding.command}` fails since a change near {finding.path}:{finding.line}."


def _joined(one: Finding, other: Finding) -> Finding:
    """Two findings that turned out to be one."""
    tests = (*one.tests, *other.tests)
    return replace(one, tests=tests[:NAMED], others=one.others + other.others + max(0, len(tests) - NAMED))


def _sum(a: Cost, b: Cost) -> Cost:
    return Cost(a.evaluations + b.evaluations, a.seconds + b.seconds, a.tokens + b.tokens, a.dollars + b.dollars)
