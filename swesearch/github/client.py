"""The REST API over HTTP: gidgethub says what a request and an answer mean, requests carries them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
from gidgethub import HTTPException, RedirectionException
from gidgethub.sansio import create_headers, decipher_response

from swesearch.github.base import Access, GitHubError, GitHubUnavailable

VERSION = "2022-11-28"
TIMEOUT = (10.0, 60.0)  # seconds to connect, to answer
LARGEST = 32 << 20  # bytes of one answer
PAGE, PAGES = 100, 50  # entries of a list at once; no list of ours is longer than that many
HOPS, TRIES = 3, 3  # redirections; reads of a server that fails
PAUSE = 60.0  # seconds, where GitHub says "too fast" and not for how long: its own advice


class Client:
    """One account, or none, on one server. Waits up to `patience` seconds for a rate limit. Safe to share between threads."""

    def __init__(
        self,
        access: Access,
        patience: float = 90.0,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._access, self._patience, self._clock, self._sleep = access, patience, clock, sleep
        self.anonymous = not access.token

    def get(self, path: str, **query: str | int) -> Any:
        """The JSON value at `path`. Raises GitHubError, GitHubUnavailable."""
        return self._call("GET", self._url(path, query), None)[0]

    def pages(self, path: str, **query: str | int) -> Iterator[Any]:
        """Every item of a list, over all its pages. Raises GitHubError, GitHubUnavailable."""
        url: str | None = self._url(path, {"per_page": PAGE, **query})
        for _ in range(PAGES):
            if url is None:
                return
            data, url = self._call("GET", url, None)
            yield from next((each for each in data.values() if isinstance(each, list)), ()) if isinstance(data, dict) else data

    def send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        """POST, PATCH, PUT or DELETE. Raises GitHubError, GitHubUnavailable."""
        return self._call(method, self._url(path, {}), body)[0]

    def _url(self, path: str, query: Mapping[str, str | int]) -> str:
        return f"{self._access.api_url}/{path}" + (f"?{urlencode(query)}" if query else "")

    def _call(self, method: str, url: str, body: Mapping[str, Any] | None) -> tuple[Any, str | None]:
        """What is said in the end, and where the next page is."""
        hops = 0
        for tried in itertools.count(1):
            try:
                data, _, more = decipher_response(*self._exchange(method, url, body))
                return data, self._ours(more) if more else None
            except RedirectionException as moved:
                url, hops = self._ours(urljoin(url, moved.headers.get("location", ""))), hops + 1
                if method != "GET" or hops > HOPS:
                    raise GitHubError(f"{self._short(url)} has moved", int(moved.status_code)) from moved
            except HTTPException as error:
                wait = self._wait(error, tried if method == "GET" else TRIES)
                if wait is None:
                    raise self._refusal(error, method, url) from error
                self._sleep(wait)
            except requests.RequestException as error:
                if method != "GET" or tried >= TRIES:
                    raise GitHubUnavailable(f"{urlsplit(url).netloc} cannot be reached ({_reason(error)}): try again later") from error
                self._sleep(tried)
            except (ValueError, LookupError) as error:
                raise GitHubUnavailable(f"what answers at {urlsplit(url).netloc} does not speak GitHub's language") from error
        raise AssertionError  # the count has no end

    def _exchange(self, method: str, url: str, body: Mapping[str, Any] | None) -> tuple[int, Mapping[str, str], bytes]:
        headers = create_headers("swesearch", oauth_token=self._access.token or None) | {"x-github-api-version": VERSION}
        how: dict[str, Any] = {"headers": headers, "timeout": TIMEOUT, "allow_redirects": False, "stream": True, "auth": _as_it_is}
        with requests.request(method, url, json=body, **how) as answer:
            content = b"".join(_capped(answer))
            return answer.status_code, answer.headers, content

    def _ours(self, url: str) -> str:
        """A URL that an answer names. Raises GitHubError where it leads elsewhere: the token stays here."""
        if urlsplit(url)[:2] != urlsplit(self._access.api_url)[:2]:
            raise GitHubError(f"{self._access.host} points to another server, {urlsplit(url).netloc}: not followed")
        return url

    def _wait(self, error: HTTPException, tried: int) -> float | None:
        """Seconds to wait before it is worth asking again, None where it is not. Raises GitHubUnavailable where that takes too long."""
        if error.status_code >= 500:
            if tried >= TRIES:
                raise GitHubUnavailable(f"{self._access.host} fails ({error.status_code:d}): try again later") from error
            return float(tried)
        wait = _limited(error, self._clock())
        if wait is not None and wait > self._patience:
            raise GitHubUnavailable(self._used_up(wait)) from error
        return wait

    def _used_up(self, wait: float) -> str:
        when = time.strftime("%H:%M:%S UTC", time.gmtime(self._clock() + wait))
        more = ": with a token (GITHUB_TOKEN) it is 5,000 requests an hour instead of 60" if self.anonymous else ""
        return f"the rate limit of {self._access.host} is used up until {when}{more}"

    def _refusal(self, error: HTTPException, method: str, url: str) -> GitHubError:
        status, said = int(error.status_code), str(error)
        what = "" if method == "GET" else f"{method} "
        return GitHubError(f"{what}{self._short(url)}: {_advice(status, said, error.headers, self._access)}", status)

    def _short(self, url: str) -> str:
        return url.removeprefix(self._access.api_url).lstrip("/").partition("?")[0]


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keeps requests from looking into ~/.netrc for a password."""
    return request


def _capped(answer: requests.Response) -> Iterator[bytes]:
    size = 0
    for piece in answer.iter_content(1 << 16):
        size += len(piece)
        if size > LARGEST:
            raise ValueError("no answer of GitHub's is that long")
        yield piece


def _reason(error: requests.RequestException) -> str:
    kinds = {requests.exceptions.SSLError: "its certificate is not accepted", requests.Timeout: "no answer in time"}
    return next((words for kind, words in kinds.items() if isinstance(error, kind)), "no connection")


def _limited(error: HTTPException, now: float) -> float | None:
    """Seconds until a rate limit is lifted, None where there is none.

    Primary and secondary limits: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    headers = error.headers
    if error.status_code not in (403, 429):
        return None
    if headers.get("retry-after", "").isdigit():
        return float(headers["retry-after"])
    if headers.get("x-ratelimit-remaining") == "0" and headers.get("x-ratelimit-reset", "").isdigit():
        return max(0.0, float(headers["x-ratelimit-reset"]) - now) + 1
    return PAUSE if error.status_code == 429 or "secondary rate limit" in str(error).lower() else None


def _advice(status: int, said: str, headers: Mapping[str, str], access: Access) -> str:
    """What is wrong, and what to do about it."""
    needed = headers.get("x-accepted-github-permissions") or headers.get("x-accepted-oauth-scopes")
    match status:
        case 401:
            return f"{access.host} does not accept the token: it is wrong, expired or revoked (set GITHUB_TOKEN anew, or `gh auth login`)"
        case 403 if "x-github-sso" in headers:
            return "the organisation wants the token authorised for single sign-on first (in the settings of the token)"
        case 403:
            return f"the token may not do this ({said})" + (f", it needs {needed}" if needed else "")
        case 404 if not access.token:
            return (
                f"not there, or private. Private repositories need a token: set GITHUB_TOKEN, or `gh auth login --hostname {access.host}`"
            )
        case 404:
            return "not there, or the token cannot see it"
        case 410:
            return f"it was deleted ({said})"
    return f"{access.host} refuses ({status}: {said})"
