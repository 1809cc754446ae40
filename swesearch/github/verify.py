"""Replay a bundle, with no model and no key: the check fails, passes with the fix, fails again without it, and notices changes of it."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

from sandbox.base import TestRun
from swesearch.agents.templates.proposer import TemplateProposer
from swesearch.base import CheckPasses, EditError, Event, State, Task, UsageError
from swesearch.code.localise import Localisation, Suspicion
from swesearch.discriminator.hunks import hunks
from swesearch.github.bundle import Bundle, lay, tree_of
from swesearch.journal import Journal
from swesearch.runs import JOURNAL, Run
from swesearch.settings import Settings
from swesearch.solve.prepare import Bench, prepare
from swesearch.solve.proofs import Proof, proofs, rest_proofs, to_the_first_doubt
from swesearch.solve.record import Record
from swesearch.store import Store
from swesearch.store.worktree import find
from swesearch.value.checks import BAD, COLLECTION, CheckRun

MUTANTS, NAMED = 12, 10


def replay(bundle: Bundle, repo: Path, settings: Settings, home: Path, observer: Callable[[Event], None]) -> Generator[Proof, None, None]:
    """Proof by proof; the first that does not hold is the last.

    `settings` are the user's own: nothing in a bundle says how it is run. Raises UsageError where `repo` does not have the code,
    CheckUnusable, and SandboxUnavailable where we could not find out.
    """
    with _folder(home) as folder:
        run = Run(folder, Task(find(repo).top, bundle.checks), settings)
        with closing(_proofs(bundle, run, observer)) as found:
            yield from to_the_first_doubt(found)


def _proofs(bundle: Bundle, run: Run, observer: Callable[[Event], None]) -> Generator[Proof, None, None]:
    root, result, patch = _states(bundle, run)
    yield _is_itself(bundle, root, result, patch)
    journal = Journal.create(run.folder / JOURNAL)
    try:
        bench = prepare(run, Record(journal, observer), root)
        try:
            for check in bench.checks:
                yield from _of_check(check, bench, result)
        finally:
            bench.close()
    finally:
        journal.close()


def _states(bundle: Bundle, run: Run) -> tuple[State, State, bytes]:
    """The code before and after the fix, and what differs."""
    store = Store.open(run.task.repo, run.store)
    try:
        root = lay(store, tree_of(store, bundle.commit), bundle.before)
        result = lay(store, root, bundle.after)
        return root, result, store.diff(root, result)
    finally:
        store.close()


def _is_itself(bundle: Bundle, root: State, result: State, patch: bytes) -> Proof:
    """What the bundle says is what it holds."""
    if (root.tree, result.tree, patch) != (bundle.root, bundle.result, bundle.patch):
        return Proof(False, "the bundle is not about this code: its files do not make the trees and the patch that it names")
    names = ", ".join(change.path for change in bundle.before[:NAMED])
    besides = f", where this was changed beforehand: {names}" if names else ""
    return Proof(True, f"the patch is about commit {bundle.commit[:12]}{besides}")


def _of_check(check: CheckRun, bench: Bench, result: State) -> Iterator[Proof]:
    """Fails, passes, fails again; and the mutants of the fix."""
    words = " ".join(check.check.command)
    try:
        failing = check.baseline.failing
    except CheckPasses as error:
        yield Proof(False, f"before the fix: {error}")
        return
    yield Proof(True, f"`{words}` fails without the fix ({len(failing)}: {', '.join(list(failing)[:3])})")
    with closing(bench.fresh()) as box:
        yield from proofs(check, result, box)
        yield from rest_proofs(check, result, box)
    with closing(bench.fresh()) as box:
        again = check.verify(check.root, box)
    yield Proof(_fails_as_before(again, set(failing)), f"`{words}` fails again where the fix is taken back (revert check: {again.status})")
    yield _mutation(check, bench, result)


def _fails_as_before(run: TestRun, failing: set[str]) -> bool:
    bad = {outcome.id for outcome in run.outcomes if outcome.outcome in BAD}
    return not run.passed and (run.status != "complete" or failing <= bad | {COLLECTION})


def _mutation(check: CheckRun, bench: Bench, result: State) -> Proof:
    """How many small changes of the mended lines the check notices. One at least, or it does not look at the fix."""
    tried = list(islice(_mutants(bench.store, check.root, result), MUTANTS))
    with ThreadPoolExecutor(bench.sandbox.slots) as pool:
        noticed = sum(pool.map(lambda state: not check.failing(state, stop=True).passed, tried))
    if not tried:
        return Proof(True, "no small change of the mended lines could be made: there was no mutation check")
    return Proof(noticed > 0, f"{noticed} of {len(tried)} small changes of the mended lines are noticed (mutation check)")


def _mutants(store: Store, root: State, result: State) -> Iterator[State]:
    """The fix with one more edit, as the templates make them, in a line that it changed."""
    changed = [hunk for hunk in hunks(store, result, root) if not hunk.whole]
    places = [(hunk.path, line) for hunk in changed for line in _lines(store.read(result, hunk.path), hunk.start, hunk.before)]
    suspicions = tuple(Suspicion(path, line, 1 / len(places)) for path, line in places)
    drafts = TemplateProposer(store, lambda _: Localisation()).drafts(Localisation(suspicions), lambda path: store.read(result, path))
    for action in drafts:
        try:
            mutant = store.apply(result, action.edits)
        except EditError:  # two templates may say nothing new
            continue
        if mutant != root:
            yield mutant


def _lines(file: bytes, start: int, piece: bytes) -> range:
    """The lines where a piece of a file stands."""
    first = file[:start].count(b"\n") + 1
    return range(first, first + max(1, piece.count(b"\n")))


@contextmanager
def _folder(home: Path) -> Iterator[Path]:
    """A folder for as long as it is needed; environments that are made on the way stay below `home`."""
    folder = home / "verifications" / secrets.token_hex(8)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(f"{home} cannot be written ({error.strerror}): choose another place with --home") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
