"""git behind the stand-in for GitHub: bare repositories, read with git itself and served by `git http-backend`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SETTINGS = {"uploadpack.allowFilter": "true", "uploadpack.allowAnySHA1InWant": "true", "http.receivepack": "true"}


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare repository on disk."""

    folder: Path

    @classmethod
    def of(cls, source: Path, folder: Path) -> Bare:
        """A copy of `source`, as a server keeps it."""
        subprocess.run(["git", "clone", "-q", "--bare", str(source), str(folder)], check=True, stdin=subprocess.DEVNULL)
        bare = cls(folder)
        for key, value in SETTINGS.items():
            bare.git("config", key, value)
        return bare

    def git(self, *arguments: str) -> str:
        """What a git command in it prints. Raises subprocess.CalledProcessError."""
        done = subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.stdout.strip()

    def sha(self, name: str) -> str:
        """The commit of a branch or a full ref, "" where there is none."""
        full = name if name.startswith("refs/") else f"refs/heads/{name}"
        return self.git("for-each-ref", "--format=%(objectname)", full).partition("\n")[0]

    def keep(self, ref: str, sha: str) -> None:
        """Let a ref point to a commit."""
        self.git("update-ref", ref, sha)

    def take(self, other: Bare, sha: str) -> None:
        """Have a commit of another repository too, as all forks on a server share their objects."""
        if other != self:
            self.git("fetch", "-q", str(other.folder), sha)

    def changed(self, base: str, head: str) -> list[tuple[str, str, str, tuple[int, int], str]]:
        """Path, status, blob, lines added and removed, and patch of each file that differs since the two parted."""
        since = f"{base}...{head}"
        kinds = {"A": "added", "M": "modified", "D": "removed", "T": "changed"}
        found = []
        for row in self.git("diff", "--no-renames", "--name-status", since).splitlines():
            kind, path = row.split("\t", 1)
            added, removed, _ = self.git("diff", "--no-renames", "--numstat", since, "--", path).split("\t", 2)
            patch = self.git("diff", "--no-renames", since, "--", path)
            blob = self.git("rev-parse", f"{base if kind == 'D' else head}:{path}")
            counts = (0, 0) if added == "-" else (int(added), int(removed))
            found.append((path, kinds[kind], blob, counts, patch[patch.find("@@") :] if "@@" in patch else ""))
        return found


def http_backend(
    root: Path, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes, user: str
) -> tuple[int, dict[str, str], bytes]:
    """One request of git's own client, answered as a server would. An empty `user` may not push."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(root), "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "REQUEST_METHOD": method, "QUERY_STRING": query,
        "CONTENT_TYPE": headers.get("content-type", ""), "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": headers.get("content-encoding", ""), "GIT_PROTOCOL": headers.get("git-protocol", ""),
        **({"REMOTE_USER": user} if user else {}),
    }  # fmt: skip
    done = subprocess.run(["git", "http-backend"], input=body, env=env, capture_output=True, check=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    rows = dict(row.split(": ", 1) for row in head.decode("latin-1").split("\r\n"))
    status = int(rows.pop("Status", "200").split()[0])
    return status, rows, content
