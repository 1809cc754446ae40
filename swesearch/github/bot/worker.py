"""Work off the queue. This process holds the token and runs no code of a repository: a child without it does, and hands back a report."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swesearch.base import SwesearchError
from swesearch.github.access import Access
from swesearch.github.base import Api, GitHubUnavailable, Repository
from swesearch.github.bot.base import Report
from swesearch.github.bot.post import Place, post, reviewed_head, sticky, stop
from swesearch.github.bot.queue import Job, Queue
from swesearch.github.bot.wire import LARGEST, from_json
from swesearch.github.clone import Clone
from swesearch.report.text import line
from swesearch.settings import Settings

POLL = 0.1  # seconds between two looks at whether a job is still wanted
GRACE = 10.0  # seconds that a child has to end by itself
NOWHERE = "0" * 40  # the base of a report that came to no base
KEPT = (  # of our environment, for the child
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"),
    *("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT"),
)
SECRET = "SWESEARCH_WEBHOOK_SECRET"
KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL")
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
ENVIRONMENT_FAILED = 4


class Unwanted(Exception):
    """Something newer came, or the server ends: what is under way is of no use now."""


class Again(Exception):
    """It could not be found out this time."""


@dataclass(frozen=True, slots=True)
class Worker:
    """One thread that takes job after job."""

    queue: Queue
    api: Api
    access: Access
    home: Path
    settings: Settings
    options: tuple[str, ...]  # of `swesearch bot review`
    ending: threading.Event

    def run(self) -> None:
        """Work until the server ends. Where this breaks down the server ends too: nobody is to believe that work goes on."""
        try:
            while not self.ending.is_set():
                job = self.queue.take()
                if job is None:
                    self.ending.wait(POLL)
                else:
                    self.do(job)
        finally:
            self.ending.set()

    def do(self, job: Job) -> None:
        """One job. What fails for now is tried again, and what fails for good is said in one line."""
        try:
            self.queue.finish(job, *self._done(job))
        except Unwanted:
            self.queue.release(job, self._dollars(job) if self.settings.model.name else 0.0)  # it may have spent them all
        except (Again, GitHubUnavailable, OSError) as error:
            if not self.queue.again(job, line(str(error))):
                self._give_up(job, str(error))
        except SwesearchError as error:
            self._give_up(job, str(error))

    def _done(self, job: Job) -> tuple[str, bytes, float]:
        """What was done, the report, and its cost."""
        if job.kind == "close":
            shutil.rmtree(self._folder(job), ignore_errors=True)
            return "cleared away", b"", 0.0
        repository = Repository.of(job.repo, self.access.host)
        pull = self.api.get(f"{repository.path}/pulls/{job.number}")
        place = Place(self.api, repository, job.number, str(pull["head"]["sha"]))
        if pull["state"] != "open" or job.head not in ("", place.head):
            return "nothing: the pull request is closed, or has another head by now", b"", 0.0
        if job.kind == "stop":
            stop(place)
            return "stopped", b"", 0.0
        if job.kind == "pick":
            return self._picked(job, place), b"", 0.0
        return self._review(job, place, str(pull["base"]["ref"]))

    def _review(self, job: Job, place: Place, branch: str) -> tuple[str, bytes, float]:
        """Review, unless that was done, is not wanted, or was done too often today."""
        ours = None if job.forced else sticky(place)
        if ours and reviewed_head(ours) in (place.head, "stopped"):
            return "nothing: this head is reviewed, or somebody told us to stop", b"", 0.0
        if why := self._capped(job):
            return post(place, _unknown(place.head, why), forced=job.forced), b"", 0.0
        data = self._reviewed(job, place, branch)
        report = from_json(data)
        return post(place, report, self.settings.bot.conclusion, forced=job.forced), data, report.dollars

    def _picked(self, job: Job, place: Place) -> str:
        data = self.queue.last_report(job.repo, job.number)
        return post(place, from_json(data), self.settings.bot.conclusion, pick=job.pick, forced=True) if data else "nothing to pick from"

    def _capped(self, job: Job) -> str:
        """Why this pull request gets no more today, empty where it does. What a maintainer asks for is no matter of its number."""
        runs, dollars = self.queue.spent(job)
        most = self.settings.bot
        if runs >= most.runs and not job.forced:
            return f"this pull request was reviewed {runs} times in a day: `/swesearch retry` asks for another one"
        return f"${dollars:.2f} were spent on this pull request in a day" if dollars and dollars >= most.dollars + job.dollars else ""

    def _reviewed(self, job: Job, place: Place, branch: str) -> bytes:
        """Fetch with the token, review without it."""
        clone = Clone.of(self.access, place.repository, self.home)
        base = clone.fetch(f"refs/heads/{branch}")
        head = clone.fetch(f"refs/pull/{job.number}/head")
        if head != place.head:
            raise Again(f"refs/pull/{job.number}/head is {head[:12]}, and not {place.head[:12]} yet")
        base = clone.git().run("merge-base", base, head).decode().split()[0]
        with tempfile.TemporaryDirectory(prefix="swesearch-bot-") as name:
            for number, commit in enumerate((base, head)):  # brings their files into the clone; the child cannot fetch
                (Path(name) / str(number)).mkdir()
                clone.check_out(commit, Path(name) / str(number))
                shutil.rmtree(Path(name) / str(number))
            return self._child(job, [str(clone.folder), "--base", base, "--head", head], Path(name) / "report.json")

    def _child(self, job: Job, what: list[str], report: Path) -> bytes:
        """The report of a process that has no token. Raises Unwanted, Again, SwesearchError."""
        home = self._folder(job)
        home.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, "-m", "swesearch", "bot", "review", *what, "--report", str(report), "--home", str(home), *self.options]
        with (home / "log").open("wb") as log:
            child = subprocess.Popen(
                [*words, *self._budget(job), "--end-with-stdin"], stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=home,
                env=child_environment(os.environ, bool(self.settings.model.name)), process_group=0,
            )  # fmt: skip
            code = self._wait(job, child)
        if code == 0:
            with report.open("rb") as file:
                return file.read(LARGEST + 1)
        said = (home / "log").read_bytes()[-2000:].decode(errors="replace").strip().splitlines()[-1:]
        raise (Again if code == ENVIRONMENT_FAILED else SwesearchError)(said[0] if said else f"the review ended with exit code {code}")

    def _folder(self, job: Job) -> Path:
        """Where the runs of a pull request are kept until it is closed."""
        return self.home / "reviews" / job.repo.replace("/", "+").lower() / str(job.number)

    def _dollars(self, job: Job) -> float:
        """What a search may spend: not more than is left for the day, but for what somebody added."""
        left = max(0.0, self.settings.bot.dollars - self.queue.spent(job)[1])
        return min(self.settings.budget.dollars, left) + job.dollars

    def _budget(self, job: Job) -> list[str]:
        """What a search may use: as many helpings as somebody asked for."""
        limits, helpings = self.settings.budget, 1 + job.more
        amounts = {"evaluations": limits.evaluations * helpings, "seconds": limits.seconds * helpings, "dollars": self._dollars(job)}
        return [word for key, amount in amounts.items() for word in ("-c", f"budget.{key}={amount}")]

    def _wait(self, job: Job, child: subprocess.Popen[bytes]) -> int:
        """The child's exit code. It is ended where it is not wanted, or takes longer than all its budgets together."""
        limits = self.settings.bot.seconds * 10 + self.settings.budget.seconds * 3 * (1 + job.more) + 900
        until = time.monotonic() + limits
        try:
            while child.poll() is None:
                if self.ending.is_set() or not self.queue.wanted(job):
                    raise Unwanted
                if time.monotonic() > until:
                    raise SwesearchError(f"the review took more than {limits:.0f} seconds")
                time.sleep(POLL)
            return child.returncode
        finally:
            _end(child)

    def _give_up(self, job: Job, why: str) -> None:
        """Say on the check run that nothing could be found out, as far as that can be said."""
        said = f"error: {line(why)}"
        try:
            repository = Repository.of(job.repo, self.access.host)
            pull: Mapping[str, Any] = self.api.get(f"{repository.path}/pulls/{job.number}")
            place = Place(self.api, repository, job.number, str(pull["head"]["sha"]))
            post(place, _unknown(place.head, f"the review could not be made: {line(why)}"))
        except SwesearchError as error:
            said += f"; it could not be posted: {line(str(error))}"
        print(f"{job.repo}#{job.number}: {said}", file=sys.stderr, flush=True)
        self.queue.finish(job, said)


def child_environment(environ: Mapping[str, str], model: bool) -> Mapping[str, str]:
    """Nothing of ours that is a secret, but for the keys of models if there is one."""
    kept = {*KEPT, *PROXIES, *(KEYS if model else ())}
    ours = ("SWESEARCH_", "UV_", "PIP_")
    return {name: value for name, value in environ.items() if (name in kept or name.startswith(ours)) and name != SECRET}


def _unknown(head: str, why: str) -> Report:
    return Report(NOWHERE, head, "unknown", notes=(why[:500],))


def _end(child: subprocess.Popen[bytes]) -> None:
    """End a child and all that it started; its boxes die with it."""
    assert child.stdin
    child.stdin.close()
    for number in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None:
            os.killpg(child.pid, number)
            try:
                child.wait(GRACE)
            except subprocess.TimeoutExpired:
                continue
