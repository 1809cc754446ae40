"""Review a pull request: two revisions of a repository in, a report out. No GitHub, no token."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from swesearch.base import Event
from swesearch.github.bot.base import Ending, Finding, Report
from swesearch.github.bot.checkout import Pair, check_out
from swesearch.github.bot.diffs import changed_lines
from swesearch.github.bot.prove import cut, grouped, prove, suspects
from swesearch.github.bot.repair import Repairs
from swesearch.github.bot.sides import Sides
from swesearch.github.bot.trials import Seen, Side
from swesearch.settings import Settings, load
from swesearch.store import Store
from swesearch.value.impact import reached

TOLD, PROVEN = 3, 6  # findings that are told; causes that are looked into
Show = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Request:
    """What to review, and the settings that outrank those of the base."""

    repo: Path
    base: str
    head: str
    home: Path
    preset: str = "standard"
    given: tuple[str, ...] = ()
    flags: Mapping[str, object] = field(default_factory=dict)


def review(request: Request, show: Show, stop: threading.Event) -> Report:
    """What the head breaks, proven, and with fixes. Raises UsageError, and SandboxUnavailable where it could not be found out."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="swesearch-bot-") as name:
        folder = Path(name)
        pair = check_out(request.repo, request.base, request.head, folder)
        # The base's own file counts, and never the head's: who writes a pull request does not choose how it is judged.
        settings = load(pair.base.folder, os.environ, request.preset, request.given, request.flags)
        store = Store.open(pair.head.folder, folder / "store.git")
        try:
            found = _Review(request.home, pair, store, settings, show, stop).report()
        finally:
            store.close()
    return replace(found, seconds=round(time.monotonic() - began, 1))


class _Review:
    """One review under way."""

    def __init__(self, home: Path, pair: Pair, store: Store, settings: Settings, show: Show, stop: threading.Event) -> None:
        self.home, self.pair, self.store, self.settings, self.show, self.stop = home, pair, store, settings, show, stop
        self.notes: list[str] = []
        self.lines = changed_lines(store, pair.base.state, pair.head.state)

    def report(self) -> Report:
        """From the tests that are reached to the report."""
        paths = self._reached()
        if not paths:
            return self._ended("untouched", Seen())
        self._say(f"the change reaches {len(paths)} test files, nearest first: {', '.join(paths[:3])}")
        sides = Sides(self.store, self.settings.sandbox, self.home, self._say)
        with sides.side(self.pair.head) as head:
            seen = head.look(paths, self.settings.bot.seconds)
            self._unknown(seen)
            quiet: Ending = "unknown" if paths[0] in seen.unknown else "clean"  # without the nearest tests there is little to say
            if not seen.bad:
                return self._ended(quiet, seen)
            with sides.side(self.pair.base) as base:
                findings, flaky = self._findings(head, seen, base)
            if not findings:
                return replace(self._ended(quiet, seen), flaky=flaky)
            return replace(self._mended(findings, head, seen), flaky=flaky)

    def _reached(self) -> list[str]:
        base, head = self.pair.base.state, self.pair.head.state
        if all(self._ignored(path) for path in self.store.changed(base, head)):
            return []
        return [path for path in reached(self.store, base, head) if not self._ignored(path)]

    def _ignored(self, path: str) -> bool:
        return any(fnmatch(path, pattern) for pattern in self.settings.bot.ignore)

    def _findings(self, head: Side, seen: Seen, base: Side) -> tuple[list[Finding], tuple[str, ...]]:
        """What is proven to be broken, and the tests that turned out flaky."""
        paths = dict.fromkeys(name.partition("::")[0] for name in seen.bad)
        self._say(f"{len(seen.bad)} tests fail on the head; now the same {len(paths)} files on the base")
        before = base.look([path for path in paths if base.has(path)], self.settings.bot.seconds)
        found = suspects(head, seen.bad, before, base)
        self.notes += found.notes
        groups = grouped(found.suspects)
        if more := len(groups[PROVEN:]):
            self.notes.append(f"{more} more causes of failing tests were not looked into")
        proofs = [prove(group, head, base, self.settings.bot.reruns, self.lines) for group in groups[:PROVEN]]
        flaky = [cut(name, 500) for proof in proofs for name in proof.flaky]
        return [proof.finding for proof in proofs if proof.finding], tuple(flaky[:20])

    def _mended(self, findings: list[Finding], head: Side, seen: Seen) -> Report:
        """The report with fixes for the findings that are told."""
        self._say(f"{len(findings)} findings are proven; now a fix is searched for")
        repairs = Repairs(self.pair, head, seen, self.settings, self.home, self.show, self.stop, self.settings.bot.seconds, self.lines)
        mended = repairs.mended(findings)
        self.notes += repairs.notes
        cost = repairs.cost
        return replace(
            self._ended("findings", seen), findings=mended[:TOLD], others=len(mended[TOLD:]),
            evaluations=cost.evaluations, tokens=cost.tokens, dollars=cost.dollars,
        )  # fmt: skip

    def _ended(self, ending: Ending, seen: Seen) -> Report:
        if ending == "clean" and len(seen.bad) >= sum(outcome.outcome == "passed" for outcome in seen.outcomes.values()):
            ending = "unknown"  # where as many fail as pass, on both sides, it is the environment that speaks
        notes = tuple(cut(note, 500) for note in self.notes[:20])
        ran = sum(outcome.outcome != "skipped" for outcome in seen.outcomes.values())
        return Report(self.pair.base.commit, self.pair.head.commit, ending, tests=ran, notes=notes)

    def _unknown(self, seen: Seen) -> None:
        """Note what was not found out, one line for each reason."""
        for why, count in Counter(seen.unknown.values()).most_common():
            first = next(path for path, words in seen.unknown.items() if words == why)
            self.notes.append(f"{first}{f' and {count - 1} more test files' if count > 1 else ''}: {why}")

    def _say(self, words: str) -> None:
        self.show(Event("phase", {"name": "review", "detail": words}))
