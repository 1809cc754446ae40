"""The pictures of an issue: fetched from GitHub's own hosts only, without any token, and no more of them than a model can use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from urllib.parse import urljoin, urlsplit

import requests

from swesearch.agents.layers import images
from swesearch.base import UsageError
from swesearch.github.base import Access

MOST, LARGEST = 5, 4 << 20  # pictures of an issue, bytes of one
HOPS, TIMEOUT = 3, (5.0, 20.0)
UPLOADS = "githubusercontent.com"  # user-images., private-user-images., raw., ...
BUCKET = "github-production-user-asset-"  # ....s3.amazonaws.com, where uploads redirect to


def fetch_pictures(urls: Iterable[str], access: Access) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """The pictures that could be had, and a line for each that could not."""
    found: list[bytes] = []
    lost: list[str] = []
    for url in dict.fromkeys(urls):
        if len(found) == MOST:
            lost.append(f"more than {MOST} pictures: the others are left out")
            break
        try:
            found.append(_fetched(url, access))
        except (requests.RequestException, ValueError, UsageError) as error:
            lost.append(f"a picture is left out ({urlsplit(url).netloc}: {_why(error)})")
    return tuple(found), tuple(lost)


def _fetched(url: str, access: Access) -> bytes:
    """Raises ValueError for what is not GitHub's, too large or no picture; requests.RequestException."""
    for _ in range(HOPS):
        if not _is_githubs(url, access):
            raise ValueError("not a host of GitHub's")
        with requests.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True, auth=lambda request: request) as answer:
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                continue
            answer.raise_for_status()
            data = b"".join(_capped(answer))
            images((data,))  # says what is no picture
            return data
    raise ValueError("too many redirections")


def _is_githubs(url: str, access: Access) -> bool:
    parts = urlsplit(url)
    if (parts.scheme, parts.netloc) == tuple(urlsplit(access.web_url)[:2]):
        return True
    host = parts.netloc
    bucket = host.startswith(BUCKET) and host.endswith(".s3.amazonaws.com")
    return parts.scheme == "https" and access.host == "github.com" and (host.endswith(f".{UPLOADS}") or bucket)


def _capped(answer: requests.Response) -> Iterator[bytes]:
    size = 0
    for piece in answer.iter_content(1 << 16):
        size += len(piece)
        if size > LARGEST:
            raise ValueError(f"more than {LARGEST >> 20} MB")
        yield piece


def _why(error: Exception) -> str:
    status = error.response.status_code if isinstance(error, requests.HTTPError) else 0
    return f"status {status}" if status else type(error).__name__ if isinstance(error, requests.RequestException) else str(error)
