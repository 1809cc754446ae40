"""From the address of an issue to a draft pull request."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sandbox.base import SandboxError
from swesearch import runs, solve
from swesearch.base import SwesearchError, Task, UsageError
from swesearch.cli import running
from swesearch.cli.options import home_folder, is_url, parse_checks
from swesearch.cli.proving import progress, tell
from swesearch.github.access import connect, find_access
from swesearch.github.base import Access, Api, Refused
from swesearch.github.bundle import Bundle, make, pack
from swesearch.github.clone import Clone, new_folder
from swesearch.github.issue import Issue, parse_url, read_issue
from swesearch.github.pictures import fetch_pictures
from swesearch.github.pull_request import Place, open_pull_request, place, propose
from swesearch.github.verify import replay
from swesearch.report.text import line
from swesearch.settings import Settings, load
from swesearch.solve.proofs import Proof
from swesearch.store.gitsafe import write_file

BUNDLE, PROOF = "bundle.zip", "proof.json"  # in the folder of a run


@dataclass(frozen=True, slots=True)
class Source:
    """An issue, and how to reach what belongs to it."""

    access: Access
    api: Api
    issue: Issue
    clone: Clone


def fix(
    url: str,
    own: Mapping[str, object],
    open_it: bool,
    force: bool,
    api_url: str,
    preset: str,
    given: Sequence[str],
    flags: Mapping[str, object],
    home: Path | None,
    output: running.Output,
) -> int:
    """Clone, search, and open a pull request if that is wanted. `own` are options for local repositories. Returns the exit code."""
    if not is_url(url):
        raise UsageError("--open-pr goes with the address of an issue: swesearch fix https://github.com/OWNER/NAME/issues/123 --open-pr")
    if wrong := [name for name, value in own.items() if value]:
        raise UsageError(f"{wrong[0]} is for local repositories: with the address of an issue everything comes from there")
    root = home_folder(home, os.environ)
    source = _source(url, api_url, root)
    _check(source.issue, force)
    where = place(source.api, source.clone) if open_it else None  # before anything is paid for
    run = runs.begin(*_task(source, preset, given, flags, root), root)
    code = running.search(run, output)
    if where and code == 0:
        code = _publish(source, where, run, 0, force, root, sys.stderr if output.json else sys.stdout)
    elif code == 0:
        running.say_how_to_publish(run)
    return code


def open_pr(name: str, number: int | None, force: bool, api_url: str, home: Path | None) -> int:
    """Open the pull request of a run. Returns the exit code."""
    root = home_folder(home, os.environ)
    run = runs.open_run(root, name)
    if not run.task.url:
        raise UsageError(f"run {run.id} did not begin with the address of an issue: `swesearch apply {run.id} --branch NAME`, and push it")
    source = _source(run.task.url, api_url, root)
    which = solve.picked(run) if number is None else number
    return _publish(source, place(source.api, source.clone), run, which, force, root, sys.stdout)


def _source(url: str, api_url: str, home: Path) -> Source:
    repository, number = parse_url(url)
    access = find_access(repository.host, os.environ, api_url)
    api = connect(access)
    return Source(access, api, read_issue(api, repository, number), Clone.of(access, repository, home))


def _check(issue: Issue, force: bool) -> None:
    """Raises Refused where others see to the issue."""
    if issue.objections and not force:
        raise Refused(f"{issue.url}: {', '.join(issue.objections)}. --force goes on all the same")


def _task(source: Source, preset: str, given: Sequence[str], flags: Mapping[str, object], home: Path) -> tuple[Task, Settings]:
    """What to repair, in a working copy of its own, and how."""
    issue, clone = source.issue, source.clone
    _say(f"issue:   {issue.title}")
    if hidden := ", ".join(f"{count} {kind}" for kind, count in issue.removed.items()):
        _say(f"hidden:  {hidden} were taken out of its text")
    branch = source.api.get(issue.repository.path)["default_branch"]
    commit = clone.fetch(f"refs/heads/{branch}")
    folder = clone.check_out(commit, new_folder(home, issue.repository, issue.number))
    _say(f"cloned:  {branch} at {commit[:12]} in {folder}")
    settings = load(folder, os.environ, preset, given, flags)
    models = bool(solve.models(settings))
    pictures, lost = fetch_pictures(issue.pictures, source.access) if models else ((), ())
    for words in lost:
        _say(f"note:    {words}")
    task = Task(folder, parse_checks(settings.task.checks, models), issue.text, pictures, issue.url)
    solve.ready(task, settings)
    return task, settings


def _publish(source: Source, where: Place, run: runs.Run, number: int, force: bool, home: Path, out: TextIO) -> int:
    """Replay the proof, then push and open a draft. Whatever fails, the run stays as it is. Returns the exit code."""
    again = f"swesearch open-pr {run.id}" + (f" -n {number}" if number else "")
    try:
        bundle = make(run, number)
        proposal = propose(source.api, where, source.issue, run, bundle)
        url = proposal.url
        if not url:
            _check(read_issue(source.api, source.issue.repository, source.issue.number), force)  # it may have been closed meanwhile
            found = _proof(bundle, run, home, out)
            if not found:
                _say("no pull request was opened: the proof does not hold when it is replayed")
                return 1
            url = open_pull_request(source.api, proposal, run, number, bundle, found)
    except (SwesearchError, SandboxError):
        _say(f"the run is kept; once this is settled: {again}")
        raise
    print(f"pull request: {line(url)} (a draft)", file=out)
    return 0


def _proof(bundle: Bundle, run: runs.Run, home: Path, out: TextIO) -> Sequence[Proof]:
    """What holds when the bundle is replayed, nothing where something does not. What has been shown once is not run again."""
    data, seen = pack(bundle), run.folder / PROOF
    name = hashlib.sha256(data).hexdigest()
    if seen.is_file() and (kept := json.loads(seen.read_bytes()))["bundle"] == name:
        return tell((Proof(True, words) for words in kept["holds"]), out)
    (run.folder / BUNDLE).write_bytes(data)
    found = tell(replay(bundle, run.task.repo, run.settings, home, progress), out)
    if found:
        write_file(seen, json.dumps({"bundle": name, "holds": [proof.words for proof in found]}).encode())
    return found


def _say(words: str) -> None:
    print(line(words, 400), file=sys.stderr)
