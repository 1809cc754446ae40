"""Which server an issue lives on, and which token may be shown to it. A URL that somebody sent never decides where a token goes."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from urllib.parse import urlsplit

from swesearch.base import UsageError
from swesearch.github.base import Access, Api

__all__ = ["Access", "connect", "find_access"]

TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
NOT_FOR_GH = (*TOKENS, "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN")  # gh would hand these out for any host
HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?")
LOOPBACK = ("localhost", "127.0.0.1")
SECONDS = 10.0  # for gh


def find_access(host: str, environ: Mapping[str, str], api_url: str = "") -> Access:
    """How to reach `host`; `api_url` is the user's own word and comes before GITHUB_API_URL. Raises UsageError.

    GITHUB_TOKEN and GH_TOKEN are for github.com, or for the server that GITHUB_API_URL or `api_url` names. Every other host gets what
    `gh auth token` keeps for it, or nothing.
    """
    host = host.lower()
    if not HOST.fullmatch(host):
        raise UsageError(f"{host!r} is not the name of a server")
    ambient = environ.get("GITHUB_API_URL", "")
    named = api_url or (ambient if urlsplit(ambient).netloc.lower() in (host, f"api.{host}") else "")
    ours = host == "github.com" or bool(named)
    token = next((environ[name] for name in TOKENS if environ.get(name)), "") if ours else ""
    return Access(host, _secure(named or _api_of(host)).rstrip("/"), f"{_scheme(host)}://{host}", _checked(token or _kept_by_gh(host)))


def connect(access: Access, patience: float = 90.0) -> Api:
    """The REST API with this account; waits at most `patience` seconds for a rate limit. Raises UsageError without the extra `bot`."""
    try:
        from swesearch.github.client import Client
    except ModuleNotFoundError as error:
        raise UsageError(f"GitHub needs a package that is not installed, {error.name}: pip install 'swesearch[bot]'") from error
    return Client(access, patience)


def _api_of(host: str) -> str:
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"{_scheme(host)}://{host}/api/v3"


def _scheme(host: str) -> str:
    """Plain HTTP never leaves the machine."""
    return "http" if host.partition(":")[0] in LOOPBACK else "https"


def _secure(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
        return url
    raise UsageError(f"{url} is not an https address: a token must not travel in the open")


def _kept_by_gh(host: str) -> str:
    """The token that the user's `gh` keeps for this host, "" where there is none or no gh."""
    env = {name: value for name, value in os.environ.items() if name not in NOT_FOR_GH}
    command = ["gh", "auth", "token", "--hostname", host]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=SECONDS, check=False, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _checked(token: str) -> str:
    token = token.strip()
    if not re.fullmatch(r"[!-~]*", token):
        raise UsageError("the token for GitHub holds spaces or characters that no token has: set GITHUB_TOKEN anew")
    return token
