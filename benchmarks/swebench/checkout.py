"""Commits of the repositories that instances are about, one at a time: what came after a commit is never there to be seen."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.swebench.base import BenchError, Instance
from sandbox.base import SandboxUnavailable
from sandbox.images import lock

SECONDS = 900
QUIET = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
BARE = ("{owner}+{name}", "{owner}__{name}", "{owner}/{name}", "{name}")  # how a bare mirror may be called


@dataclass(frozen=True, slots=True)
class Repositories:
    """Where commits come from: bare mirrors in `mirrors` first, else GitHub, of which only what is asked for is fetched and kept."""

    cache: Path
    mirrors: Path | None = None

    def checkout(self, instance: Instance) -> Path:
        """A git repository that holds the instance's base commit and no other; made once. Raises SandboxUnavailable, BenchError."""
        folder = self.cache / "checkouts" / f"{instance.id}-{instance.base_commit[:12]}"
        with lock(folder.name):
            if not folder.is_dir():
                folder.parent.mkdir(parents=True, exist_ok=True)
                with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as making:
                    self.fresh(instance, Path(making) / "repo").rename(folder)
        return folder

    def fresh(self, instance: Instance, folder: Path) -> Path:
        """The same as a new folder, which nobody has worked in. Raises SandboxUnavailable, BenchError."""
        source, commit = self._source(instance.repo), instance.base_commit
        _git("init", "--quiet", "--initial-branch=main", str(folder))
        self._fetch(folder, source, commit)
        _git("-C", str(folder), "reset", "--quiet", "--hard", commit)
        for leftover in ("FETCH_HEAD", "ORIG_HEAD", "hooks", "logs"):  # they say where it came from
            path = folder / ".git" / leftover
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        return folder

    def read(self, repo: str, commit: str, path: str) -> str | None:
        """A file of a commit, None where it has none of that name. Raises SandboxUnavailable, BenchError."""
        store = self._mirror(repo) or self._kept(repo)
        if _run("-C", str(store), "cat-file", "-e", f"{commit}^{{commit}}").returncode:
            self._fetch(store, self._source(repo), commit)
        done = _run("-C", str(store), "show", f"{commit}:{path}")
        return None if done.returncode else done.stdout

    def _kept(self, repo: str) -> Path:
        store = self.cache / "commits" / f"{repo.replace('/', '__')}.git"
        if not store.is_dir():
            _git("init", "--quiet", "--bare", str(store))
        return store

    def _source(self, repo: str) -> str:
        mirror = self._mirror(repo)
        return str(mirror) if mirror else f"https://github.com/{repo}.git"

    def _mirror(self, repo: str) -> Path | None:
        if self.mirrors is None:
            return None
        if not self.mirrors.is_dir():
            raise BenchError(f"--repos {self.mirrors}: there is no such folder")
        owner, name = repo.split("/")
        stems = [self.mirrors / stem.format(owner=owner, name=name) for stem in BARE]
        places = [place for stem in stems for place in (stem, stem.with_name(stem.name + ".git"), stem / "repo", stem / ".git")]
        return next((place.resolve() for place in places if (place / "HEAD").is_file() and (place / "objects").is_dir()), None)

    def _fetch(self, folder: Path, source: str, commit: str) -> None:
        done = _run("-C", str(folder), "fetch", "--quiet", "--depth=1", "--no-tags", source, commit)
        if done.returncode:
            words = re.sub(r"\s+", " ", done.stderr).strip()[-300:]
            mend = "give bare clones with --repos DIR (DIR/owner__name)"
            raise SandboxUnavailable(f"commit {commit[:12]} cannot be fetched from {source}: {words}. Mend: {mend}")


def _git(*arguments: str) -> None:
    done = _run(*arguments)
    if done.returncode:
        raise SandboxUnavailable(f"git {arguments[0]} failed: {done.stderr.strip()[-300:]}")


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """git without anybody's settings, so that no hook and no filter of a repository runs."""
    told = ("GIT_CONFIG", "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(told)}
    try:
        return subprocess.run(
            ["git", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0", *arguments],
            env={**environ, **QUIET}, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", timeout=SECONDS,
            check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxUnavailable(f"git could not be run: {error}") from error
